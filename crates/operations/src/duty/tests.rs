use super::*;
use crate::load::parse;
use crate::provision::{InStore, provision};
use model::{IntervalLength, Unit};
use vee::Rules;

/// 2026-09-21 15:20 UTC.
const NOW: Timestamp = Timestamp::constant(1_790_003_700, 0);

fn utility() -> Duty {
    let store = Store::open_in_memory().unwrap();
    store.write(|write| write.set_utility("Test", "Europe/Zurich")).unwrap();
    let files = [
        ("p", "premise,address,city\nP,1 Way,Town\n"),
        ("s", "service_point,premise,commodity\nS,P,electricity\n"),
        ("m", "serial,service_point,model,system_title,endpoint\nM,S,electricity,5754400000000001,h:1\n"),
        (
            "k",
            "serial,encryption_key,authentication_key\nM,000102030405060708090A0B0C0D0E0F,D0D1D2D3D4D5D6D7D8D9DADBDCDDDEDF\n",
        ),
    ];
    let files: Vec<_> = files.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
    let master = MasterKey::new([3; 16]);
    let data = parse(&files, &InStore(&store)).unwrap();
    provision(&store, data, &master, NOW).unwrap();
    let mdm = Mdm::new(store, Rules::default(), models::judged()).unwrap();
    Duty::new(Arc::new(mdm), master)
}

fn batch(start: Timestamp) -> HeadEndEvent {
    HeadEndEvent::Batch(ReadBatch {
        meter: MeterId::new(1),
        kind: ChannelKind::Import,
        start,
        interval: IntervalLength::QUARTER_HOUR,
        values: vec![Some(100)],
        scaler: 0,
        unit: Unit::WattHour,
        status: vec![0],
        received_at: NOW,
        source: BatchSource::Scheduled,
    })
}

#[test]
fn what_can_never_be_stored_stops_nothing_else() {
    let duty = utility();
    let reserve = |meter| HeadEndEvent::ReserveCounter { meter: MeterId::new(meter), ceiling: 5000 };
    // The tables know no meter 99, and the calendar no day after its last.
    let last = IntervalLength::QUARTER_HOUR.floor(Timestamp::MAX - SignedDuration::from_secs(900));
    let events = [batch(NOW), reserve(99), batch(last), reserve(1)];
    let settled = duty.settle(NOW, &events).unwrap();
    assert_eq!(settled.reserved, [(MeterId::new(1), 5000)]);
    assert_eq!(settled.refused.len(), 1, "{:?}", settled.refused);
    assert!(settled.refused[0].what.contains("counters of meter 99"), "{:?}", settled.refused);
    assert_eq!(duty.store.read(store::Read::raw_batch_count).unwrap(), 1);
    assert_eq!(duty.store.read(|read| read.counter(MeterId::new(1))).unwrap().own_ceiling, 5000);
}

#[test]
fn pushes_are_kept_with_their_counters_and_sealed_by_a_job() {
    let duty = utility().with_part(Part::UntilTakenIn);
    let push = |start: Timestamp, value: i64| match batch(start) {
        HeadEndEvent::Batch(batch) => {
            HeadEndEvent::Batch(ReadBatch { source: BatchSource::Push, values: vec![Some(value)], ..batch })
        }
        other => other,
    };
    let quarter = IntervalLength::QUARTER_HOUR.floor(NOW) - SignedDuration::from_hours(2);
    let counter = HeadEndEvent::PeerCounter { meter: MeterId::new(1), kind: CounterKind::Push, counter: 7 };
    duty.settle(NOW, &[push(quarter, 100), counter]).unwrap();
    let waiting = |duty: &Duty| {
        duty.store
            .read(|read| {
                let counter = read.counter(MeterId::new(1))?.push;
                Ok::<_, StoreError>((read.pushes_waiting()?, read.raw_batch_count()?, counter))
            })
            .unwrap()
    };
    assert_eq!(waiting(&duty), (1, 0, 7));
    let chores = crate::Chores::new(Arc::clone(&duty.mdm), "one".to_owned(), SignedDuration::from_secs(60));
    assert_eq!(chores.turn_pushes(NOW).unwrap(), None, "others may still come");
    let later = NOW + SignedDuration::from_secs(2);
    duty.settle(later, &[push(quarter + SignedDuration::from_mins(15), 120)]).unwrap();
    let Some(crate::Turn::Done(job)) = chores.turn_pushes(later).unwrap() else { panic!() };
    assert_eq!((job.kind.as_str(), waiting(&duty)), (crate::chores::SEAL, (0, 2, 7)));
    assert_eq!(chores.turn_pushes(later + SignedDuration::from_secs(9)).unwrap(), None);
}

#[test]
fn the_registry_goes_to_the_head_end_with_its_counters() {
    let duty = utility();
    duty.store.write(|write| write.reserve_counter(MeterId::new(1), 7000)).unwrap();
    let config = headend::HeadEndConfig::new(SystemTitle([1; 8]));
    let mut head_end = HeadEnd::new(config.clone(), 1);
    assert_eq!(duty.enlist(&mut head_end, NOW).unwrap(), []);
    assert_eq!(head_end.meter_count(), 1);
    let stranger = Duty::new(Arc::clone(&duty.mdm), MasterKey::new([4; 16]));
    let unlisted = stranger.enlist(&mut HeadEnd::new(config, 1), NOW).unwrap();
    assert!(unlisted[0].why.contains("does not open under this master key"), "{unlisted:?}");
}
