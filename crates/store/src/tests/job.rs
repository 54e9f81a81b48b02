use super::{at, on_each_engine, street};
use crate::{InboxItem, Job, JobState, NewJob, PgConfig, Read, Stage, Store, StoreError};
use jiff::SignedDuration;
use model::command::{Action, Command};
use model::{CommandId, MeterId};

const MINUTE: SignedDuration = SignedDuration::from_secs(60);

fn chore(key: &str, due: i64) -> NewJob {
    NewJob {
        kind: "close-day".to_owned(),
        key: key.to_owned(),
        payload: "{}".to_owned(),
        due_at: at(due),
        most_attempts: 3,
    }
}

fn enqueue(store: &Store, new: &NewJob) -> bool {
    store.write(|w| w.enqueue_job(new, at(0))).unwrap()
}

fn claim(store: &Store, now: i64, owner: &str) -> Option<Job> {
    store.claim_job(at(now), owner, &["close-day", "fold"], MINUTE).unwrap()
}

fn run(store: &Store, job: &Job, now: i64) -> Result<(), StoreError> {
    store.run_job(job, at(now), |w| {
        w.set_meta(&job.key, "done")?;
        Ok::<_, StoreError>("3 channels".to_owned())
    })
}

#[test]
fn a_job_is_taken_by_one_and_done_once() {
    on_each_engine(|store| {
        assert!(enqueue(&store, &chore("b", 10)));
        assert!(enqueue(&store, &chore("a", 20)));
        assert!(!enqueue(&store, &chore("a", 0)), "the same key is the same job");
        assert!(claim(&store, 5, "one").is_none(), "nothing is due");
        let first = claim(&store, 30, "one").unwrap();
        let second = claim(&store, 30, "two").unwrap();
        assert_eq!((first.key.as_str(), second.key.as_str(), first.attempts), ("b", "a", 1));
        assert!(claim(&store, 30, "three").is_none());
        assert!(store.claim_job(at(500), "four", &["export"], MINUTE).unwrap().is_none());
        run(&store, &first, 40).unwrap();
        assert!(matches!(run(&store, &first, 41), Err(StoreError::LeaseLost)), "done is done");
        let done = store.read(|r| r.job("close-day", "b")).unwrap().unwrap();
        assert_eq!((done.state, done.outcome.as_str()), (JobState::Done, "3 channels"));
        assert!(claim(&store, 35, "five").is_none());
        assert_eq!(store.write(|w| w.forget_jobs(at(100))).unwrap(), 1);
    });
}

#[test]
fn a_lease_that_runs_out_passes_the_job_on() {
    on_each_engine(|store| {
        enqueue(&store, &chore("a", 0));
        let slow = claim(&store, 0, "slow").unwrap();
        assert!(claim(&store, 59, "quick").is_none());
        let quick = claim(&store, 60, "quick").unwrap();
        assert_eq!(quick.attempts, 2);
        assert!(matches!(run(&store, &slow, 113), Err(StoreError::LeaseLost)));
        assert!(store.read(|r| r.meta("a")).unwrap().is_none(), "the slow one left nothing");
        assert!(!store.fail_job(&slow, at(114), "too late", None).unwrap());
        run(&store, &quick, 115).unwrap();
        assert_eq!(store.read(|r| r.meta("a")).unwrap().as_deref(), Some("done"));
    });
}

