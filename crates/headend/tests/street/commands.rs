//! Commands: done once, answered in words, void after their time.

use crate::world::{Street, at};
use headend::{CommandProgress, HeadEndEvent};
use jiff::SignedDuration;
use model::command::{Action, Command, CommandState};
use model::id::{CommandId, MeterId};

fn command(street: &Street, id: u32, meter: u32, action: Action) -> Command {
    Command {
        id: CommandId::new(id),
        meter: MeterId::new(meter),
        action,
        not_after: street.now + SignedDuration::from_mins(10),
        requested_by: None,
        requested_at: street.now,
        reason: "a test".into(),
    }
}

fn told(street: &Street, id: u32) -> Vec<CommandProgress> {
    let of = |event: &HeadEndEvent| match event {
        HeadEndEvent::Command(progress) if progress.id == CommandId::new(id) => Some(progress.clone()),
        _ => None,
    };
    street.events.iter().filter_map(of).collect()
}

fn states(street: &Street, id: u32) -> Vec<CommandState> {
    told(street, id).iter().map(|progress| progress.state).collect()
}

const DONE: [CommandState; 2] = [CommandState::Sent, CommandState::Confirmed];

#[test]
fn every_action_is_confirmed_with_what_it_brought() {
    let mut street = Street::new(1);
    street.collector(1, 1, 1, 1);
    street.houses.get_mut(&MeterId::new(1)).unwrap().device.drift = SignedDuration::from_secs(90);
    let (from, to) = (at("2024-07-01T00:00:00Z"), at("2024-07-01T12:00:00Z"));
    let actions = [Action::Ping, Action::ReadRegisters, Action::ReadProfile { from, to }, Action::SetClock];
    for (id, action) in (1..).zip(actions) {
        let command = command(&street, id, 1, action);
        street.head.command(street.now, &command);
        street.head.command(street.now, &command);
    }
    street.run_for(SignedDuration::from_mins(5));
    for id in 1..=4 {
        assert_eq!(states(&street, id), DONE, "{:?}", street.events);
    }
    assert!(told(&street, 1)[1].detail.contains("clock off by 90 s"), "{:?}", told(&street, 1));
    let values: Vec<_> =
        told(&street, 2)[1].values.iter().map(|value| format!("{} {}", value.name, value.text)).collect();
    assert_eq!(values, ["import total 123456 Wh", "export total 123456 Wh", "Voltage 229.8 V"]);
    assert_eq!(told(&street, 3)[1].detail, "96 values of the load profile read");
    assert_eq!(street.read().len(), 48);
    assert!(street.houses[&MeterId::new(1)].device.drift.abs() <= SignedDuration::from_secs(1));
    assert_eq!(street.head.metrics().visits, 1, "one association did it all");
}

#[test]
fn a_silent_meter_expires_a_command_and_an_unknown_one_fails_it() {
    let mut street = Street::new(1);
    street.collector(1, 1, 1, 1);
    street.houses.get_mut(&MeterId::new(1)).unwrap().dead = true;
    let ping = Command {
        not_after: street.now + SignedDuration::from_mins(2),
        ..command(&street, 1, 1, Action::Ping)
    };
    street.head.command(street.now, &ping);
    street.head.command(street.now, &command(&street, 2, 99, Action::Ping));
    let void = Command { not_after: street.now, ..command(&street, 3, 1, Action::Ping) };
    street.head.command(street.now, &void);
    street.run_for(SignedDuration::from_mins(20));
    assert_eq!(states(&street, 1), [CommandState::Expired]);
    assert!(told(&street, 1)[0].detail.contains("no answer within"), "{:?}", told(&street, 1));
    assert_eq!(states(&street, 2), [CommandState::Failed]);
    assert_eq!(states(&street, 3), [CommandState::Expired]);
    assert_eq!(street.head.busy_meters(), 0);
}

#[test]
fn a_person_does_not_wait_behind_a_schedule() {
    let mut street = Street::new(1);
    street.collector(1, 1, 50, 1);
    for id in 1..=50 {
        let until = street.now + SignedDuration::from_hours(1);
        street.head.read_meter(street.now, MeterId::new(id), headend::What::ALL, until);
    }
    let ping = command(&street, 1, 50, Action::Ping);
    street.head.command(street.now, &ping);
    let asked = street.now;
    while states(&street, 1) != DONE {
        street.run_for(SignedDuration::from_millis(100));
        assert!(street.now < asked + SignedDuration::from_secs(10), "it waits behind the schedule");
    }
    assert!(street.head.reads_open() > 40);
}
