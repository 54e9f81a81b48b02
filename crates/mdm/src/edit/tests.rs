//! The bench on a database in memory: each operation as a table, cases, bills, two people at once, and any sequence of edits.

use super::*;
use crate::Mdm;
use crate::read::AsOf;
use crate::tests::{CHANNEL, METER, MONDAY, batch, days_later, start_of, utility, whole_day};
use jiff::{SignedDuration, ToSpan};
use model::{ChannelKind, QualityClass};
use proptest::prelude::*;
use store::{CaseState, ExceptionFilter, ExceptionSort, NewUser, Origin, Pin, StoredDay, VersionSource};

const ANALYST: Editor = Editor { user: UserId::new(1), may_edit_billed: false };
const SENIOR: Editor = Editor { user: UserId::new(2), may_edit_billed: true };
const BILL: BillId = BillId::new(700);

fn bench() -> Mdm {
    let mdm = utility();
    let person = |name: &str| NewUser {
        name: name.to_owned(),
        display_name: name.to_uppercase(),
        role: "analyst".to_owned(),
        password_hash: None,
        customer: None,
        service_point: None,
    };
    mdm.store()
        .write(|w| {
            w.insert_user(&person("ada"))?;
            w.insert_user(&person("bo"))
        })
        .unwrap();
    mdm
}

/// A whole Monday, with one reading that towers above the rest, looked at two days later, when its grace is over.
fn with_spike() -> (Mdm, Timestamp) {
    let mdm = bench();
    let mut day = whole_day(&mdm, MONDAY);
    day.values[40] = Some(9_000);
    let now = days_later(&mdm, MONDAY, 2);
    mdm.ingest(now, vec![day]).unwrap();
    (mdm, now)
}

fn edit(name: &str, slots: &str, op: Op, expected_version: u32) -> Edit {
    Edit {
        command: name.to_owned(),
        channel: CHANNEL,
        date: MONDAY,
        slots: slots.parse().unwrap(),
        op,
        reason: Some(ReasonCode::MeterFault),
        note: String::new(),
        expected_version,
    }
}

fn versions(mdm: &Mdm) -> Vec<StoredDay> {
    mdm.store().read(|r| r.day_versions(CHANNEL, MONDAY)).unwrap()
}

fn newest(mdm: &Mdm) -> StoredDay {
    versions(mdm).pop().unwrap()
}

fn slot(mdm: &Mdm, slot: usize) -> (i64, QualityClass) {
    let block = newest(mdm).block;
    (block.values[slot], block.quality[slot].class())
}

fn states(mdm: &Mdm) -> Vec<(String, CaseState)> {
    let found = mdm.exceptions_of_day(CHANNEL, MONDAY).unwrap();
    let spikes = found.into_iter().filter(|exception| exception.finding.rule == "spike");
    spikes.map(|exception| (exception.finding.rule, exception.state)).collect()
}

fn done(mdm: &Mdm, now: Timestamp, edit: &Edit) -> Edited {
    mdm.apply(now, ANALYST, edit).unwrap().unwrap()
}

fn refusal(mdm: &Mdm, now: Timestamp, edit: &Edit) -> EditRefused {
    let before = versions(mdm);
    let refused = mdm.apply(now, ANALYST, edit).unwrap().unwrap_err();
    assert_eq!(mdm.preview(now, ANALYST, edit).unwrap().unwrap_err(), refused);
    assert_eq!(versions(mdm), before, "a refusal writes nothing");
    assert!(refused.to_string().ends_with('.'), "{refused}");
    refused
}

