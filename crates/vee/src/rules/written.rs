//! A rule book as the file that it would be read from, and how two books differ.

use super::book::{Group, RuleBook};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

/// A threshold, severity or switch in which two books differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The group that says so; `None` for everybody.
    pub group: Option<String>,
    /// Its name in the file: `spike.percent`.
    pub key: String,
    /// What it was; `None` where nothing was said.
    pub before: Option<String>,
    /// What it is.
    pub after: Option<String>,
}

/// A rules file with these thresholds for everybody and these groups, in the words of [`RuleBook::from_toml`].
///
/// # Errors
/// What the serialiser says; rules always can be written.
pub fn to_toml(everybody: Value, groups: &[Group]) -> Result<String, toml::ser::Error> {
    let mut text = toml::to_string(&without_nulls(everybody))?;
    // The book reads everything from the first group on as groups, so they come last.
    if !groups.is_empty() {
        let groups = serde_json::to_value(groups).unwrap_or_default();
        let table = Value::Object(Map::from_iter([("group".to_owned(), groups)]));
        text.push('\n');
        text.push_str(&toml::to_string(&without_nulls(table))?);
    }
    Ok(text)
}

impl RuleBook {
    /// The book as a file that [`RuleBook::from_toml`] reads.
    ///
    /// # Errors
    /// What the serialiser says; rules always can be written.
    pub fn to_toml(&self) -> Result<String, toml::ser::Error> {
        to_toml(serde_json::to_value(self.base()).unwrap_or_default(), self.groups())
    }

    /// In what `other` differs from this book: thresholds of everybody first, then group by group, by name.
    pub fn differences(&self, other: &Self) -> Vec<Difference> {
        let base = |book: &Self| flat(&serde_json::to_value(book.base()).unwrap_or_default());
        let mut found = Vec::new();
        compare(None, &base(self), &base(other), &mut found);
        let named = |book: &Self| -> BTreeMap<String, BTreeMap<String, String>> {
            let values = book.groups().iter();
            values
                .map(|group| (group.name.clone(), flat(&serde_json::to_value(group).unwrap_or_default())))
                .collect()
        };
        let (before, after) = (named(self), named(other));
        let none = BTreeMap::new();
        for name in before.keys().chain(after.keys()).collect::<BTreeSet<_>>() {
            let (was, is) = (before.get(name).unwrap_or(&none), after.get(name).unwrap_or(&none));
            compare(Some(name), was, is, &mut found);
        }
        found
    }
}

fn compare(
    group: Option<&String>,
    before: &BTreeMap<String, String>,
    after: &BTreeMap<String, String>,
    found: &mut Vec<Difference>,
) {
    for key in before.keys().chain(after.keys()).collect::<BTreeSet<_>>() {
        let (was, is) = (before.get(key), after.get(key));
        if was != is {
            let (group, key) = (group.cloned(), key.clone());
            found.push(Difference { group, key, before: was.cloned(), after: is.cloned() });
        }
    }
}

/// Every single value by its name in the file.
pub(super) fn flat(value: &Value) -> BTreeMap<String, String> {
    fn walk(path: &str, value: &Value, found: &mut BTreeMap<String, String>) {
        match value {
            Value::Object(table) => {
                for (key, value) in table {
                    let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                    walk(&path, value, found);
                }
            }
            Value::Null => {}
            Value::String(text) => {
                found.insert(path.to_owned(), text.clone());
            }
            other => {
                found.insert(path.to_owned(), other.to_string());
            }
        }
    }
    let mut found = BTreeMap::new();
    walk("", value, &mut found);
    found
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

    #[test]
    fn a_book_is_written_as_the_file_it_would_be_read_from() {
        let shops = "grace_h = 5\n[[group]]\nname = \"shops\"\nclass = [\"commercial\"]\n[group.set.spike]\npercent = 300\n";
        for book in [RuleBook::default(), RuleBook::from_toml(shops).unwrap()] {
            let text = book.to_toml().unwrap();
            assert_eq!(RuleBook::from_toml(&text).unwrap().hash(), book.hash(), "{text}");
        }
    }

    #[test]
    fn two_books_differ_by_name() {
        let before = RuleBook::from_toml("grace_h = 5").unwrap();
        let shops =
            "grace_h = 6\n[[group]]\nname = \"shops\"\noff = [\"stuck\"]\n[group.set.spike]\npercent = 300\n";
        let after = RuleBook::from_toml(shops).unwrap();
        let told: Vec<_> = before
            .differences(&after)
            .into_iter()
            .map(|one| (one.group, one.key, one.before, one.after))
            .collect();
        let said = |text: &str| Some(text.to_owned());
        assert_eq!(
            told,
            [
                (None, "grace_h".to_owned(), said("5"), said("6")),
                (said("shops"), "name".to_owned(), None, said("shops")),
                (said("shops"), "off".to_owned(), None, said("[\"stuck\"]")),
                (said("shops"), "set.spike.percent".to_owned(), None, said("300")),
            ]
        );
        assert!(after.differences(&after).is_empty());
    }
}
