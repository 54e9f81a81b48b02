//! The exception queue, versions' origins, bills and groups, on each engine.

use super::{at, on_each_street};
use crate::*;
use jiff::civil::{Date, date};
use model::{BillId, ChannelId, Commodity, GroupId, ServicePointId, UserId};

const DAY: Date = date(2026, 6, 1);
const CHANNEL: ChannelId = ChannelId::new(1);
const ADA: UserId = UserId::new(1);

fn finding(day: Date, origin: Origin, rule: &str, first: u32, severity: &str) -> StoredFinding {
    StoredFinding {
        channel: CHANNEL,
        day,
        origin,
        rule: rule.to_owned(),
        first,
        count: 2,
        version: 1,
        severity: severity.to_owned(),
        sentence: format!("{rule} at {first}"),
        found_at: at(5),
    }
}

fn case(finding: StoredFinding, state: CaseState) -> Case {
    Case { finding, state, assignee: Some(ADA), note: "seen".to_owned(), user: Some(ADA), changed_at: at(9) }
}

fn states(store: &Store, filter: &ExceptionFilter) -> Vec<(String, u32, CaseState)> {
    let found = store.read(|r| r.exceptions(filter, ExceptionSort::Oldest, 0, 100)).unwrap();
    found.into_iter().map(|one| (one.finding.rule, one.finding.first, one.state)).collect()
}

/// A spike, a gap and a doubtful arrival of one day, and a spike two days later.
fn fill(store: &Store) -> [StoredFinding; 4] {
    let found = [
        finding(DAY, Origin::Validation, "spike", 40, "fail"),
        finding(DAY, Origin::Validation, "gap", 7, "issue"),
        finding(DAY, Origin::Ingest, "duplicate", 3, "issue"),
        finding(date(2026, 6, 3), Origin::Validation, "spike", 11, "info"),
    ];
    store
        .write(|w| {
            for finding in &found {
                assert!(w.insert_finding(finding)?);
            }
            Ok::<_, StoreError>(())
        })
        .unwrap();
    found
}

fn decide(store: &Store, [spike, gap, twice, _]: &[StoredFinding; 4]) {
    store
        .write(|w| {
            w.put_case(&case(spike.clone(), CaseState::Accepted))?;
            w.put_case(&case(gap.clone(), CaseState::Edited))?;
            w.put_case(&case(twice.clone(), CaseState::Rejected))
        })
        .unwrap();
}

fn rows(rows: [(&str, u32, CaseState); 3]) -> Vec<(String, u32, CaseState)> {
    rows.into_iter().map(|(rule, first, state)| (rule.to_owned(), first, state)).collect()
}

#[test]
fn the_queue_shows_what_is_found_what_was_decided_and_what_is_gone() {
    on_each_street(|store| {
        let found = fill(&store);
        let groups = store.read(|r| r.exception_groups(&ExceptionFilter::default())).unwrap();
        assert_eq!(
            (groups.len(), groups[0].rule.as_str(), groups[0].count, groups[0].meters),
            (3, "spike", 2, 1)
        );
        assert_eq!(
            (groups[0].severity.as_str(), groups[0].oldest, groups[0].newest),
            ("fail", DAY, found[3].day)
        );
        decide(&store, &found);
        let of_day =
            ExceptionFilter { from: Some(DAY), to: Some(date(2026, 6, 2)), ..ExceptionFilter::default() };
        // What was edited but is still found is open; what ingest found stays decided.
        let duplicate = ("duplicate", 3, CaseState::Rejected);
        assert_eq!(
            states(&store, &of_day),
            rows([duplicate, ("gap", 7, CaseState::Open), ("spike", 40, CaseState::Accepted)])
        );
        store.write(|w| w.clear_validation(CHANNEL, DAY)).unwrap();
        let [spike, ..] = found;
        let other = StoredFinding { sentence: "another spike".to_owned(), ..spike };
        store.write(|w| w.insert_finding(&other)).unwrap();
        assert_eq!(
            states(&store, &of_day),
            rows([duplicate, ("gap", 7, CaseState::Edited), ("spike", 40, CaseState::Open)]),
            "an acceptance holds for what was said"
        );
    });
}

#[test]
fn the_queue_is_filtered_sorted_and_walked_through() {
    on_each_street(|store| {
        let found = fill(&store);
        decide(&store, &found);
        let all = ExceptionFilter::default();
        let only = |filter: ExceptionFilter| states(&store, &filter).len();
        let severities = vec!["fail".to_owned(), "info".to_owned()];
        assert_eq!(only(ExceptionFilter { state: Some(CaseState::Open), ..all.clone() }), 2);
        assert_eq!(only(ExceptionFilter { severities, ..all.clone() }), 2);
        assert_eq!(only(ExceptionFilter { commodity: Some(Commodity::Electricity), ..all.clone() }), 4);
        assert_eq!(only(ExceptionFilter { commodity: Some(Commodity::Gas), ..all.clone() }), 0);
        assert_eq!(only(ExceptionFilter { text: Some("ALDER".to_owned()), ..all.clone() }), 4);
        assert_eq!(only(ExceptionFilter { assignee: Some(ADA), ..all.clone() }), 3);
        for sort in [ExceptionSort::Newest, ExceptionSort::Severity, ExceptionSort::Meter] {
            let sorted = store.read(|r| r.exceptions(&all, sort, 0, 100)).unwrap();
            assert_eq!(sorted.len(), 4, "{sort:?}");
        }
        assert_eq!(store.read(|r| r.exceptions(&all, ExceptionSort::Oldest, 3, 100)).unwrap().len(), 1);
        let next = found[3].day;
        let [before, after] = store.read(|r| r.exceptions_beside(&all, CHANNEL, DAY)).unwrap();
        assert_eq!((before, after.map(|one| one.finding.day)), (None, Some(next)));
        let [before, after] = store.read(|r| r.exceptions_beside(&all, CHANNEL, next)).unwrap();
        assert_eq!((before.map(|one| one.finding.day), after), (Some(DAY), None));
    });
}