#[test]
fn what_each_operation_makes_of_an_interval() {
    let edited = QualityClass::Edited;
    let (mdm, now) = with_spike();
    let friday = MONDAY + 4.days();
    let mut other = whole_day(&mdm, friday);
    other.values[40] = Some(321);
    mdm.ingest(days_later(&mdm, friday, 1), vec![other]).unwrap();
    let block = newest(&mdm).block;
    let (left, right) = (block.values[39], block.values[41]);
    let rows: [(Op, i64); 6] = [
        (Op::Set { values: vec![250] }, 250),
        (Op::Add { amount: -8_500 }, 500),
        (Op::Scale { factor: "1/9".parse().unwrap() }, 1_000),
        (Op::Scale { factor: "0.03335".parse().unwrap() }, 300),
        (Op::Interpolate, model::ratio::rounded(i128::from(left + right), 2)),
        (Op::CopyDay { from: friday }, 321),
    ];
    for (nth, (op, value)) in rows.into_iter().enumerate() {
        let version = newest(&mdm).block.version;
        let wish = edit(&format!("do {nth}"), "40", op.clone(), version);
        let preview = mdm.preview(now, ANALYST, &wish).unwrap().unwrap();
        assert_eq!(newest(&mdm).block.version, version, "a preview writes nothing");
        let after = done(&mdm, now, &wish);
        assert_eq!(preview.edited, after, "{op:?}");
        assert_eq!(preview.after.slots()[40].value, value, "{op:?}");
        assert_eq!(slot(&mdm, 40), (value, edited), "{op:?}");
        assert_eq!((after.version, after.changed.to_string().as_str()), (version + 1, "40"));
        let undone = done(&mdm, now, &edit(&format!("undo {nth}"), "", Op::Undo { to: 1 }, version + 1));
        assert_eq!(undone.version, version + 2);
        assert_eq!(slot(&mdm, 40).0, 9_000);
    }
    let history = mdm.versions(CHANNEL, MONDAY).unwrap();
    assert_eq!(
        (history.len(), history[1].source, history[2].source),
        (13, VersionSource::Edit, VersionSource::Undo)
    );
    assert_eq!(
        (history[1].user_name.as_deref(), history[1].reason.as_deref()),
        (Some("ADA"), Some("meter_fault"))
    );
    assert_eq!((history[1].supersedes, history[1].edited, history[2].supersedes), (1, 1, 2));
    assert!(history.iter().all(|version| version.rules_hash.is_some()));
}

#[test]
fn what_makes_no_sense_is_refused_in_a_sentence() {
    let (mdm, now) = with_spike();
    let set = |values: Vec<i64>| Op::Set { values };
    let other = edit("x", "40", set(vec![1]), 1);
    let rows = [
        (Edit { reason: None, ..other.clone() }, EditRefused::NoReason),
        (Edit { reason: Some(ReasonCode::Other), ..other.clone() }, EditRefused::NoteNeeded),
        (Edit { note: "é".repeat(1001), ..other.clone() }, EditRefused::NoteTooLong(1001)),
        (Edit { command: String::new(), ..other.clone() }, EditRefused::NoCommand),
        (
            Edit { channel: ChannelId::new(99), ..other.clone() },
            EditRefused::UnknownChannel(ChannelId::new(99)),
        ),
        (edit("x", "", set(vec![1]), 1), EditRefused::NoSlots),
        (edit("x", "95-96", set(vec![1]), 1), EditRefused::SlotOutside { slot: 96, intervals: 96 }),
        (edit("x", "40", set(vec![-1]), 1), EditRefused::Negative { slot: 40, value: -1 }),
        (edit("x", "40", Op::Add { amount: -9_001 }, 1), EditRefused::Negative { slot: 40, value: -1 }),
        (edit("x", "40", Op::Add { amount: i64::MAX }, 1), EditRefused::TooLarge { slot: 40 }),
        (edit("x", "40-42", set(vec![1, 2]), 1), EditRefused::ValueCount { slots: 3, values: 2 }),
        (edit("x", "40-48", Op::Interpolate, 1), EditRefused::TooLong { from: 40, to: 48, limit_s: 7200 }),
        (edit("x", "0", Op::Interpolate, 1), EditRefused::NoNeighbour { from: 0, to: 0 }),
        (
            edit("x", "40", Op::CopyDay { from: MONDAY - 7.days() }, 1),
            EditRefused::NothingToCopy { from: MONDAY - 7.days(), slot: 40 },
        ),
        (edit("x", "", Op::Undo { to: 1 }, 1), EditRefused::NoSuchVersion { to: 1, current: 1 }),
        (edit("x", "", Op::Undo { to: 7 }, 1), EditRefused::NoSuchVersion { to: 7, current: 1 }),
        (edit("x", "40", Op::Note, 1), EditRefused::NoteNeeded),
    ];
    for (wish, refused) in rows {
        assert_eq!(refusal(&mdm, now, &wish), refused);
    }
    assert!(matches!(
        refusal(&mdm, now, &edit("x", "40", Op::Estimate { method: vee::Method::KnownZero }, 1)),
        EditRefused::MethodUnfit { .. }
    ));
}

