use super::*;
use crate::clock::tests::facts;
use dlms::Obis;
use jiff::SignedDuration;
use model::channel::ChannelKind;
use model::reading::status;
use model::time::IntervalLength;
use model::unit::Unit;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn profile(cumulative: bool) -> ProfileFacts {
    let channel = |kind| Column::Channel { kind, scaler: 0, unit: Unit::WattHour, cumulative };
    ProfileFacts {
        object: Obis::new(1, 0, 99, 1, 0, 255),
        interval: IntervalLength::QUARTER_HOUR,
        columns: vec![
            Column::Clock,
            Column::Status,
            channel(ChannelKind::Import),
            channel(ChannelKind::Export),
        ],
    }
}

fn origin(facts: &ModelFacts) -> Origin<'_> {
    let received_at = at("2024-07-02T00:00:00Z");
    Origin { meter: MeterId::new(7), facts, source: BatchSource::Scheduled, received_at }
}

fn row(facts: &ModelFacts, time: Option<Timestamp>, rest: [Data; 3]) -> Data {
    let clock = time.map_or(Data::Null, |time| Data::OctetString(clock::to_bytes(time, facts).to_vec()));
    Data::Structure([clock].into_iter().chain(rest).collect())
}

#[test]
fn entries_carry_the_end_and_runs_become_batches() {
    let facts = facts("Europe/Berlin");
    let first = at("2024-07-01T00:15:00Z");
    let u32s = |a, b| [Data::Unsigned(0), Data::DoubleLongUnsigned(a), Data::DoubleLongUnsigned(b)];
    let buffer = Data::Array(vec![
        row(&facts, Some(first), u32s(1, 10)),
        row(&facts, None, [Data::Null, Data::DoubleLongUnsigned(2), Data::Null]),
        row(&facts, Some(first + SignedDuration::from_mins(45)), u32s(3, 30)),
    ]);
    let read = read(&buffer, &profile(false), origin(&facts)).unwrap();
    let told: Vec<_> = read
        .batches
        .iter()
        .map(|batch| (batch.kind, batch.start.to_string(), batch.values.clone()))
        .collect();
    let starts = ["2024-07-01T00:00:00Z".to_owned(), "2024-07-01T00:45:00Z".to_owned()];
    assert_eq!(
        told,
        [
            (ChannelKind::Import, starts[0].clone(), vec![Some(1), Some(2)]),
            (ChannelKind::Export, starts[0].clone(), vec![Some(10), Some(10)]),
            (ChannelKind::Import, starts[1].clone(), vec![Some(3)]),
            (ChannelKind::Export, starts[1].clone(), vec![Some(30)]),
        ]
    );
    assert_eq!(read.first_end, Some(first));
    assert_eq!(read.last_end, Some(first + SignedDuration::from_mins(45)));
    assert_eq!(read.intervals, 6);
}

#[test]
fn registers_become_differences_and_the_first_has_none() {
    let facts = facts("UTC");
    let first = at("2024-07-01T00:15:00Z");
    let rows = [(0, 100), (15, 130), (30, 130), (60, 500)].map(|(minutes, value)| {
        let time = first + SignedDuration::from_mins(minutes);
        let value = Data::DoubleLongUnsigned(value);
        row(&facts, Some(time), [Data::Unsigned(0), value.clone(), value])
    });
    let read = read(&Data::Array(rows.to_vec()), &profile(true), origin(&facts)).unwrap();
    let import: Vec<_> = read.batches.iter().filter(|batch| batch.kind == ChannelKind::Import).collect();
    assert_eq!(import.len(), 1, "the value after the hole has nothing to be subtracted from");
    assert_eq!(import[0].start, first);
    assert_eq!(import[0].values, [Some(30), Some(0)]);
}

#[test]
fn a_doubtful_clock_marks_the_interval() {
    let facts = facts("UTC");
    let mut bytes = clock::to_bytes(at("2024-07-01T00:15:00Z"), &facts);
    bytes[11] = 0x02;
    let cells = vec![
        Data::OctetString(bytes.to_vec()),
        Data::Unsigned(status::POWER_FAIL),
        Data::DoubleLongUnsigned(1),
        Data::DoubleLongUnsigned(1),
    ];
    let read = read(&Data::Array(vec![Data::Structure(cells)]), &profile(false), origin(&facts)).unwrap();
    assert_eq!(read.batches[0].status, [status::POWER_FAIL | status::CLOCK_INVALID]);
}

#[test]
fn what_breaks_its_description_is_refused_with_its_place() {
    let facts = facts("UTC");
    let time = Some(at("2024-07-01T00:15:00Z"));
    let number = || Data::Unsigned(0);
    let cases = [
        (Data::Boolean(true), ProfileError::NotRows),
        (Data::Array(vec![number()]), ProfileError::NotRows),
        (
            Data::Array(vec![Data::Structure(vec![number()])]),
            ProfileError::Columns { row: 0, got: 1, expected: 4 },
        ),
        (Data::Array(vec![row(&facts, None, [number(), number(), number()])]), ProfileError::Time { row: 0 }),
        (
            Data::Array(vec![row(&facts, time, [number(), number(), Data::OctetString(vec![1])])]),
            ProfileError::Value { row: 0, column: 3 },
        ),
    ];
    for (buffer, refusal) in cases {
        assert_eq!(read(&buffer, &profile(false), origin(&facts)), Err(refusal));
    }
    assert_eq!(read(&Data::Array(vec![]), &profile(false), origin(&facts)), Ok(Read::default()));
}

#[test]
fn events_above_the_last_known_number_in_order() {
    let facts = facts("UTC");
    let log = EventLogFacts {
        object: Obis::new(0, 0, 99, 98, 0, 255),
        columns: vec![EventColumn::Clock, EventColumn::Code, EventColumn::Sequence],
    };
    let entry = |code, seq| {
        let clock = clock::to_bytes(at("2024-07-01T00:15:00Z"), &facts);
        Data::Structure(vec![
            Data::OctetString(clock.to_vec()),
            Data::Unsigned(code),
            Data::DoubleLongUnsigned(seq),
        ])
    };
    let buffer = Data::Array(vec![entry(2, 12), entry(1, 11), entry(250, 13), entry(3, 10)]);
    let events = read_events(&buffer, &log, origin(&facts), Some(10)).unwrap();
    let told: Vec<_> = events.iter().map(|event| (event.kind, event.seq)).collect();
    assert_eq!(told, [(EventKind::PowerFailed, 11), (EventKind::PowerRestored, 12)]);
}