#[test]
fn versions_say_where_they_come_from_and_deeds_are_done_once() {
    on_each_street(|store| {
        let origin = VersionOrigin {
            version: 2,
            recorded_at: at(1),
            source: VersionSource::Edit,
            user: Some(ADA),
            reason: Some("clock".to_owned()),
            note: None,
            op: Some("{\"op\":\"accept\"}".to_owned()),
            supersedes: 1,
            rejected: vec![(40, 9_000), (41, -3)],
        };
        let deed = EditEntry {
            command: "one".to_owned(),
            at: at(1),
            user: ADA,
            op: "{}".to_owned(),
            slots: "40-41".to_owned(),
            reason: "clock".to_owned(),
            note: String::new(),
            version_before: 1,
            version_after: 2,
        };
        let later = VersionOrigin { recorded_at: at(2), rejected: Vec::new(), ..origin.clone() };
        store
            .write(|w| {
                w.put_origin(CHANNEL, DAY, &origin)?;
                assert_eq!(w.origin(CHANNEL, DAY, 2)?.as_ref(), Some(&origin));
                w.put_origin(CHANNEL, DAY, &later)?;
                assert!(w.insert_edit(CHANNEL, DAY, &deed)?);
                assert!(!w.insert_edit(CHANNEL, DAY, &deed)?);
                Ok::<_, StoreError>(())
            })
            .unwrap();
        store
            .read(|r| {
                assert_eq!(r.origins(CHANNEL, DAY)?, core::slice::from_ref(&later));
                assert_eq!(r.origin(CHANNEL, DAY, 1)?, None);
                assert_eq!(r.edits(CHANNEL, DAY)?, core::slice::from_ref(&deed));
                assert_eq!(r.edit(CHANNEL, DAY, "two")?, None);
                Ok::<_, StoreError>(())
            })
            .unwrap();
    });
}

#[test]
fn bills_keep_what_they_took_and_are_flagged_once_a_version() {
    on_each_street(|store| {
        let (bill, pin) = (BillId::new(7), Pin { channel: CHANNEL, day: DAY, version: 1 });
        let flag = RebillFlag {
            bill,
            channel: CHANNEL,
            day: DAY,
            version: 2,
            reason: "late readings".to_owned(),
            flagged_at: at(3),
            taken_up_at: None,
        };
        store
            .write(|w| {
                assert!(w.pin(bill, &pin, at(1))?);
                assert!(!w.pin(bill, &Pin { version: 2, ..pin }, at(2))?);
                assert!(w.flag_rebill(&flag)?);
                assert!(!w.flag_rebill(&flag)?);
                assert_eq!(w.pins_of(bill)?, [pin]);
                assert_eq!(w.bills_of(CHANNEL, DAY)?, [(bill, 1)]);
                assert_eq!(w.rebill_flags(false)?, core::slice::from_ref(&flag));
                assert_eq!(w.take_up_rebill(bill, at(4))?, 1);
                assert!(w.rebill_flags(false)?.is_empty());
                assert_eq!(w.rebill_flags(true)?[0].taken_up_at, Some(at(4)));
                Ok::<_, StoreError>(())
            })
            .unwrap();
    });
}

#[test]
fn meters_hang_somewhere_and_groups_formulas_and_rules_have_names_and_reasons() {
    on_each_street(|store| {
        store
            .write(|w| {
                w.put_feeder("F-1", "West")?;
                w.put_feeder("F-1", "East")?;
                w.set_rate_class(ServicePointId::new(1), Some("residential"))?;
                let place = w.meter_places()?.remove(0);
                assert_eq!(
                    (place.feeder.as_deref(), place.substation.as_deref(), place.rate_class.as_deref()),
                    (Some("F-1"), Some("East"), Some("residential"))
                );
                let group = w.put_group("all", "{}", ADA, at(1))?;
                assert_eq!(w.put_group("all", "[]", ADA, at(2))?, group);
                assert_eq!(w.group(group)?.map(|group| group.rule), Some("[]".to_owned()));
                assert_eq!((w.groups()?.len(), w.group(GroupId::new(99))?), (1, None));
                let formula = w.put_virtual("net", "{}", ADA, "asked for", at(1))?;
                assert_eq!(w.put_virtual("net", "[]", ADA, "mended", at(2))?, formula);
                let kept = w.virtual_channel(formula)?.map(|one| (one.formula, one.reason));
                assert_eq!(kept, Some(("[]".to_owned(), "mended".to_owned())));
                let rules = w.rule_set_id("00ff", "text")?;
                w.activate_rules(rules, DAY, ADA, "fewer false alarms", at(3))?;
                let active = w.activations()?.remove(0);
                assert_eq!((active.hash.as_str(), active.from, active.user), ("00ff", DAY, ADA));
                assert_eq!(w.rule_set_hash(rules)?, Some("00ff".to_owned()));
                Ok::<_, StoreError>(())
            })
            .unwrap();
        assert_eq!(store.read(|r| r.batches_by_source(at(0), at(9), at(5))).unwrap(), []);
    });
}
