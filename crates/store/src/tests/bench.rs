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

#[test]
fn meters_come_and_go_and_stay_where_they_were() {
    on_each_street(|store| {
        let (first, second) = (model::MeterId::new(1), model::MeterId::new(2));
        store
            .write(|w| {
                w.move_meter(first, None, at(100))?;
                w.retire_meter(second, at(200))?;
                assert!(w.move_meter(second, None, at(300)).is_err(), "it is nowhere any more");
                assert!(w.retire_meter(first, at(50)).is_err(), "it came later");
                let point = Some(ServicePointId::new(1));
                let stays = w.stays(at(0), at(1000))?;
                let found: Vec<_> =
                    stays.iter().map(|stay| (stay.meter, stay.service_point, stay.from, stay.to)).collect();
                assert_eq!(
                    found,
                    [
                        (first, point, at(0), Some(at(100))),
                        (first, None, at(100), None),
                        (second, point, at(0), Some(at(200))),
                    ]
                );
                assert_eq!(w.stays(at(200), at(1000))?.len(), 1, "spans are half open");
                assert_eq!(w.meter(second)?.and_then(|meter| meter.retired_at), Some(at(200)));
                assert_eq!(w.meter(first)?.and_then(|meter| meter.service_point), None);
                Ok::<_, StoreError>(())
            })
            .unwrap();
    });
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
                assert_eq!(w.rebill_flags(true)?, core::slice::from_ref(&flag));
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
                w.put_feeder("F-1", Some("West"), SINCE_EVER, at(0))?;
                w.put_feeder("F-1", Some("East"), DAY, at(1))?;
                let class = ServicePointId::new(1);
                w.set_rate_class(class, Some("residential"), SINCE_EVER, at(0))?;
                w.set_rate_class(class, None, DAY, at(1))?;
                let begins: Vec<_> = w.substations()?.into_iter().map(|one| (one.from, one.is)).collect();
                let said = |name: &str| Some(name.to_owned());
                assert_eq!(begins, [(SINCE_EVER, said("West")), (DAY, said("East"))]);
                let classes: Vec<_> = w.rate_classes()?.into_iter().map(|one| one.is).collect();
                assert_eq!(classes, [said("residential"), None]);
                let says = |body: Option<&str>, reason: &str, secs| Definition {
                    from: DAY,
                    body: body.map(str::to_owned),
                    user: ADA,
                    reason: reason.to_owned(),
                    changed_at: at(secs),
                };
                let group = w.put_group("all", &says(Some("{}"), "asked for", 1))?;
                assert_eq!(w.put_group("all", &says(None, "no more", 2))?, group);
                let history = w.group(group)?.unwrap();
                assert_eq!(history.versions, [says(Some("{}"), "asked for", 1), says(None, "no more", 2)]);
                assert_eq!((w.groups()?, w.group(GroupId::new(99))?), (vec![history], None));
                let formula = w.put_virtual("net", &says(Some("{}"), "asked for", 1))?;
                assert_eq!(w.put_virtual("net", &says(Some("[]"), "mended", 2))?, formula);
                let kept = w.virtual_channel(formula)?.and_then(|one| one.versions.last().cloned());
                assert_eq!(kept, Some(says(Some("[]"), "mended", 2)));
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
