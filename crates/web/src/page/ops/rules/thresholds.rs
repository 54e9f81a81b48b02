//! Every whole-number threshold of the rule book as a form, and the file that a filled form means. What the book holds beside
//! numbers (groups, severities, the order of the ladder) is carried over as it is.

use super::view::{RuleCard, Threshold};
use crate::page::ops::vee::words;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use vee::RuleBook;

/// Units by the ending of a name.
const UNITS: [(&str, &str); 15] = [
    ("_permille", "‰"),
    ("_percent", "%"),
    ("_l_per_h", "L/h"),
    ("_cdeg", "0.01°"),
    ("_steps", "steps"),
    ("_days", "days"),
    ("_dc", "0.1 °C"),
    ("_ms", "ms"),
    ("_wh", "Wh"),
    ("_var", "var"),
    ("_h", "h"),
    ("_s", "s"),
    ("_d", "days"),
    ("_w", "W"),
    ("_l", "L"),
];

/// The rule that a threshold belongs to, where its table is not named after the rule.
const HOMES: [(&str, &str); 20] = [
    ("grace_h", "gap"),
    ("linear_max_s", "gap"),
    ("like_day_lookback_d", "gap"),
    ("like_days", "gap"),
    ("estimation", "gap"),
    ("future_tolerance_s", "future"),
    ("sum_tolerance_permille", "sum_check"),
    ("sum_tolerance_steps", "sum_check"),
    ("reverse_energy_wh", "reverse_energy"),
    ("prolonged_estimation_d", "prolonged_estimation"),
    ("voltage_low_percent", "high_low"),
    ("voltage_high_percent", "high_low"),
    ("main_check_permille", "main_check"),
    ("dead_voltage_percent", "voltage_energy"),
    ("reverse_flow_l", "reverse_flow"),
    ("late_after_d", "late"),
    ("zero_days", "zero"),
    ("power_factor", "reactive"),
    ("demand", "capacity"),
    ("group", ""),
];

/// A filled form.
pub(super) struct Tried {
    /// The thresholds by rule.
    pub(super) cards: Vec<RuleCard>,
    /// Those that differ from what is in force, by their name in the form.
    pub(super) changed: Vec<(String, String)>,
    /// The rules file that the form means.
    pub(super) toml: String,
}

impl Tried {
    /// Whether a field holds no whole number.
    pub(super) fn wrong(&self) -> bool {
        self.cards.iter().flat_map(|card| &card.thresholds).any(|threshold| threshold.error.is_some())
    }
}

/// What a form over the book means. `param` gives its fields; one that is not there is as in force.
///
/// # Errors
/// What the serialiser says; rules always can be written.
pub(super) fn tried(
    book: &RuleBook,
    param: &dyn Fn(&str) -> Option<String>,
) -> Result<Tried, toml::ser::Error> {
    let Value::Object(mut rules) = serde_json::to_value(book.base()).unwrap_or_default() else {
        return Ok(Tried { cards: Vec::new(), changed: Vec::new(), toml: String::new() });
    };
    let mut cards: BTreeMap<&'static str, RuleCard> = BTreeMap::new();
    let mut changed = Vec::new();
    for (key, value) in &mut rules {
        match value {
            Value::Object(table) if key != "severity" => {
                for (inner, value) in table {
                    let name = format!("{key}.{inner}");
                    field(&name, home(key), value, param, &mut cards, &mut changed);
                }
            }
            value => field(&key.clone(), home(key), value, param, &mut cards, &mut changed),
        }
    }
    let mut toml = toml::to_string(&without_nulls(Value::Object(rules)))?;
    // The book reads everything from the first group on as groups, so they come last.
    let groups = serde_json::to_value(book.groups()).unwrap_or_default();
    if groups.as_array().is_some_and(|groups| !groups.is_empty()) {
        let table = Value::Object(Map::from_iter([("group".to_owned(), groups)]));
        toml.push('\n');
        toml.push_str(&toml::to_string(&without_nulls(table))?);
    }
    // In the catalogue's order, so that the form looks the same every day.
    let order =
        |card: &RuleCard| vee::Rule::ALL.iter().position(|rule| words::rule(rule.name()).0 == card.rule);
    let mut cards: Vec<RuleCard> = cards.into_values().collect();
    cards.sort_by_key(order);
    Ok(Tried { cards, changed, toml })
}

