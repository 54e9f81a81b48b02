//! A zone's clock as `LocalTimeParameters`.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone};

/// The offset of a zone and the rules of its clock change, as ESPI writes them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TimeParameters {
    pub(crate) end_rule: String,
    pub(crate) dst_offset_s: i32,
    pub(crate) start_rule: String,
    pub(crate) offset_s: i32,
}

/// The clock of `zone` in the year that begins at `at`.
pub(crate) fn parameters(zone: &TimeZone, at: Timestamp) -> TimeParameters {
    let mut changes: Vec<(Timestamp, Offset, Offset)> = Vec::new();
    for change in zone.following(at).take(2) {
        let just_before = change.timestamp() - jiff::SignedDuration::from_secs(1);
        changes.push((change.timestamp(), zone.to_offset(just_before), change.offset()));
    }
    let forward = changes.iter().find(|(_, before, after)| after > before);
    let back = changes.iter().find(|(_, before, after)| after < before);
    let (Some((start, standard, summer)), Some((end, _, _))) = (forward, back) else {
        let offset_s = zone.to_offset(at).seconds();
        // February 30: a rule that never comes.
        let never = "00000000".to_owned();
        return TimeParameters { end_rule: never.clone(), dst_offset_s: 0, start_rule: never, offset_s };
    };
    TimeParameters {
        end_rule: rule(summer.to_datetime(*end)),
        dst_offset_s: summer.seconds() - standard.seconds(),
        start_rule: rule(standard.to_datetime(*start)),
        offset_s: standard.seconds(),
    }
}

/// The n-th or last weekday of a month at a local time.
///
/// Standard: ESPI `DstRuleType`: bits 0 to 11 seconds, 12 to 16 hours, 17 to 19 day of week (Monday 1), 25 to 27 which of
/// the month (2 first, 3 second, 4 third, 5 fourth, 7 last), 28 to 31 month.
fn rule(local: DateTime) -> String {
    let last = local.day() + 7 > local.days_in_month();
    let nth = if last { 7 } else { u32::from(local.day().unsigned_abs() - 1) / 7 + 2 };
    let part = |n: i8, bits: u32| u32::from(n.unsigned_abs()) << bits;
    let seconds = u32::from(local.minute().unsigned_abs()) * 60 + u32::from(local.second().unsigned_abs());
    let code = part(local.month(), 28)
        | (nth << 25)
        | part(local.weekday().to_monday_one_offset(), 17)
        | part(local.hour(), 12)
        | seconds;
    format!("{code:08X}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_as_utilities_write_them() {
        let at = "2024-01-01T00:00:00Z".parse().unwrap();
        let of = |zone: &str| parameters(&TimeZone::get(zone).unwrap(), at);
        let pacific = of("America/Los_Angeles");
        assert_eq!((pacific.start_rule.as_str(), pacific.end_rule.as_str()), ("360E2000", "B40E2000"));
        assert_eq!((pacific.offset_s, pacific.dst_offset_s), (-28_800, 3600));
        let swiss = of("Europe/Zurich");
        assert_eq!((swiss.start_rule.as_str(), swiss.end_rule.as_str()), ("3E0E2000", "AE0E3000"));
        assert_eq!((of("Asia/Tokyo").offset_s, of("Asia/Tokyo").dst_offset_s), (32_400, 0));
    }
}