#[test]
fn accept_makes_verified_and_the_case_accepted_and_undo_opens_it_again() {
    let (mdm, now) = with_spike();
    assert_eq!(states(&mdm), [("spike".to_owned(), CaseState::Open)]);
    let spikes = ExceptionFilter { rule: Some("spike".to_owned()), ..ExceptionFilter::default() };
    assert_eq!(mdm.exceptions(&spikes, ExceptionSort::Oldest, 0, 10).unwrap().total, 1);
    let accepted = done(&mdm, now, &edit("a", "40", Op::Accept, 1));
    assert_eq!((accepted.version, accepted.changed.to_string().as_str()), (2, "40"));
    assert_eq!(slot(&mdm, 40), (9_000, QualityClass::Verified));
    assert_eq!(states(&mdm), [("spike".to_owned(), CaseState::Accepted)]);
    let open = ExceptionFilter { state: Some(CaseState::Open), ..spikes };
    assert_eq!(mdm.exceptions(&open, ExceptionSort::Oldest, 0, 10).unwrap().total, 0);
    let undone = done(&mdm, now, &edit("b", "", Op::Undo { to: 1 }, 2));
    assert_eq!(undone.version, 3);
    let all = versions(&mdm);
    assert_eq!((&all[0].block.values, &all[0].block.quality), (&all[2].block.values, &all[2].block.quality));
    assert_eq!(states(&mdm), [("spike".to_owned(), CaseState::Open)]);
}

#[test]
fn an_edit_closes_what_it_mends_and_a_note_changes_nothing() {
    let (mdm, now) = with_spike();
    let noted = done(&mdm, now, &Edit { note: "asked the crew".to_owned(), ..edit("n", "40", Op::Note, 1) });
    assert_eq!((noted.version, states(&mdm)), (1, vec![("spike".to_owned(), CaseState::Open)]));
    done(&mdm, now, &edit("e", "40", Op::Set { values: vec![120] }, 1));
    assert_eq!(states(&mdm), [("spike".to_owned(), CaseState::Edited)]);
    let day = mdm.bench_day(CHANNEL, MONDAY, &ExceptionFilter::default()).unwrap().unwrap();
    assert_eq!(day.raw[40].unwrap().value, Some(9_000), "what was read is never touched");
    assert_eq!((day.edits.len(), day.edits[0].note.as_str(), day.versions.len()), (2, "asked the crew", 2));
    assert_eq!((day.siblings.len(), day.series.version), (2, 2));
}

#[test]
fn a_rejected_reading_is_estimated_and_does_not_come_back_but_another_does() {
    let (mdm, now) = with_spike();
    let rejected = done(&mdm, now, &edit("r", "40", Op::Reject, 1));
    assert!(slot(&mdm, 40).1 != QualityClass::Questionable && newest(&mdm).block.quality[40].is_estimated());
    assert_eq!(states(&mdm), [("spike".to_owned(), CaseState::Rejected)]);
    let at = start_of(&mdm, MONDAY) + SignedDuration::from_mins(600);
    // The whole day again, and the same reading in a batch of its own.
    let mut again = whole_day(&mdm, MONDAY);
    again.values[40] = Some(9_000);
    mdm.ingest(now, vec![again, batch(at, &[9_000])]).unwrap();
    assert_eq!(newest(&mdm).block.version, rejected.version);
    mdm.ingest(now, vec![batch(at, &[130])]).unwrap();
    assert_eq!(slot(&mdm, 40), (130, QualityClass::Valid));
    let undone = done(&mdm, now, &edit("u", "", Op::Undo { to: 2 }, newest(&mdm).block.version));
    mdm.ingest(now, vec![batch(at + SignedDuration::from_mins(-15), &[9_999_999, 9_000])]).unwrap();
    assert_ne!(slot(&mdm, 40).0, 9_000, "after going back the reading is refused again");
    assert!(undone.version > rejected.version);
}

