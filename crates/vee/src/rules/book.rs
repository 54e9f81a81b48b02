//! Rule groups: which thresholds hold for whom, and when.

use super::{Rules, RulesError, RulesHash, fnv};
use crate::finding::{Rule, Severity};
use jiff::civil::Date;
use model::{ChannelKind, Commodity, CustomerClass};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The thresholds of everybody, and ordered groups that change them for some: by class of customer, meter model,
/// commodity and kind of channel, from one date to another.
///
/// A file is that of [`Rules`] followed by groups. Every group that fits is laid over the ones before it:
///
/// ```text
/// grace_h = 6                     # for everybody
///
/// [[group]]
/// name = "business"               # in messages
/// class = ["commercial", "industrial"]
/// from = "2026-07-01"             # the first local day on which it holds; optional
/// to = "2027-07-01"               # the first day on which it does not any more; optional
/// model = ["three-phase"]         # meter models; optional, as are commodity and kind
/// off = ["stuck"]                 # rules switched off; `on` switches them on again
/// severity = { high_low = "info" }
/// [group.set.zero_days]           # any threshold of the file
/// electricity = 1
/// ```
///
/// Every combination of groups that can occur is worked out and checked when the book is read, so that asking for the
/// rules of a channel costs a few comparisons and cannot fail.
#[derive(Clone, Debug)]
pub struct RuleBook {
    base: Arc<Rules>,
    groups: Vec<Group>,
    sets: BTreeMap<u64, Arc<Rules>>,
    text: String,
}

/// What rules are chosen by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Eligible<'a> {
    /// Who is supplied.
    pub class: CustomerClass,
    /// The meter's model.
    pub model: &'a str,
    /// What the channel holds.
    pub kind: ChannelKind,
}

/// A group as written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// What people call it.
    pub name: String,
    /// The first local day on which it holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Date>,
    /// The first local day on which it does not hold any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Date>,
    /// Classes of customer; all if none is named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub class: Vec<CustomerClass>,
    /// Meter models; all if none is named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub model: Vec<String>,
    /// Commodities; all if none is named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub commodity: Vec<Commodity>,
    /// Kinds of channel; all if none is named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kind: Vec<ChannelKind>,
    /// Rules that it switches off.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub off: BTreeSet<Rule>,
    /// Rules that it switches on again.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub on: BTreeSet<Rule>,
    /// Rules that weigh otherwise.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub severity: BTreeMap<Rule, Severity>,
    /// Thresholds, by the names of the file.
    #[serde(default)]
    pub set: Map<String, Value>,
}

/// The groups of a file, read strictly: thresholds must be those of [`Rules`].
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Strict {
    #[serde(default)]
    group: Vec<StrictGroup>,
}

/// Read for its errors, which name line and column, and for the set on its own.
#[derive(Deserialize)]
struct StrictGroup {
    #[serde(default)]
    set: Rules,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Loose {
    #[serde(default)]
    group: Vec<Group>,
}

/// More groups than this are not read.
const MOST: usize = 32;

impl RuleBook {
    /// A book from the text of a file.
    ///
    /// # Errors
    /// [`RulesError`] with the line and what to do.
    pub fn from_toml(text: &str) -> Result<Self, RulesError> {
        let is_group = |line: &str| line.trim_start().starts_with("[[group]]");
        let head: usize = text.split_inclusive('\n').take_while(|line| !is_group(line)).map(str::len).sum();
        let (head, rest) = text.split_at(head);
        let base = Rules::from_toml(head)?;
        // Empty lines keep the numbers of lines right.
        let rest = "\n".repeat(head.matches('\n').count()) + rest;
        let strict: Strict = toml::from_str(&rest)?;
        let loose: Loose = toml::from_str(&rest)?;
        let starts: Vec<usize> =
            text.lines().enumerate().filter(|(_, line)| is_group(line)).map(|(n, _)| n + 1).collect();
        for (index, (strict, group)) in strict.group.into_iter().zip(&loose.group).enumerate() {
            let line = starts.get(index).copied().unwrap_or(0);
            strict.set.checked().map_err(|problem| in_group(&group.name, line, problem))?;
            if group.from.zip(group.to).is_some_and(|(from, to)| from >= to) {
                let problem = RulesError::Dates;
                return Err(in_group(&group.name, line, problem));
            }
        }
        Self::of(base, loose.group, &starts)
    }

    /// A book from its canonical text, as [`RuleBook::text`] gives it and the record keeps it.
    ///
    /// # Errors
    /// [`RulesError::Record`] for any other text; what makes a book refuse its groups.
    pub fn from_canonical(text: &str) -> Result<Self, RulesError> {
        let record = |_| RulesError::Record;
        let (base, groups) = if text.starts_with('[') {
            serde_json::from_str(text).map_err(record)?
        } else {
            (serde_json::from_str(text).map_err(record)?, Vec::new())
        };
        Self::of(base, groups, &[])
    }

