//! `docs/rules.md` says what the code does: its table is made here from the rules and their thresholds and compared.
//!
//! `WATTLE_WRITE_DOCS=1 cargo test -p vee --test rules_doc` writes it anew.

use std::path::Path;
use vee::{Rule, Rules};

/// Between these lines of the file stands what is made here.
const BEGIN: &str = "<!-- made by crates/vee/tests/rules_doc.rs -->";
const END: &str = "<!-- end -->";

/// For whom a rule is, which thresholds it has, and where rule and thresholds come from.
const ABOUT: &[(Rule, &str, &[&str], &str)] = &[
    (Rule::SystemClock, "what was read by the head-end", &["clock.system_ms"], "DASMMD, name; own tolerance"),
    (Rule::Clock, "what was read by the head-end", &["clock.meter_s"], "DASMMD, three minutes from memory"),
    (Rule::Identification, "what was read by the head-end; installation on record", &[], "DASMMD, name"),
    (Rule::Duplicate, "every channel", &[], "published rule lists of products"),
    (Rule::Gap, "every channel", &["grace_h"], "DASMMD, name; own grace"),
    (Rule::Overlap, "every batch", &[], "published rule lists of products"),
    (Rule::Unit, "every batch", &[], "published rule lists of products"),
    (Rule::Multiplier, "meters that tell their ratio or scaler", &[], "published rule lists of products"),
    (Rule::Overflow, "meters with a counter of known width, or a flag", &[], "DASMMD, name"),
    (Rule::TestMode, "meters with the flag", &[], "DASMMD, name"),
    (
        Rule::SumCheck,
        "additive channels with registers",
        &["sum_tolerance_permille", "sum_tolerance_steps"],
        "DASMMD, name; tolerance from memory, not calibrated",
    ),
    (
        Rule::Spike,
        "additive channels",
        &[
            "spike.percent",
            "spike.floor_w",
            "spike.floor_gas_l_per_h",
            "spike.floor_water_l_per_h",
            "spike.over",
        ],
        "DASMMD: shape; 180 % from memory; own floors",
    ),
    (
        Rule::Jump,
        "additive channels",
        &["jump.percent", "jump.floor_w", "jump.floor_gas_l_per_h", "jump.floor_water_l_per_h"],
        "published rule lists of products; own threshold, not calibrated",
    ),
    (
        Rule::Reactive,
        "import beside reactive import",
        &["power_factor.min_percent", "power_factor.hours", "power_factor.floor_var"],
        "DASMMD, name; own formula, not calibrated",
    ),
    (
        Rule::HighLow,
        "import, gas, water: days; voltage: intervals",
        &[
            "high_low.low_percent",
            "high_low.high_percent",
            "high_low.min_difference_wh",
            "high_low.min_difference_l",
            "high_low.min_days",
            "voltage_low_percent",
            "voltage_high_percent",
            "estimation.proxy_difference_dc",
        ],
        "DASMMD and products, name; own thresholds, not calibrated; days as warm as this one count where temperatures are known",
    ),
    (
        Rule::Capacity,
        "electricity with a rating; additive channels with months",
        &[
            "demand.percent",
            "demand.floor_w",
            "demand.floor_gas_l_per_h",
            "demand.floor_water_l_per_h",
            "demand.min_days",
        ],
        "products: historical maximum; own factor, not calibrated",
    ),
    (
        Rule::Zero,
        "import, gas, water of supplied services",
        &["zero_days.electricity", "zero_days.gas", "zero_days.water"],
        "DASMMD and products, name; own days, not calibrated",
    ),
    (
        Rule::Inactive,
        "import, gas, water while off or vacant",
        &["inactive.wh", "inactive.l"],
        "DASMMD, name; own limit",
    ),
    (Rule::Negative, "channels that count one way", &[], "published rule lists of products"),
    (
        Rule::ReverseEnergy,
        "export without generation on file",
        &["reverse_energy_wh"],
        "own rule, not calibrated",
    ),
    (
        Rule::Stuck,
        "additive channels but export and generation",
        &["stuck.count", "stuck.floor"],
        "IEC 61968-9 has the flag; own count, not calibrated",
    ),
    (
        Rule::Register,
        "additive channels with registers",
        &[],
        "DASMMD: number of dials; half of the range is own",
    ),
    (
        Rule::RateSum,
        "additive channels with rate registers",
        &[],
        "products and IEC 61968-9; a step for each register",
    ),
    (Rule::Status, "meters with status flags", &[], "IEC 61968-9, reading quality types"),
    (Rule::PartialOutage, "every channel", &[], "DASMMD: power failure within an interval"),
    (Rule::ProlongedEstimation, "every channel", &["prolonged_estimation_d"], "products, name; own days"),
    (Rule::Sibling, "meters with several channels", &["grace_h"], "published rule lists of products"),
    (Rule::Future, "every channel", &["future_tolerance_s"], "own rule"),
    (Rule::DstCompleteness, "every channel", &[], "own rule"),
    (
        Rule::SolarNight,
        "export and generation at a known place",
        &["solar_night.elevation_cdeg", "solar_night.wh"],
        "own rule, not calibrated",
    ),
    (
        Rule::MainCheck,
        "meters with a check meter",
        &["main_check_permille"],
        "AEMO, check metering; 1.5 % is own",
    ),
    (Rule::VoltageEnergy, "energy beside voltage", &["dead_voltage_percent"], "own rule"),
    (Rule::Late, "every channel", &["late_after_d"], "own rule"),
    (
        Rule::Leak,
        "gas, water",
        &["leak.water_l_per_h", "leak.gas_l_per_h"],
        "water practice: no hour of rest",
    ),
    (Rule::ReverseFlow, "gas, water", &["reverse_flow_l"], "own rule, not calibrated"),
    (Rule::RepeatedDay, "additive channels", &[], "own rule, tried with planted faults"),
    (
        Rule::PileUp,
        "channels that count one way",
        &["pile_up.percent", "pile_up.intervals"],
        "own rule, tried with planted faults",
    ),
    (
        Rule::ClockShift,
        "channels that count one way; with registers at once, without after days",
        &["clock_shift.deviations_tenths", "clock_shift.after_change_tenths", "clock_shift.lean_percent"],
        "own rule, tried with planted faults",
    ),
];