#[test]
fn a_late_reading_leaves_an_edit_and_is_reported_and_flags_the_bill() {
    let (mdm, now) = with_spike();
    let mut day = whole_day(&mdm, MONDAY);
    day.values[40] = Some(9_000);
    done(&mdm, now, &edit("e", "40-41", Op::Set { values: vec![120] }, 1));
    let pin = Pin { channel: CHANNEL, day: MONDAY, version: 2 };
    assert_eq!(mdm.pin_versions(now, BILL, &[pin]).unwrap(), 1);
    assert_eq!(
        mdm.pin_versions(now, BILL, &[Pin { version: 9, ..pin }]).unwrap(),
        0,
        "the first word counts"
    );
    mdm.ingest(now, vec![day]).unwrap();
    assert!(mdm.rebill_flags(false).unwrap().is_empty(), "what the person knew flags nothing");
    let at = start_of(&mdm, MONDAY) + SignedDuration::from_mins(600);
    mdm.ingest(now, vec![batch(at, &[140])]).unwrap();
    assert_eq!((slot(&mdm, 40), newest(&mdm).block.version), ((120, QualityClass::Edited), 2));
    let found = mdm.exceptions_of_day(CHANNEL, MONDAY).unwrap();
    assert!(
        found.iter().any(|one| one.finding.rule == crate::EDIT_KEPT && one.finding.origin == Origin::Ingest)
    );
    assert_eq!(mdm.rebill_flags(false).unwrap().len(), 1);

    let wish = edit("again", "40", Op::Set { values: vec![140] }, 2);
    assert_eq!(refusal(&mdm, now, &wish), EditRefused::Billed(BILL));
    let edited = mdm.apply(now, SENIOR, &wish).unwrap().unwrap();
    assert_eq!((edited.version, edited.flagged_bills.as_slice()), (3, &[BILL][..]));
    let billed = mdm.read_pinned(BILL).unwrap();
    assert_eq!((billed.len(), billed[0].block.version, billed[0].block.values[40]), (1, 2, 120));
    let as_billed = mdm.as_of(CHANNEL, MONDAY, AsOf::Bill(BILL)).unwrap().unwrap();
    assert_eq!(as_billed, billed[0]);
    assert_eq!(mdm.rebill_flags(false).unwrap().len(), 2);
    assert_eq!(mdm.rebill_flags(true).unwrap().len(), 2);
    let changes = mdm.diff(CHANNEL, MONDAY, 2, 3).unwrap();
    assert_eq!((changes.len(), changes[0].slot, changes[0].start), (1, 40, at));
}

#[test]
fn two_people_cannot_edit_over_each_other_and_twice_is_once() {
    let (mdm, now) = with_spike();
    let first = edit("first", "40", Op::Set { values: vec![120] }, 1);
    done(&mdm, now, &first);
    let again = done(&mdm, now, &first);
    assert_eq!((again.version, again.repeated, versions(&mdm).len()), (2, true, 2));
    let second = edit("second", "41", Op::Set { values: vec![5] }, 1);
    let refused = mdm.apply(now, SENIOR, &second).unwrap().unwrap_err();
    let EditRefused::Stale { expected, current, by, changed, at } = refused else { panic!("{refused}") };
    assert_eq!((expected, current, by, at), (1, 2, Some(ANALYST.user), now));
    assert!(changed.contains(40));
    assert!(mdm.apply(now, SENIOR, &Edit { expected_version: 2, ..second }).unwrap().is_ok());
}

#[test]
fn a_group_is_accepted_only_as_large_as_it_was_seen() {
    let (mdm, now) = with_spike();
    let filter = ExceptionFilter { rule: Some("spike".to_owned()), ..ExceptionFilter::default() };
    let accept = |count, reason| mdm.accept_all(now, ANALYST, &filter, count, reason, "").unwrap();
    let reason = Some(ReasonCode::TrueUse);
    assert_eq!(accept(2, reason), Err(EditRefused::CountChanged { expected: 2, found: 1 }));
    assert_eq!(accept(1, None), Err(EditRefused::NoReason));
    assert_eq!(accept(1, reason), Ok(1));
    assert_eq!(states(&mdm), [("spike".to_owned(), CaseState::Accepted)]);
    assert_eq!(accept(0, reason), Ok(0));
}

