//! The bench on a database in memory.

use super::*;
use crate::Mdm;
use crate::tests::{CHANNEL, MONDAY, days_later, utility, whole_day};
use model::QualityClass;
use store::{CaseState, ExceptionFilter, ExceptionSort, NewUser, StoredDay};

const ANALYST: Editor = Editor { user: UserId::new(1), may_edit_billed: false };

fn bench() -> Mdm {
    let mdm = utility();
    mdm.store()
        .write(|w| {
            w.insert_user(&NewUser {
                name: "ada".to_owned(),
                display_name: "Ada".to_owned(),
                role: "analyst".to_owned(),
                password_hash: None,
                customer: None,
                service_point: None,
            })
        })
        .unwrap();
    mdm
}

/// A whole Monday, with one reading that towers above the rest.
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

fn states(mdm: &Mdm) -> Vec<(String, CaseState)> {
    let found = mdm.exceptions_of_day(CHANNEL, MONDAY).unwrap();
    let spikes = found.into_iter().filter(|exception| exception.finding.rule == "spike");
    spikes.map(|exception| (exception.finding.rule, exception.state)).collect()
}

#[test]
fn accept_makes_verified_and_the_case_accepted_and_undo_opens_it_again() {
    let (mdm, now) = with_spike();
    assert_eq!(states(&mdm), [("spike".to_owned(), CaseState::Open)]);
    let spikes = ExceptionFilter { rule: Some("spike".to_owned()), ..ExceptionFilter::default() };
    assert_eq!(mdm.exceptions(&spikes, ExceptionSort::Oldest, 0, 10).unwrap().total, 1);
    let done = mdm.apply(now, ANALYST, &edit("a", "40", Op::Accept, 1)).unwrap().unwrap();
    assert_eq!((done.version, done.changed.to_string().as_str()), (2, "40"));
    let newest = versions(&mdm).pop().unwrap();
    assert_eq!((newest.block.values[40], newest.block.quality[40].class()), (9_000, QualityClass::Verified));
    assert_eq!(states(&mdm), [("spike".to_owned(), CaseState::Accepted)]);
    let open = ExceptionFilter { state: Some(CaseState::Open), ..spikes };
    assert_eq!(mdm.exceptions(&open, ExceptionSort::Oldest, 0, 10).unwrap().total, 0);
    let undone = mdm.apply(now, ANALYST, &edit("b", "", Op::Undo { to: 1 }, 2)).unwrap().unwrap();
    assert_eq!(undone.version, 3);
    let all = versions(&mdm);
    assert_eq!((&all[0].block.values, &all[0].block.quality), (&all[2].block.values, &all[2].block.quality));
    assert_eq!(states(&mdm), [("spike".to_owned(), CaseState::Open)]);
}