#[test]
fn a_long_job_is_done_in_portions_by_whoever_comes() {
    on_each_engine(|store| {
        enqueue(&store, &chore("a", 0));
        let portion = |job: &Job, now: i64| {
            store.advance_job(job, at(now), |w| {
                let next = job.payload.parse::<u32>().unwrap_or(0) + 1;
                w.set_meta(&format!("portion {next}"), "done")?;
                let outcome = format!("{next} of 3");
                Ok::<_, StoreError>(if next == 3 {
                    Stage::Done(outcome)
                } else {
                    Stage::More { payload: next.to_string(), outcome }
                })
            })
        };
        let first = claim(&store, 0, "one").unwrap();
        assert_eq!(
            portion(&first, 10).unwrap(),
            Stage::More { payload: "1".to_owned(), outcome: "1 of 3".to_owned() }
        );
        assert!(matches!(portion(&first, 11), Err(StoreError::LeaseLost)), "a portion is done once");
        let second = claim(&store, 12, "two").unwrap();
        assert_eq!((second.payload.as_str(), second.attempts), ("1", 1), "portions are no attempts");
        // The second owner sleeps through its lease; the third does its portion, and it does not.
        let third = claim(&store, 100, "three").unwrap();
        portion(&third, 101).unwrap();
        assert!(matches!(portion(&second, 102), Err(StoreError::LeaseLost)));
        let last = claim(&store, 103, "two").unwrap();
        assert_eq!(portion(&last, 104).unwrap(), Stage::Done("3 of 3".to_owned()));
        assert!(claim(&store, 105, "one").is_none());
        let done = store.read(|r| r.job("close-day", "a")).unwrap().unwrap();
        assert_eq!((done.state, done.outcome.as_str()), (JobState::Done, "3 of 3"));
    });
}

#[test]
fn a_transaction_that_outlives_its_lease_is_not_run_beside_itself() {
    on_each_engine(|store| {
        enqueue(&store, &chore("a", 0));
        let slow = claim(&store, 0, "slow").unwrap();
        let (begun, wait) = std::sync::mpsc::channel();
        std::thread::scope(|scope| {
            let working = store.clone();
            scope.spawn(move || {
                working.run_job(&slow, at(10), |w| {
                    begun.send(()).unwrap();
                    // A server lets another owner look meanwhile; a file makes it wait for the end of this.
                    if w.conn.is_shared() {
                        let look = working.clone();
                        let other = std::thread::spawn(move || claim(&look, 500, "quick"));
                        assert!(other.join().unwrap().is_none(), "its row is locked");
                    }
                    w.set_meta("a", "done")?;
                    Ok::<_, StoreError>(String::new())
                })
            });
            wait.recv().unwrap();
            assert!(claim(&store, 600, "third").is_none());
        });
        assert_eq!(store.read(|r| r.meta("a")).unwrap().as_deref(), Some("done"));
    });
}

#[test]
fn work_that_comes_up_again_is_one_row() {
    on_each_engine(|store| {
        let arm = |now: i64| store.write(|w| w.arm_job(&chore("a", now), at(now))).unwrap();
        assert!(arm(0));
        assert!(!arm(1), "it waits already");
        run(&store, &claim(&store, 2, "one").unwrap(), 2).unwrap();
        assert!(claim(&store, 3, "one").is_none());
        assert!(arm(4));
        let again = claim(&store, 5, "one").unwrap();
        assert_eq!(again.attempts, 1);
        store.fail_job(&again, at(6), "no", None).unwrap();
        assert!(arm(7), "what was given up is tried again");
        assert_eq!(store.read(|r| r.jobs(None, 10)).unwrap().len(), 1);
    });
}

#[test]
fn a_job_that_fails_waits_and_is_given_up_in_the_end() {
    on_each_engine(|store| {
        enqueue(&store, &chore("a", 0));
        for attempt in 1..=3 {
            let job = claim(&store, attempt * 100, "one").unwrap();
            let failed: Result<(), StoreError> = store.run_job(&job, at(attempt * 100), |w| {
                w.set_meta("half", "written")?;
                Err(StoreError::NotFound { what: "meter", id: 7 })
            });
            assert!(failed.is_err());
            let again = at(attempt * 100 + 50);
            assert!(store.fail_job(&job, at(attempt * 100), "no meter 7", Some(again)).unwrap());
            assert!(claim(&store, attempt * 100 + 49, "two").is_none(), "it waits");
        }
        assert!(store.read(|r| r.meta("half")).unwrap().is_none());
        assert!(claim(&store, 9_000, "two").is_none());
        let dead = store.read(|r| r.jobs(Some(JobState::Dead), 10)).unwrap();
        assert_eq!((dead.len(), dead[0].outcome.as_str(), dead[0].attempts), (1, "no meter 7", 3));
        assert!(store.write(|w| w.revive_job(dead[0].id, at(9_001))).unwrap());
        assert_eq!(store.read(Read::job_counts).unwrap(), [(JobState::Waiting, 1)]);
        run(&store, &claim(&store, 9_001, "two").unwrap(), 9_002).unwrap();
    });
}