    fn of(base: Rules, groups: Vec<Group>, starts: &[usize]) -> Result<Self, RulesError> {
        if groups.len() > MOST {
            return Err(RulesError::TooManyGroups { count: groups.len(), most: MOST });
        }
        let text = if groups.is_empty() { canonical(&base) } else { canonical(&(&base, &groups)) };
        let mut book = Self { base: Arc::new(base), groups, sets: BTreeMap::new(), text };
        for mask in book.reachable() {
            let rules = book.laid(mask).map_err(|problem| {
                let last = usize::try_from(mask.checked_ilog2().unwrap_or(0)).unwrap_or(0);
                let name = book.groups.get(last).map_or("", |group| &group.name);
                in_group(name, starts.get(last).copied().unwrap_or(0), problem)
            })?;
            book.sets.insert(mask, Arc::new(rules));
        }
        Ok(book)
    }

    /// The thresholds of everybody, without any group.
    pub fn base(&self) -> &Rules {
        &self.base
    }

    /// The groups, in their order.
    pub fn groups(&self) -> &[Group] {
        &self.groups
    }

    /// The rules in force on a local day for a channel.
    pub fn rules(&self, day: Date, of: &Eligible<'_>) -> &Arc<Rules> {
        if self.groups.is_empty() {
            return &self.base;
        }
        self.sets.get(&self.mask(day, of)).unwrap_or(&self.base)
    }

    /// The shortest and the longest grace of anybody, hours.
    pub fn grace_range_h(&self) -> (u32, u32) {
        let all = self.sets.values().map(|rules| rules.grace_h);
        all.fold((self.base.grace_h, self.base.grace_h), |(least, most), grace| {
            (least.min(grace), most.max(grace))
        })
    }

    /// The hash of the whole book, the same on every machine; that of a book without groups is that of its rules.
    pub fn hash(&self) -> RulesHash {
        fnv(&self.text)
    }

    /// The whole book as canonical text, for the record.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// One bit a group that fits.
    fn mask(&self, day: Date, of: &Eligible<'_>) -> u64 {
        let fits = self.groups.iter().map(|group| u64::from(group.fits(day, of)));
        fits.enumerate().fold(0, |mask, (index, fits)| mask | fits << index)
    }

    /// Every combination of groups that some channel can meet on some day.
    fn reachable(&self) -> BTreeSet<u64> {
        let edges = self.groups.iter().flat_map(|group| [group.from, group.to]).flatten();
        let days: BTreeSet<Date> = edges.chain([Date::MIN]).collect();
        let named = self.groups.iter().flat_map(|group| &group.model).map(String::as_str);
        // No model has the empty name, so it stands for those that no group names.
        let models: BTreeSet<&str> = named.chain([""]).collect();
        let mut masks = BTreeSet::new();
        for &day in &days {
            for &model in &models {
                for class in CustomerClass::ALL {
                    for kind in ChannelKind::ALL {
                        masks.insert(self.mask(day, &Eligible { class, model, kind }));
                    }
                }
            }
        }
        masks
    }

