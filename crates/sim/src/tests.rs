use super::*;
use headend::HeadEndEvent;
use model::{ChannelId, ChannelKind, LocalDay, MeterId, Quality, QualityClass, RegisterRead};
use store::{Store, StoredDay};

fn street(seed: u64) -> turn::Simulation {
    let scenario = Scenario::named("street").unwrap();
    let mut simulation = start(&SimConfig { scenario, seed, days: 1 }).unwrap();
    simulation.run().unwrap();
    simulation
}

/// Writes another version of a channel's first day.
fn tamper(store: &Store, meter: u32, kind: ChannelKind, change: impl Fn(&mut StoredDay)) {
    let change = |write: &store::Write| {
        let channel =
            write.channel(MeterId::new(meter), kind)?.map_or(ChannelId::new(0), |channel| channel.id);
        let mut stored = write.day(channel, FIRST_DAYS[1])?.unwrap();
        stored.block.version += 1;
        change(&mut stored);
        write.put_day(&stored)
    };
    store.write(change).unwrap();
}

#[test]
fn a_day_in_the_street_holds_repeats_and_every_checker_bites() {
    let mut simulation = street(1);
    let report = simulation.judge().unwrap();
    assert!(report.holds(), "{report}");
    assert_eq!(report.first_day, "2026-03-08", "a day of 23 hours");
    let tally = &report.tally;
    assert!(tally.kills > 0 && tally.compared > 5000 && tally.registers_compared > 100, "{tally:?}");
    assert!(tally.transformer_quarters > 100 && tally.counters > 1000 && tally.commands > 0, "{tally:?}");
    assert_eq!(street(1).judge().unwrap(), report, "the same seed gives the same run");

    let store = simulation.utility.as_ref().unwrap().store.clone();
    let says = |simulation: &mut turn::Simulation, words: &str| {
        let violations = simulation.judge().unwrap().violations;
        assert!(violations.iter().any(|violation| violation.contains(words)), "{words}: {violations:?}");
    };
    // One wrong value is enough for the transformer; meters may differ as long as they are no more than drift.
    tamper(&store, 1, ChannelKind::Import, |day| day.block.values[40] += 900);
    says(&mut simulation, "more than its losses");
    for meter in 2..4 {
        tamper(&store, meter, ChannelKind::Import, |day| day.block.values[40] += 3);
    }
    says(&mut simulation, "is stored as read");
    tamper(&store, 5, ChannelKind::Voltage, |day| {
        day.block.quality.fill(Quality::new(QualityClass::EstimatedLinear));
    });
    says(&mut simulation, "never read");
    tamper(&store, 6, ChannelKind::Export, |day| day.block.quality[3] = Quality::RAW);
    says(&mut simulation, "never judged");
    tamper(&store, 7, ChannelKind::Export, |day| {
        day.block.values.push(0);
        day.block.quality.push(Quality::MISSING);
    });
    says(&mut simulation, "93 of 92 intervals");

    let midnight = LocalDay::new(FIRST_DAYS[1], simulation.utility.as_ref().unwrap().mdm.zone()).unwrap();
    let (from, to) = (midnight.start(), midnight.end());
    let last = |meter| -> RegisterRead {
        let meter = MeterId::new(meter);
        let reads = store.read(|read| read.register_reads(meter, ChannelKind::Import, 0, from, to)).unwrap();
        reads.last().unwrap().clone()
    };
    let mut other = last(8);
    other.value.raw += 5000;
    simulation.witness.acknowledged(&[HeadEndEvent::Registers(vec![other.clone()])]);
    says(&mut simulation, "register of meter 8");
    store.write(|write| write.insert_register(&other)).unwrap();
    says(&mut simulation, "the register stands at");
    // A second later it cannot stand so much higher.
    let mut later = last(9);
    later.at += jiff::SignedDuration::from_secs(1);
    later.value.raw += 5000;
    store.write(|write| write.insert_register(&later)).unwrap();
    says(&mut simulation, "the register moved by");
}