#[test]
fn a_job_that_kills_its_process_is_given_up() {
    on_each_engine(|store| {
        enqueue(&store, &chore("a", 0));
        for attempt in 0..3 {
            assert!(claim(&store, attempt * 100, "one").is_some());
        }
        assert!(claim(&store, 250, "one").is_none());
        assert!(claim(&store, 300, "one").is_none());
        let dead = store.read(|r| r.job("close-day", "a")).unwrap().unwrap();
        assert_eq!(dead.state, JobState::Dead);
    });
}

#[test]
fn many_at_once_do_every_job_once() {
    on_each_engine(|store| {
        for number in 0..40 {
            enqueue(&store, &chore(&number.to_string(), 0));
        }
        std::thread::scope(|scope| {
            for worker in ["one", "two", "three", "four"] {
                let store = store.clone();
                scope.spawn(move || {
                    while let Some(job) = claim(&store, 1, worker) {
                        run(&store, &job, 2).unwrap();
                    }
                });
            }
        });
        let jobs = store.read(|r| r.jobs(None, 100)).unwrap();
        assert_eq!(jobs.len(), 40);
        assert!(jobs.iter().all(|job| job.state == JobState::Done && job.attempts == 1));
    });
}

#[test]
fn the_inbox_empties_with_the_transaction() {
    on_each_engine(|store| {
        let items: Vec<InboxItem> = (1..=5)
            .map(|meter| InboxItem {
                meter: MeterId::new(meter),
                received_at: at(meter.into()),
                item: format!("item {meter}"),
            })
            .collect();
        store.write(|w| items.iter().try_for_each(|item| w.put_inbox(item))).unwrap();
        let dropped: Result<(), StoreError> = store.write(|w| {
            assert_eq!(w.take_inbox(3)?, items[..3]);
            Err(StoreError::Nested)
        });
        assert!(dropped.is_err());
        assert_eq!(store.write(|w| w.take_inbox(3)).unwrap(), items[..3]);
        assert_eq!(store.read(Read::inbox_count).unwrap(), 2);
        assert_eq!(store.write(|w| w.take_inbox(9)).unwrap(), items[3..]);
    });
}

#[test]
fn two_who_order_at_once_get_numbers_of_their_own() {
    let Some(database) = cluster::Database::fresh() else { return };
    let config = PgConfig::parse(&database.address()).unwrap();
    let (one, other) = (Store::connect(&config).unwrap(), Store::connect(&config).unwrap());
    one.write(|w| w.provision(&street())).unwrap();
    let order = |id: CommandId| Command {
        id,
        meter: MeterId::new(1),
        action: Action::Ping,
        not_after: at(100),
        requested_by: None,
        requested_at: at(0),
        reason: "a customer asked".to_owned(),
    };
    // The second order is given and kept while the first is not yet.
    one.write(|w| {
        let first = w.take_command_id()?;
        assert!(w.insert_command(&order(first))?);
        other.write(|w| {
            let second = w.take_command_id()?;
            assert_ne!(first, second);
            assert!(w.insert_command(&order(second))?);
            Ok::<_, StoreError>(())
        })
    })
    .unwrap();
    assert_eq!(one.read(|r| r.latest_commands(9)).unwrap().len(), 2);
}

#[test]
fn what_is_left_of_a_group_of_keys_is_counted() {
    on_each_engine(|store| {
        for key in ["2026-05-01 0 7", "2026-05-01 8 9", "2026-05-01", "2026-05-02 0 7"] {
            enqueue(&store, &chore(key, 0));
        }
        let left = |prefix: &str| store.read(|r| r.unfinished_jobs("close-day", prefix)).unwrap();
        assert_eq!((left("2026-05-01 "), left("2026-05-03 ")), (2, 0));
        let held = store.claim_job(at(1), "one", &["close-day"], MINUTE).unwrap().unwrap();
        store.run_part(&held, at(2), |_| Ok::<_, StoreError>(String::new())).unwrap();
        assert_eq!((held.key.as_str(), left("2026-05-01 ")), ("2026-05-01 0 7", 1));
    });
}
