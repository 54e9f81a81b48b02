//! Every rule of the catalogue between a case in which it speaks and the nearest one in which it does not.
//!
//! A rule without both kinds of row fails, so a new rule cannot come without them.
#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

mod beside;
mod gate;
mod scene;
mod shape;
mod totals;

use model::CustomerClass;
use scene::Scene;
use std::collections::BTreeMap;
use vee::{Rule, Severity};

/// One case of one rule.
#[derive(Debug)]
pub(crate) struct Row {
    rule: Rule,
    /// What is tried.
    name: &'static str,
    /// Whether the rule speaks.
    speaks: bool,
    scene: Scene,
}

pub(crate) fn speaks(rule: Rule, name: &'static str, scene: Scene) -> Row {
    Row { rule, name, speaks: true, scene }
}

pub(crate) fn rests(rule: Rule, name: &'static str, scene: Scene) -> Row {
    Row { rule, name, speaks: false, scene }
}

fn table() -> Vec<Row> {
    [gate::rows(), totals::rows(), shape::rows(), beside::rows()].into_iter().flatten().collect()
}

#[test]
fn each_rule_speaks_where_it_should_and_not_one_step_before() {
    let mut wrong = Vec::new();
    for row in table() {
        let found = row.scene.rules();
        if found.contains(&row.rule) != row.speaks {
            let said = if row.speaks { "does not speak" } else { "speaks" };
            wrong.push(format!("{} {said}: {}; found {found:?}", row.rule.name(), row.name));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_rule_is_without_both() {
    let mut rows: BTreeMap<Rule, [u32; 2]> = BTreeMap::new();
    for row in table() {
        rows.entry(row.rule).or_default()[usize::from(row.speaks)] += 1;
    }
    for rule in Rule::ALL {
        let [rests, speaks] = rows.get(rule).copied().unwrap_or_default();
        assert!(
            speaks > 0 && rests > 0,
            "{} has {speaks} cases that speak and {rests} that rest",
            rule.name()
        );
    }
}

#[test]
fn the_quiet_day_is_quiet() {
    for kind in model::ChannelKind::ALL {
        // Water and gas that never rest are a leak.
        let scene = Scene::of(kind).with(&[(3, 0)]).arriving();
        let allowed = if kind == model::ChannelKind::Export { vec![Rule::ReverseEnergy] } else { vec![] };
        assert_eq!(scene.rules().into_iter().collect::<Vec<_>>(), allowed, "{kind:?}");
    }
}

/// The first case of each rule in which it speaks, under another rule set.
fn each(change: impl Fn(&Row) -> (Scene, &'static str, bool)) {
    for rule in Rule::ALL {
        let row = table().into_iter().find(|row| row.rule == *rule && row.speaks).unwrap();
        let (scene, why, speaks) = change(&row);
        assert_eq!(scene.rules().contains(rule), speaks, "{}: {why}", rule.name());
    }
}

#[test]
fn a_rule_that_is_switched_off_rests() {
    each(|row| {
        let group = format!("[[group]]\nname = \"off\"\noff = [\"{}\"]\n", row.rule.name());
        (row.scene.in_group(&group), "switched off for everybody", false)
    });
}

#[test]
fn a_rule_that_is_off_for_others_speaks() {
    for (class, speaks) in [(CustomerClass::Lighting, false), (CustomerClass::Residential, true)] {
        each(|row| {
            let group = format!(
                "[[group]]\nname = \"lamps\"\nclass = [\"lighting\"]\noff = [\"{}\"]\n",
                row.rule.name()
            );
            (row.scene.in_group(&group).of_class(class), class.name(), speaks)
        });
    }
}

#[test]
fn a_rule_that_is_off_for_a_model_or_later_speaks_elsewhere() {
    for (model, date, speaks) in [
        ("one-phase", "2000-01-01", false),
        ("three-phase", "2000-01-01", true),
        ("one-phase", "2027-01-01", true),
    ] {
        each(|row| {
            let group = format!(
                "[[group]]\nname = \"model\"\nmodel = [\"one-phase\"]\nfrom = \"{date}\"\noff = [\"{}\"]\n",
                row.rule.name()
            );
            (Scene { model, ..row.scene.in_group(&group) }, model, speaks)
        });
    }
}

#[test]
fn a_rule_weighs_what_the_rule_set_says() {
    for rule in Rule::ALL {
        let row = table().into_iter().find(|row| row.rule == *rule && row.speaks).unwrap();
        for (text, severity) in [("fail", Severity::Fail), ("issue", Severity::Issue)] {
            let group = format!("[[group]]\nname = \"w\"\n[group.severity]\n{} = \"{text}\"\n", rule.name());
            let found = row.scene.in_group(&group).findings();
            let of_rule = found.iter().find(|finding| finding.rule == *rule).unwrap();
            assert_eq!(of_rule.severity, severity, "{}", rule.name());
            assert!(!of_rule.slots.is_empty() && !of_rule.sentence.is_empty(), "{of_rule:?}");
        }
    }
}