/// The value of a threshold as a file writes it.
fn default_of(all: &serde_json::Value, name: &str) -> String {
    let value = name.split('.').fold(all, |value, part| &value[part]);
    assert!(!value.is_null(), "no threshold is called {name}");
    value.to_string().replace('"', "")
}

fn table(all: &serde_json::Value) -> String {
    let mut out = String::from(
        "| # | rule | means | weighs | for | thresholds | where from |\n|---|---|---|---|---|---|---|\n",
    );
    for rule in Rule::ALL {
        let about = ABOUT.iter().filter(|(of, ..)| of == rule).collect::<Vec<_>>();
        let [(_, whom, thresholds, source)] = about[..] else {
            panic!("{} stands {} times", rule.name(), about.len())
        };
        let set: Vec<String> =
            thresholds.iter().map(|name| format!("`{name} = {}`", default_of(all, name))).collect();
        let row = format!(
            "| {} | `{}` | {} | {} | {whom} | {} | {source} |\n",
            rule.code(),
            rule.name(),
            rule.meaning(),
            rule.default_severity().name(),
            set.join(" ")
        );
        out.push_str(&row);
    }
    out
}

#[test]
fn the_page_says_what_the_code_does() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/rules.md");
    let text = std::fs::read_to_string(&path).unwrap();
    let (head, rest) = text.split_once(BEGIN).unwrap();
    let (_, tail) = rest.split_once(END).unwrap();
    let all = serde_json::to_value(Rules::default()).unwrap();
    let wanted = format!("{head}{BEGIN}\n\n{}\n{END}{tail}", table(&all));
    if std::env::var_os("WATTLE_WRITE_DOCS").is_some() {
        std::fs::write(&path, &wanted).unwrap();
        return;
    }
    assert!(
        text == wanted,
        "docs/rules.md is stale: run WATTLE_WRITE_DOCS=1 cargo test -p vee --test rules_doc"
    );
}
