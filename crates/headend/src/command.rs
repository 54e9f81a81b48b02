//! Commands: idempotent by their id, void after their time, and always answered in words.

use crate::engine::{HeadEnd, Timer};
use crate::event::{CommandProgress, Failure, HeadEndEvent, NamedValue};
use crate::meter::{Job, Purpose, State, Step};
use jiff::Timestamp;
use model::command::{Action, Command, CommandState};
use model::id::{CommandId, MeterId};
use std::collections::BTreeMap;

/// Finished commands that are remembered, so that one sent again is not done again.
const REMEMBERED: usize = 10_000;

#[derive(Debug, Default)]
pub(crate) struct Orders {
    orders: BTreeMap<CommandId, Order>,
}

#[derive(Debug)]
struct Order {
    meter: MeterId,
    state: CommandState,
    intervals: u64,
}

impl HeadEnd {
    /// Takes a command into the work of its meter. One that is known already is left as it is.
    pub fn command(&mut self, now: Timestamp, command: &Command) {
        let (id, meter) = (command.id, command.meter);
        if self.orders.orders.contains_key(&id) {
            return;
        }
        self.orders.orders.insert(id, Order { meter, state: CommandState::Queued, intervals: 0 });
        if command.not_after <= now {
            return self.end_command(
                id,
                CommandState::Expired,
                "it was void before it was sent".into(),
                vec![],
            );
        }
        let Some(known) = self.meters.get_mut(&meter) else {
            return self.fail_command(id, &Failure::UnknownMeter);
        };
        let step = match command.action {
            Action::Ping => Step::Ping,
            Action::ReadRegisters => Step::Registers,
            Action::ReadProfile { from, to } => Step::Profile { from, to },
            Action::SetClock => Step::SetClock,
        };
        known.order(Job { step, purpose: Purpose::Command(id) });
        if known.state == State::Resting {
            // Somebody waits: the pause after an earlier failure is cut short.
            known.state = State::Idle;
            self.timers.clear(Timer::Rest(meter));
        }
        self.timers.set(Timer::Command(id), command.not_after);
        self.enqueue(now, meter);
    }

    /// The head-end is at work on a command.
    pub(crate) fn command_sent(&mut self, id: CommandId) {
        let Some(order) = self.orders.orders.get_mut(&id) else { return };
        if order.state == CommandState::Queued {
            order.state = CommandState::Sent;
            self.tell(id, "talking to the meter".into(), Vec::new());
        }
    }

    /// Some of the intervals that a command asked for were read.
    pub(crate) fn command_read(&mut self, id: CommandId, intervals: u64) -> u64 {
        let Some(order) = self.orders.orders.get_mut(&id) else { return 0 };
        order.intervals += intervals;
        order.intervals
    }

    pub(crate) fn confirm_command(&mut self, id: CommandId, detail: String, values: Vec<NamedValue>) {
        self.end_command(id, CommandState::Confirmed, detail, values);
    }

    pub(crate) fn fail_command(&mut self, id: CommandId, why: &Failure) {
        self.end_command(id, CommandState::Failed, format!("failed to {why}"), Vec::new());
    }

    /// The time of a command is over.
    pub(crate) fn command_void(&mut self, id: CommandId) {
        let Some(order) = self.orders.orders.get(&id) else { return };
        let meter = order.meter;
        let why = if let Some(known) = self.meters.get_mut(&meter) {
            known.drop_work(Purpose::Command(id));
            known.last_failure.as_ref().map(|why| format!("; the last attempt failed to {why}"))
        } else {
            None
        };
        let detail = format!("its time ran out before the meter answered{}", why.unwrap_or_default());
        self.end_command(id, CommandState::Expired, detail, Vec::new());
    }

    fn end_command(&mut self, id: CommandId, state: CommandState, detail: String, values: Vec<NamedValue>) {
        let Some(order) = self.orders.orders.get_mut(&id) else { return };
        if order.state.is_final() {
            return;
        }
        order.state = state;
        self.timers.clear(Timer::Command(id));
        if state == CommandState::Confirmed {
            self.metrics.commands_done += 1;
        } else {
            self.metrics.commands_failed += 1;
        }
        self.tell(id, detail, values);
        // Ids rise, so the lowest finished ones are the oldest.
        while self.orders.orders.len() > REMEMBERED
            && self.orders.orders.first_key_value().is_some_and(|(_, order)| order.state.is_final())
        {
            self.orders.orders.pop_first();
        }
    }

    fn tell(&mut self, id: CommandId, detail: String, values: Vec<NamedValue>) {
        let Some(order) = self.orders.orders.get(&id) else { return };
        let (meter, state) = (order.meter, order.state);
        self.events.push_back(HeadEndEvent::Command(CommandProgress { id, meter, state, detail, values }));
    }
}
