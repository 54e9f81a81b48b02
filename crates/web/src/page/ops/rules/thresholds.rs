//! Every whole-number threshold of the rule book as a form, and the file that a filled form means. What the book holds beside
//! numbers (groups, severities, the order of the ladder) is carried over as it is.

use super::view::{RuleCard, Threshold};
use crate::fmt;
use crate::page::ops::vee::words;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use vee::{Group, RuleBook};

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

/// What a form over the book means, for everybody or for one of its groups. `param` gives its fields; one that is not there
/// is as in force.
///
/// # Errors
/// What the serialiser says; rules always can be written.
pub(super) fn tried(
    book: &RuleBook,
    group: Option<usize>,
    param: &dyn Fn(&str) -> Option<String>,
) -> Result<Tried, toml::ser::Error> {
    let base = serde_json::to_value(book.base()).unwrap_or_default();
    let mut groups = book.groups().to_vec();
    let mut rules = base.clone();
    if let Some(group) = group.and_then(|index| groups.get(index)) {
        lay(&mut rules, &Value::Object(group.set.clone()));
    }
    let mut form = Form { param, cards: BTreeMap::new(), changed: Vec::new() };
    let own = group.and_then(|index| groups.get_mut(index)).map(|group| &mut group.set);
    form.over(&mut rules, own);
    let Form { cards, changed, .. } = form;
    // A group keeps what it says itself; everybody's thresholds are the form's.
    let toml = vee::to_toml(if group.is_some() { base } else { rules }, &groups)?;
    // In the catalogue's order, so that the form looks the same every day.
    let order =
        |card: &RuleCard| vee::Rule::ALL.iter().position(|rule| words::rule(rule.name()).0 == card.rule);
    let mut cards: Vec<RuleCard> = cards.into_values().collect();
    cards.sort_by_key(order);
    Ok(Tried { cards, changed, toml })
}

/// Lays the thresholds of a group over those of everybody.
fn lay(under: &mut Value, over: &Value) {
    match (under, over) {
        (Value::Object(under), Value::Object(over)) => {
            for (key, value) in over {
                lay(under.entry(key.clone()).or_insert(Value::Null), value);
            }
        }
        (under, over) => *under = over.clone(),
    }
}

/// A form on its way through the thresholds.
struct Form<'a> {
    param: &'a dyn Fn(&str) -> Option<String>,
    cards: BTreeMap<&'static str, RuleCard>,
    changed: Vec<(String, String)>,
}

impl Form<'_> {
    /// Goes through every threshold; what is changed is changed there and, for a group, in what it says itself.
    fn over(&mut self, rules: &mut Value, mut own: Option<&mut Map<String, Value>>) {
        let Value::Object(rules) = rules else { return };
        for (key, value) in rules {
            match value {
                Value::Object(table) if key != "severity" => {
                    for (inner, value) in table {
                        if self.field(&format!("{key}.{inner}"), home(key), value)
                            && let Some(own) = own.as_deref_mut()
                        {
                            let table = own.entry(key.clone()).or_insert_with(|| Value::Object(Map::new()));
                            if let Value::Object(table) = table {
                                table.insert(inner.clone(), value.clone());
                            }
                        }
                    }
                }
                value => {
                    if self.field(key, home(key), value)
                        && let Some(own) = own.as_deref_mut()
                    {
                        own.insert(key.clone(), value.clone());
                    }
                }
            }
        }
    }

    /// One threshold; whether the form changes it.
    fn field(&mut self, name: &str, rule: &'static str, value: &mut Value) -> bool {
        let Some(now) = value.as_i64().filter(|_| !rule.is_empty()) else { return false };
        let typed = (self.param)(name).unwrap_or_else(|| now.to_string());
        let number = typed.trim().parse::<i64>();
        let changed = number.as_ref().is_ok_and(|number| *number != now);
        if let Ok(number) = number
            && changed
        {
            *value = Value::from(number);
            self.changed.push((name.to_owned(), number.to_string()));
        }
        let card = self.cards.entry(rule).or_insert_with(|| {
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
        changed
    }
}

/// A group in words: whom it is for, and in what it differs from everybody.
pub(super) fn group(group: &Group) -> (String, Vec<String>) {
    let mut whom: Vec<String> = Vec::new();
    whom.extend(group.class.iter().map(|class| format!("{} customers", class.name())));
    whom.extend(group.model.iter().map(|model| format!("meter model {model}")));
    whom.extend(group.commodity.iter().map(|commodity| format!("{commodity:?}").to_lowercase()));
    whom.extend(group.kind.iter().map(|kind| format!("{} channels", kind.name())));
    let mut text = if whom.is_empty() { "Every channel".to_owned() } else { fmt::heading(&whom.join(", ")) };
    if let Some(from) = group.from {
        text.push_str(&format!(", from {from}"));
    }
    if let Some(to) = group.to {
        text.push_str(&format!(", before {to}"));
    }
    let mut differs: Vec<String> = Vec::new();
    for (key, value) in &group.set {
        match value {
            Value::Object(table) => {
                differs
                    .extend(table.iter().map(|(inner, value)| says(&format!("{key}.{inner}"), key, value)));
            }
            value => differs.push(says(key, key, value)),
        }
    }
    let names = |rules: &std::collections::BTreeSet<vee::Rule>| {
        rules.iter().map(|rule| words::rule(rule.name()).0).collect::<Vec<_>>().join(", ")
    };
    if !group.off.is_empty() {
        differs.push(format!("Switched off: {}", names(&group.off)));
    }
    if !group.on.is_empty() {
        differs.push(format!("Switched on: {}", names(&group.on)));
    }
    let weigh = group.severity.iter();
    differs.extend(
        weigh.map(|(rule, severity)| format!("{} weighs as {}", words::rule(rule.name()).0, severity.name())),
    );
    (text, differs)
}

fn says(name: &str, key: &str, value: &Value) -> String {
    let (title, (label, unit)) = (words::rule(home(key)).0, label(name));
    format!("{title}: {} {value} {unit}", label.to_lowercase()).trim_end().to_owned()
}

/// The name of the rule that a key of the file belongs to.
fn home(key: &str) -> &'static str {
    let named = vee::Rule::ALL.iter().map(|rule| rule.name()).find(|name| *name == key);
    named.or_else(|| HOMES.iter().find(|(known, _)| *known == key).map(|(_, rule)| *rule)).unwrap_or("")
}