    /// The rules with some groups laid over them, in order.
    fn laid(&self, mask: u64) -> Result<Rules, RulesError> {
        let mut value = serde_json::to_value(&*self.base)?;
        let chosen = || self.groups.iter().enumerate().filter(|(index, _)| mask >> index & 1 == 1);
        for (_, group) in chosen() {
            lay(&mut value, &Value::Object(group.set.clone()));
        }
        let mut rules: Rules = serde_json::from_value(value)?;
        for (_, group) in chosen() {
            rules.off.extend(&group.off);
            rules.off.retain(|rule| !group.on.contains(rule));
            rules.severity.extend(group.severity.iter().map(|(rule, severity)| (*rule, *severity)));
        }
        rules.checked()
    }
}

impl Group {
    fn fits(&self, day: Date, of: &Eligible<'_>) -> bool {
        self.from.is_none_or(|from| from <= day)
            && self.to.is_none_or(|to| day < to)
            && any(&self.class, &of.class)
            && any(&self.kind, &of.kind)
            && any(&self.commodity, &of.kind.commodity())
            && (self.model.is_empty() || self.model.iter().any(|model| model == of.model))
    }
}

impl Default for RuleBook {
    /// The file `rules.toml` of this crate.
    fn default() -> Self {
        Self::from_toml(super::DEFAULT).unwrap_or_else(|_| Self::from(Rules::default()))
    }
}

impl From<Rules> for RuleBook {
    /// A book without groups.
    fn from(rules: Rules) -> Self {
        let text = canonical(&rules);
        Self { base: Arc::new(rules), groups: Vec::new(), sets: BTreeMap::new(), text }
    }
}

fn any<T: PartialEq>(named: &[T], one: &T) -> bool {
    named.is_empty() || named.contains(one)
}

/// Lays one value over another: tables are merged, anything else is replaced.
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

fn in_group(name: &str, line: usize, problem: RulesError) -> RulesError {
    RulesError::InGroup { name: name.to_owned(), line, problem: Box::new(problem) }
}

/// Plain structs of numbers and names have nothing in them that could fail to be written.
fn canonical(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    const HOME: Eligible<'_> =
        Eligible { class: CustomerClass::Residential, model: "m1", kind: ChannelKind::Import };

    const BOOK: &str = r#"
grace_h = 5

[spike]
percent = 170

[[group]]
name = "shops"
class = ["commercial"]
off = ["stuck"]
[group.set.spike]
percent = 300

[[group]]
name = "from July"
from = "2026-07-01"
to = "2026-09-01"
kind = ["import"]
on = ["stuck"]
severity = { spike = "info" }
[group.set]
grace_h = 12

[[group]]
name = "old model"
model = ["m2"]
[group.set.spike]
floor_w = 1
"#;

    #[test]
    fn groups_are_laid_over_each_other_in_order() {
        let book = RuleBook::from_toml(BOOK).unwrap();
        let shop = Eligible { class: CustomerClass::Commercial, ..HOME };
        let old = Eligible { model: "m2", ..shop };
        let (may, july, september) = (date(2026, 5, 1), date(2026, 7, 1), date(2026, 9, 1));
        // day, who, grace, percent, floor, stuck, severity of a spike
        let rows = [
            (may, HOME, 5, 170, 1000, true, Severity::Fail),
            (may, shop, 5, 300, 1000, false, Severity::Fail),
            (july, shop, 12, 300, 1000, true, Severity::Info),
            (september, shop, 5, 300, 1000, false, Severity::Fail),
            (july, Eligible { kind: ChannelKind::Gas, ..shop }, 5, 300, 1000, false, Severity::Fail),
            (may, old, 5, 300, 1, false, Severity::Fail),
            (july, Eligible { model: "m2", ..HOME }, 12, 170, 1, true, Severity::Info),
        ];
        for (day, who, grace_h, percent, floor_w, stuck, severity) in rows {
            let rules = book.rules(day, &who);
            let got = (rules.grace_h, rules.spike.percent, rules.spike.floor_w, rules.is_on(Rule::Stuck));
            assert_eq!(got, (grace_h, percent, floor_w, stuck), "{day} {who:?}");
            assert_eq!(rules.severity(Rule::Spike), severity, "{day} {who:?}");
        }
    }

    #[test]
    fn the_default_book_is_the_default_file() {
        let book = RuleBook::from_toml(super::super::DEFAULT).unwrap();
        assert_eq!(book.base(), &Rules::default());
        assert_eq!(book.text(), RuleBook::default().text());
        let shop = Eligible { class: CustomerClass::Commercial, ..HOME };
        assert_eq!(book.rules(date(2026, 1, 1), &HOME).zero_days.electricity, 3);
        assert_eq!(book.rules(date(2026, 1, 1), &shop).zero_days.electricity, 1);
    }

    #[test]
    fn the_hash_sees_every_change_and_no_comment() {
        let book = RuleBook::from_toml(BOOK).unwrap();
        let commented = BOOK.replace("[[group]]", "# a remark\n[[group]]");
        assert_eq!(book.hash(), RuleBook::from_toml(&commented).unwrap().hash());
        let moved = BOOK.replace("2026-09-01", "2026-09-02");
        assert_ne!(book.hash(), RuleBook::from_toml(&moved).unwrap().hash());
        let rules = Rules::default();
        assert_eq!(rules.hash(), RuleBook::from(rules.clone()).hash());
    }

    #[test]
    fn a_bad_book_is_refused_with_line_and_remedy() {
        let rows = [
            ("percent = 300", "percents = 300", "percents", 12),
            ("percent = 300", "percent = \"much\"", "invalid type", 12),
            ("class = [\"commercial\"]", "class = [\"shop\"]", "unknown variant `shop`", 9),
            ("grace_h = 12", "grace_h = 1000", "at most 744", 14),
            ("to = \"2026-09-01\"", "to = \"2026-06-01\"", "`to` must be after `from`", 14),
            ("grace_h = 5", "grace_h = 999", "at most 744", 2),
            ("percent = 170", "per_cent = 170", "per_cent", 5),
            ("off = [\"stuck\"]", "off = [\"sticky\"]", "sticky", 10),
            ("floor_w = 1\n", "floor_w = 1\n[spike]\nfloor_w = 2\n", "spike", 29),
        ];
        for (good, bad, words, line) in rows {
            assert!(BOOK.contains(good), "{good}");
            let told = RuleBook::from_toml(&BOOK.replacen(good, bad, 1)).unwrap_err().to_string();
            assert!(told.contains(words), "{told}");
            assert!(told.contains(&format!("line {line}")), "{line}: {told}");
        }
    }

    #[test]
    fn thresholds_that_only_clash_together_are_found_when_the_book_is_read() {
        let clash = "[[group]]\nname = \"a\"\n[group.set.high_low]\nlow_percent = 90\n\
                     [[group]]\nname = \"b\"\nclass = [\"lighting\"]\n[group.set.high_low]\nhigh_percent = 80\n";
        let told = RuleBook::from_toml(clash).unwrap_err().to_string();
        assert!(told.contains("`b`") && told.contains("high_low.low_percent"), "{told}");
    }
}
