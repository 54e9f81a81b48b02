//! Validation and estimation of interval data: rules as data, every finding a sentence.
//!
//! The order of work, all of it pure and repeatable (the same inputs give the same bytes, and a second
//! run changes nothing):
//!
//! ```text
//! ReadBatch --admit--> arrivals --merge--> Day --validate--> findings --judge--> Day --estimate--> Day
//!                                                                                       |
//!                                                                  Stats <--absorb------+
//! ```
//!
//! - [`admit`] checks a batch against the channel's facts and turns raw integers into stored ones, exactly;
//! - [`merge`] lays arrivals over a day: equal values are duplicates, real values supersede estimates;
//! - [`validate`] looks at one local day and says what is wrong with it; [`judge`] marks the intervals;
//! - [`estimate`] fills what is still missing once it is overdue, and says by which method;
//! - [`Stats`] carries what validation must remember of earlier days, so that no history is read again.
//!
//! [`fast`] is the same engine for days that lie in columns, and [`validate`] goes through it.
//!
//! Integers only, but for where the sun stands. Nothing here knows where a day is kept; there is deliberately no database and no clock.
//!
//! Standard: the rule and step numbers in these documents are those of the DASMMD lineage (California
//! Direct Access Standards for Metering and Meter Data, Attachment VEE, 1999) and of the common products.

mod admit;
mod columns;
mod day;
mod estimate;
mod facts;
pub mod fast;
mod finding;
mod merge;
mod rules;
mod stats;
mod sun;
mod validate;
mod words;

pub use admit::{Admitted, Arrival, Evidence, admit, admit_with};
pub use day::{Day, DayMismatch, Slot};
pub use estimate::{
    Candidate, ClassDay, Context, DayTemperature, Estimate, Estimated, Estimation, Estimator, Event, Method,
    Shape, TouDays, TouPeriod, TouRead, candidates, estimate, estimate_days, last_year_with_trend, prorate,
    register_between, register_from_intervals,
};
pub use facts::{Advance, Facts, Outage, Register, register_advance};
pub use finding::{Finding, Rule, Severity};
pub use merge::{Merged, merge};
pub use rules::{
    Clock, ClockShift, Demand, Difference, Eligible, Group, HighLow, Inactive, Jump, Leak, Over, PileUp,
    PowerFactor, RuleBook, Rules, RulesError, RulesHash, SolarNight, Spike, Stuck, ZeroDays, to_toml,
};
pub use stats::{DayStat, MonthStat, Stats, StatsError, Summary};
pub use sun::Sun;
pub use validate::{DayInput, judge, validate, wants_weather};