#[test]
fn candidates_stand_side_by_side_and_can_be_taken() {
    let (mdm, now) = with_spike();
    let slots: Slots = "40,60-61".parse().unwrap();
    let all = mdm.candidates(now, CHANNEL, MONDAY, &slots).unwrap().unwrap();
    let linear = all.iter().find(|one| one.method == vee::Method::Linear).unwrap();
    assert_eq!((linear.applies, linear.values.len()), (true, 3), "{}", linear.why);
    done(&mdm, now, &edit("l", "40,60-61", Op::Estimate { method: vee::Method::Linear }, 1));
    let block = newest(&mdm).block;
    assert_eq!([block.values[40], block.values[60], block.values[61]].as_slice(), linear.values.as_slice());
    assert_eq!(block.quality[60].class(), QualityClass::Edited);
}

#[test]
fn days_of_23_and_25_hours_are_copied_by_the_clock() {
    let mdm = bench();
    let (spring, autumn) = (jiff::civil::date(2026, 3, 29), jiff::civil::date(2026, 10, 25));
    for (day, quarters) in [(spring, 92), (autumn, 100)] {
        let before = day - 1.days();
        let now = days_later(&mdm, day, 2);
        let values: Vec<i64> = (0..96).collect();
        mdm.ingest(now, vec![batch(start_of(&mdm, before), &values)]).unwrap();
        mdm.ingest(now, vec![whole_day(&mdm, day)]).unwrap();
        assert_eq!(mdm.intervals_of(CHANNEL, day).unwrap(), Some(quarters));
        // Half past three, by the clock, is interval 14 of an ordinary day.
        let slot = if quarters == 92 { 10 } else { 18 };
        let wish = Edit { date: day, ..edit("c", &slot.to_string(), Op::CopyDay { from: before }, 1) };
        done(&mdm, now, &wish);
        let stored = mdm.store().read(|r| r.day(CHANNEL, day)).unwrap().unwrap();
        assert_eq!(stored.block.values[slot], 14, "{day}");
    }
}