/// A name of the file as words, and its unit: `high_low.min_difference_wh` is `Min difference`, Wh.
fn label(name: &str) -> (String, String) {
    let last = name.rsplit('.').next().unwrap_or(name);
    let unit = UNITS.iter().find(|(ending, _)| last.ends_with(ending) || ending.get(1..) == Some(last));
    let stem = unit.and_then(|(ending, _)| last.strip_suffix(ending)).filter(|stem| !stem.is_empty());
    (crate::fmt::heading(stem.unwrap_or(last)), unit.map_or_else(String::new, |(_, unit)| (*unit).to_owned()))
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
        let same = tried(&book, None, &form(&[])).unwrap();
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
        let other = tried(&book, None, &form(&[("spike.percent", "300")])).unwrap();
        assert_eq!(other.changed, [("spike.percent".to_owned(), "300".to_owned())]);
        assert_eq!(RuleBook::from_toml(&other.toml).unwrap().base().spike.percent, 300);
        assert_eq!(other.cards.iter().filter(|card| card.open).count(), 1);
        let wrong = tried(&book, None, &form(&[("grace_h", "six")])).unwrap();
        assert!(wrong.wrong() && wrong.changed.is_empty());
    }

    #[test]
    fn a_threshold_of_a_group_is_the_groups_alone() {
        let text = "[[group]]\nname = \"shops\"\nclass = [\"commercial\"]\noff = [\"stuck\"]\n[group.set.spike]\npercent = 300\n";
        let book = RuleBook::from_toml(text).unwrap();
        let fields = form(&[("spike.floor_w", "7"), ("grace_h", "9")]);
        let other = tried(&book, Some(0), &fields).unwrap();
        let shown = other.cards.iter().flat_map(|card| &card.thresholds);
        assert_eq!(
            shown.clone().find(|one| one.name == "spike.percent").unwrap().now,
            "300",
            "as in the group"
        );
        let changed = RuleBook::from_toml(&other.toml).unwrap();
        assert_eq!(changed.base(), book.base());
        let set = serde_json::to_value(&changed.groups()[0].set).unwrap();
        assert_eq!(set, serde_json::json!({ "grace_h": 9, "spike": { "percent": 300, "floor_w": 7 } }));
        let (whom, differs) = group(&changed.groups()[0]);
        assert_eq!(whom, "Commercial customers");
        assert!(differs.iter().any(|one| one.starts_with("Switched off")), "{differs:?}");
        assert!(differs.iter().any(|one| one.contains("percent 300 %")), "{differs:?}");
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
