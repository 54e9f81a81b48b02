//! The rules in words for people: a name and what it means.

use crate::ui::{Icon, Tone};

/// The name of a rule, and in a sentence what it means that it fired.
pub(crate) fn rule(name: &str) -> (String, &'static str) {
    let known = RULES.iter().find(|(rule, ..)| *rule == name);
    known.map_or_else(
        || (crate::fmt::heading(name), "The rule set describes this rule."),
        |(_, title, meaning)| ((*title).to_owned(), *meaning),
    )
}

/// How grave a finding is: colour, sign and word.
pub(crate) fn severity(name: &str) -> (Tone, Icon, &'static str) {
    match name {
        "fail" => (Tone::Bad, Icon::Warn, "Stopped"),
        "issue" => (Tone::Warn, Icon::Clock, "Look at it"),
        _ => (Tone::Mute, Icon::Reads, "Remark"),
    }
}

/// The class of the chart's marks for a severity.
pub(crate) fn severity_class(name: &str) -> &'static str {
    severity(name).0.class()
}

const RULES: &[(&str, &str, &str)] = &[
    (
        "system_clock",
        "Collector clock",
        "The collecting system's own clock was wrong, so these readings may lie at the wrong time.",
    ),
    ("clock", "Meter clock", "The meter's clock was off, set, or not trusted inside these intervals."),
    (
        "identification",
        "Wrong device",
        "The reading came from a device that was not installed there at that time.",
    ),
    (
        "duplicate",
        "Two values",
        "The same interval arrived twice with different values; the first one stands.",
    ),
    ("gap", "Gap", "Readings that are overdue have not arrived, and were estimated or are still missing."),
    (
        "overlap",
        "Off the grid",
        "The intervals that arrived are not those of the channel: wrong length, or shifted.",
    ),
    ("unit", "Wrong unit", "The unit or scale of what arrived does not fit the channel."),
    ("multiplier", "Multiplier", "The values were multiplied by another factor than the one on file."),
    ("overflow", "Overflow", "The pulse counter of an interval ran over, so the value is too small."),
    ("test_mode", "Test mode", "The meter was being tested; what it counted was not used by the customer."),
    ("sum_check", "Sum check", "The intervals do not add up to the movement of the register."),
    ("spike", "Spike", "One interval towers above everything else on that day."),
    ("jump", "Jump", "A value is many times the one before it."),
    (
        "reactive",
        "Reactive energy",
        "Reactive energy is missing or does not fit the active energy beside it.",
    ),
    (
        "high_low",
        "High or low",
        "The day is far above or below what is usual here, or the voltage is outside its band.",
    ),
    ("capacity", "Above capacity", "More flowed than the service can carry, or far more than ever before."),
    ("zero", "No use", "An active service used nothing for days."),
    ("inactive", "Use without service", "Something was used where nobody is supplied."),
    ("negative", "Below zero", "A channel that only counts upward has a value below zero."),
    (
        "reverse_energy",
        "Energy came back",
        "Energy was sent back where no generation is on file: panels that nobody registered, or crossed wires.",
    ),
    ("stuck", "Standing still", "Many equal values in a row: the register may be stuck."),
    (
        "clock_shift",
        "An hour off",
        "The readings seem to be stamped an hour early or late: look whether the meter followed the last change of the clocks.",
    ),
    ("register", "Register", "The register went backward, or shows more than its dials can."),
    ("rate_sum", "Rate registers", "The registers of the rate periods do not add up to the total register."),
    ("status", "Meter status", "The meter itself marked these intervals as cut short or damaged."),
    (
        "partial_outage",
        "Power failed inside",
        "The supply failed inside these intervals; the values are real but low.",
    ),
    (
        "prolonged_estimation",
        "Estimated for days",
        "The channel was estimated day after day; somebody should visit the meter.",
    ),
    (
        "sibling",
        "Only this channel",
        "Other channels of the same meter have these intervals, this one has not.",
    ),
    ("future", "From the future", "The interval ends later than now; the clock must be wrong."),
    (
        "dst_completeness",
        "Clock change",
        "The day does not hold the intervals that its 23, 24 or 25 hours need.",
    ),
    ("solar_night", "Sun at night", "A roof sent energy back in the dark: the clock or the wiring is wrong."),
    ("main_check", "Check meter", "The main meter and its check meter disagree."),
    ("voltage_energy", "Energy without voltage", "Energy flowed while the voltage was nearly gone."),
    ("late", "Late", "A value arrived for a time that is billed already, or long past."),
    ("leak", "Leak", "Water or gas flowed in every hour of the day."),
    ("reverse_flow", "Reverse flow", "Water or gas flowed backward."),
    ("repeated_day", "Repeated day", "The day repeats an earlier one value for value."),
    ("pile_up", "Piled up", "One interval after a gap holds what the gap is missing."),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_has_words() {
        for known in vee::Rule::ALL {
            let (title, meaning) = rule(known.name());
            assert!(meaning.ends_with('.') && !meaning.starts_with("The rule set"), "{}", known.name());
            assert!(!title.is_empty() && !meaning.contains('!'));
        }
        assert_eq!(rule("some_day").0, "Some day");
    }

    #[test]
    fn every_severity_has_a_sign() {
        let all = ["info", "issue", "fail"].map(|name| severity(name).0);
        assert_eq!(all, [Tone::Mute, Tone::Warn, Tone::Bad]);
    }
}