#[derive(Clone, Debug)]
enum Step {
    Do(Op, Vec<usize>),
    Undo(usize),
    Late(usize, i64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let op = prop_oneof![
        (0..5_000i64).prop_map(|value| Op::Set { values: vec![value] }),
        (-50..500i64).prop_map(|amount| Op::Add { amount }),
        (0..5i64, 1..7i64).prop_map(|(a, b)| Op::Scale { factor: Ratio::new(a, b).unwrap() }),
        Just(Op::Interpolate),
        Just(Op::Accept),
        Just(Op::Reject),
        Just(Op::Estimate { method: vee::Method::Linear }),
    ];
    let step = prop_oneof![
        4 => (op, prop::collection::vec(0..96usize, 1..5)).prop_map(|(op, slots)| Step::Do(op, slots)),
        1 => (0..8usize).prop_map(Step::Undo),
        1 => (0..96usize, 0..5_000i64).prop_map(|(slot, value)| Step::Late(slot, value)),
    ];
    prop::collection::vec(step, 1..12)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_sequence_of_edits_keeps_every_earlier_version_to_the_byte(steps in steps()) {
        let (mdm, start) = with_spike();
        let mut seen = versions(&mdm);
        let mut stood = vec![(start, seen[0].block.version)];
        for (nth, step) in steps.into_iter().enumerate() {
            let now = start + SignedDuration::from_millis(7 * (i64::try_from(nth).unwrap() + 1));
            let version = newest(&mdm).block.version;
            match step {
                Step::Do(op, slots) => {
                    let mut wish = edit(&format!("{nth}"), "", op, version);
                    wish.slots = slots.into_iter().collect();
                    let _done_or_refused = mdm.apply(now, ANALYST, &wish).unwrap();
                }
                Step::Undo(back) => {
                    let to = u32::try_from(back).unwrap();
                    if mdm.apply(now, ANALYST, &edit(&format!("{nth}"), "", Op::Undo { to }, version)).unwrap().is_ok() {
                        let all = versions(&mdm);
                        let (then, now) = (&all[back - 1].block, &all.last().unwrap().block);
                        prop_assert_eq!((&then.values, &then.quality), (&now.values, &now.quality));
                    }
                }
                Step::Late(slot, value) => {
                    let at = start_of(&mdm, MONDAY) + SignedDuration::from_mins(15 * i64::try_from(slot).unwrap());
                    mdm.ingest(now, vec![batch(at, &[value])]).unwrap();
                }
            }
            let all = versions(&mdm);
            prop_assert_eq!(&all[..seen.len()], &seen[..], "an earlier version changed");
            if all.len() > seen.len() {
                stood.push((now, all.last().unwrap().block.version));
            }
            seen = all;
        }
        for (at, version) in &stood {
            let then = mdm.as_of(CHANNEL, MONDAY, AsOf::At(*at)).unwrap().unwrap();
            prop_assert_eq!(then.block.version, *version, "at {}", at);
        }
        for pair in stood.windows(2) {
            let just_before = pair[1].0 - SignedDuration::from_millis(1);
            let then = mdm.as_of(CHANNEL, MONDAY, AsOf::At(just_before)).unwrap().unwrap();
            prop_assert_eq!(then.block.version, pair[0].1);
        }
        let profile = mdm.profile(METER, ChannelKind::Import, MONDAY).unwrap().unwrap();
        prop_assert_eq!(profile.series.version, seen.last().unwrap().block.version);
    }
}

#[test]
fn other_thresholds_are_tried_on_what_is_stored_and_nothing_is_written() {
    let (mdm, now) = with_spike();
    let before = (versions(&mdm), mdm.exceptions_of_day(CHANNEL, MONDAY).unwrap());
    let days = (MONDAY, MONDAY + 1.days());
    let spike = |toml: &str| {
        let found = mdm.what_if(now, toml, days, &|| true).unwrap().unwrap();
        assert!(found.complete);
        assert_eq!((found.channel_days, found.meters), (1, 2));
        let effect = found.rules.into_iter().find(|effect| effect.rule == vee::Rule::Spike).unwrap();
        (effect.now, effect.would, effect.meters_now, effect.samples.len())
    };
    assert_eq!(spike(""), (1, 1, 1, 0));
    assert_eq!(spike("[spike]\npercent = 10000"), (1, 0, 1, 1));
    assert!(mdm.what_if(now, "spikes = 1", days, &|| true).unwrap().is_err());
    let stopped = mdm.what_if(now, "", days, &|| false).unwrap().unwrap();
    assert_eq!((stopped.channel_days, stopped.complete), (0, false));
    assert_eq!((versions(&mdm), mdm.exceptions_of_day(CHANNEL, MONDAY).unwrap()), before);
}

#[test]
fn rules_are_put_in_force_with_a_reason_and_stay_on_record() {
    use crate::activation::ActivationRefused;
    let (mdm, now) = with_spike();
    let put = |toml: &str, reason: &str| mdm.activate_rules(now, SENIOR.user, toml, MONDAY, reason).unwrap();
    assert!(matches!(put("", " "), Err(ActivationRefused::NoReason)));
    assert!(matches!(put("spikes = 1", "why"), Err(ActivationRefused::Rules(_))));
    let hash = put("[spike]\npercent = 200", "fewer false alarms").unwrap();
    assert!(matches!(put("[spike]\npercent = 200", "again"), Err(ActivationRefused::Unchanged(_))));
    put("", "back to the standard").unwrap();
    let history = mdm.activations().unwrap();
    assert_eq!((history.len(), &history[0].hash, history[0].user), (2, &hash, SENIOR.user));
    assert_eq!(history[1].reason, "back to the standard");
}

#[test]
fn rules_in_force_judge_the_days_from_theirs_on() {
    let (mdm, now) = with_spike();
    let tuesday = MONDAY + 1.days();
    let lenient = "[spike]\npercent = 10000";
    mdm.activate_rules(now, SENIOR.user, lenient, tuesday, "fewer false alarms").unwrap().unwrap();
    let mut day = whole_day(&mdm, tuesday);
    day.values[40] = Some(9_000);
    mdm.ingest(now, vec![day]).unwrap();
    let spikes = |date| {
        let found = mdm.exceptions_of_day(CHANNEL, date).unwrap();
        found.iter().filter(|one| one.finding.rule == "spike").count()
    };
    assert_eq!((spikes(MONDAY), spikes(tuesday)), (1, 0));
    let rules = |date| mdm.versions(CHANNEL, date).unwrap()[0].rules_hash.clone().unwrap();
    assert_ne!(rules(MONDAY), rules(tuesday));
    assert_eq!(rules(tuesday), mdm.activations().unwrap()[0].hash);
}

/// The day of [`with_spike`] in databases that two processes share: a file of SQLite, and PostgreSQL where that is.
fn shared(test: impl Fn(&Mdm, &Mdm, Timestamp)) {
    let filled = |open: &dyn Fn() -> store::Store| {
        let first = open();
        first
            .write(|w| {
                w.set_utility("Alder Electric", "Europe/Zurich")?;
                w.provision(&crate::tests::houses())
            })
            .unwrap();
        let manager =
            |store| Mdm::new(store, vee::Rules::default(), std::collections::BTreeMap::new()).unwrap();
        let (one, two) = (manager(first), manager(open()));
        let mut day = whole_day(&one, MONDAY);
        day.values[40] = Some(9_000);
        let now = days_later(&one, MONDAY, 2);
        one.ingest(now, vec![day]).unwrap();
        test(&one, &two, now);
    };
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("wattle.db");
    filled(&|| store::Store::open(&file).unwrap());
    if let Some(database) = cluster::Database::fresh() {
        let config = store::PgConfig::parse(&database.address()).unwrap();
        filled(&|| store::Store::connect(&config).unwrap());
    }
}

/// Tries again while the database says that somebody else was there meanwhile.
fn insist(mdm: &Mdm, now: Timestamp, editor: Editor, edit: &Edit) -> Result<Edited, EditRefused> {
    loop {
        match mdm.apply(now, editor, edit) {
            Ok(done) => return done,
            Err(crate::MdmError::Store(error)) if error.is_passing() => std::thread::yield_now(),
            Err(error) => panic!("{error}"),
        }
    }
}

#[test]
fn of_two_at_the_same_moment_one_wins_and_the_other_is_told_by_whom() {
    shared(|one, two, now| {
        for round in 0..8u32 {
            let stands = newest(one).block.version;
            let gate = std::sync::Barrier::new(2);
            let act = |mdm: &Mdm, editor: Editor, name: &str, value: i64| {
                let slots = Op::Set { values: vec![value + i64::from(round)] };
                let edit = edit(&format!("{name}-{round}"), "40", slots, stands);
                gate.wait();
                insist(mdm, now, editor, &edit)
            };
            let (ada, bo) = std::thread::scope(|scope| {
                let ada = scope.spawn(|| act(one, ANALYST, "ada", 100));
                let bo = scope.spawn(|| act(two, SENIOR, "bo", 200));
                (ada.join().unwrap(), bo.join().unwrap())
            });
            let (won, winner, lost, value) = match (ada, bo) {
                (Ok(won), Err(lost)) => (won, ANALYST, lost, 100),
                (Err(lost), Ok(won)) => (won, SENIOR, lost, 200),
                other => panic!("one of two wins: {other:?}"),
            };
            assert_eq!((won.version, won.repeated), (stands + 1, false));
            let EditRefused::Stale { expected, current, by, changed, .. } = lost else { panic!("{lost}") };
            assert_eq!((expected, current, by), (stands, won.version, Some(winner.user)));
            assert_eq!(changed, "40".parse().unwrap());
            assert_eq!(newest(two).block.values[40], value + i64::from(round), "what won is what stands");
        }
        assert_eq!(versions(one).len(), 9, "no version is lost and none is double");
    });
}

#[test]
fn rules_that_one_process_puts_in_force_judge_in_every_other() {
    shared(|one, two, now| {
        let tuesday = MONDAY + 1.days();
        let lenient = "[spike]\npercent = 10000";
        let hash =
            one.activate_rules(now, SENIOR.user, lenient, tuesday, "fewer false alarms").unwrap().unwrap();
        // Nobody told the other one, and it reads nothing anew.
        let mut day = whole_day(two, tuesday);
        day.values[40] = Some(9_000);
        two.ingest(now, vec![day]).unwrap();
        let found = one.exceptions_of_day(CHANNEL, tuesday).unwrap();
        assert!(found.iter().all(|one| one.finding.rule != "spike"), "{found:?}");
        let judged = two.versions(CHANNEL, tuesday).unwrap()[0].rules_hash.clone();
        assert_eq!(judged, Some(hash.clone()));
        assert_eq!(two.book_on(tuesday).unwrap().hash().to_string(), hash);
        assert_ne!(two.book_on(MONDAY).unwrap().hash().to_string(), hash);
    });
}