/// The name of the rule that a key of the file belongs to.
fn home(key: &str) -> &'static str {
    let named = vee::Rule::ALL.iter().map(|rule| rule.name()).find(|name| *name == key);
    named.or_else(|| HOMES.iter().find(|(known, _)| *known == key).map(|(_, rule)| *rule)).unwrap_or("")
}

fn field(
    name: &str,
    rule: &'static str,
    value: &mut Value,
    param: &dyn Fn(&str) -> Option<String>,
    cards: &mut BTreeMap<&'static str, RuleCard>,
    changed: &mut Vec<(String, String)>,
) {
    let Some(now) = value.as_i64().filter(|_| !rule.is_empty()) else { return };
    let typed = param(name).unwrap_or_else(|| now.to_string());
    let number = typed.trim().parse::<i64>();
    if let Ok(number) = number
        && number != now
    {
        *value = Value::from(number);
        changed.push((name.to_owned(), number.to_string()));
    }
    let card = cards.entry(rule).or_insert_with(|| {
        let (title, meaning) = words::rule(rule);
        RuleCard { rule: title, meaning: meaning.to_owned(), thresholds: Vec::new(), open: false }
    });
    card.open |= number != Ok(now);
    let (label, unit) = label(name);
    card.thresholds.push(Threshold {
        name: name.to_owned(),
        label,
        now: now.to_string(),
        error: number.is_err().then(|| format!("`{typed}` is no whole number")),
        tried: typed,
        unit,
    });
}

/// A name of the file as words, and its unit: `high_low.min_difference_wh` is `Min difference`, Wh.
fn label(name: &str) -> (String, String) {
    let last = name.rsplit('.').next().unwrap_or(name);
    let unit = UNITS.iter().find(|(ending, _)| last.ends_with(ending) || ending.get(1..) == Some(last));
    let stem = unit.and_then(|(ending, _)| last.strip_suffix(ending)).filter(|stem| !stem.is_empty());
    (crate::fmt::heading(stem.unwrap_or(last)), unit.map_or_else(String::new, |(_, unit)| (*unit).to_owned()))
}

/// The same without what a rules file has no word for.
fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            let kept = map.into_iter().filter(|(_, value)| !value.is_null());
            Value::Object(kept.map(|(key, value)| (key, without_nulls(value))).collect::<Map<_, _>>())
        }
        Value::Array(all) => Value::Array(all.into_iter().map(without_nulls).collect()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(pairs: &'static [(&'static str, &'static str)]) -> impl Fn(&str) -> Option<String> {
        move |name| pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
    }

    #[test]
    fn an_untouched_form_is_the_book_itself() {
        let book = RuleBook::default();
        let same = tried(&book, &form(&[])).unwrap();
        assert!(same.changed.is_empty() && !same.wrong());
        assert_eq!(
            RuleBook::from_toml(&same.toml).unwrap().hash(),
            book.hash(),
            "groups and ladder are carried over"
        );
        assert!(same.cards.iter().all(|card| !card.rule.is_empty() && !card.open));
    }

    #[test]
    fn a_changed_threshold_changes_the_file_and_opens_its_rule() {
        let book = RuleBook::default();
        let other = tried(&book, &form(&[("spike.percent", "300")])).unwrap();
        assert_eq!(other.changed, [("spike.percent".to_owned(), "300".to_owned())]);
        assert_eq!(RuleBook::from_toml(&other.toml).unwrap().base().spike.percent, 300);
        assert_eq!(other.cards.iter().filter(|card| card.open).count(), 1);
        let wrong = tried(&book, &form(&[("grace_h", "six")])).unwrap();
        assert!(wrong.wrong() && wrong.changed.is_empty());
    }

    #[test]
    fn names_become_labels_with_units() {
        for (name, words, unit) in [
            ("spike.percent", "Percent", "%"),
            ("spike.floor_w", "Floor", "W"),
            ("high_low.min_difference_wh", "Min difference", "Wh"),
            ("zero_days.electricity", "Electricity", ""),
            ("late_after_d", "Late after", "days"),
        ] {
            assert_eq!(label(name), (words.to_owned(), unit.to_owned()), "{name}");
        }
    }
}
