use crate::{MeterModel, ModelError};

#[test]
fn every_model_that_comes_with_wattle_parses() {
    for name in MeterModel::builtin_names() {
        let model = MeterModel::builtin(name).unwrap_or_else(|| panic!("{name}"));
        assert_eq!(model.name, name);
        let mut names: Vec<_> = model.objects.iter().map(|entry| (entry.class, entry.object)).collect();
        names.sort();
        let all = names.len();
        names.dedup();
        assert_eq!(names.len(), all, "{name} lists an object twice");
    }
    assert!(MeterModel::builtin("steam").is_none());
}

#[test]
fn what_a_meter_cannot_be_is_refused_by_name() {
    let good = include_str!("../../../../profiles/electricity.toml");
    let table = [
        ("interval_s = 900", "interval_s = 420", "its interval of 420 s"),
        ("register_digits = 9", "register_digits = 12", "register_digits"),
        ("rate = 1 }", "rate = 5 }", "rate other than 1 to 4"),
        ("at = \"16:00\"", "at = \"16:05\"", "inside a profile interval"),
        ("at = \"16:00\"", "at = \"06:00\"", "do not start at 00:00 and rise"),
        ("week = [1, 1,", "week = [9, 1,", "names a day profile"),
        ("at = \"16:00\"", "at = \"4 pm\"", "`4 pm` is no time of day"),
        ("\"clock\", \"import\",", "\"clock\", \"volume\",", "cannot hold Volume"),
        ("shows = \"interval_voltage\"\nobis", "shows = \"voltage\"\nobis", "cannot hold Voltage"),
        ("columns = [\"clock\", \"event_code\"", "columns = [\"clock\", \"import\"", "cannot hold Import"),
        ("manufacturer = \"WTL\"", "manufacturer = \"WATTLE\"", "three letters"),
        ("name = \"electricity\"", "name = \"electricity\"\ncolour = \"grey\"", "colour"),
        ("obis = \"1-0:99.1.0.255\"", "obis = \"load profile\"", "is no OBIS code"),
    ];
    assert!(MeterModel::parse(good).is_ok());
    for (from, to, says) in table {
        assert!(good.contains(from), "{from}");
        let error = MeterModel::parse(&good.replacen(from, to, 1)).unwrap_err();
        assert!(error.to_string().contains(says), "{to}: {error}");
    }
    assert!(matches!(MeterModel::parse("nonsense"), Err(ModelError::Toml(_))));
}

#[test]
fn an_interval_column_must_not_lose_digits() {
    let good = include_str!("../../../../profiles/electricity.toml");
    let kilo = good.replacen("obis = \"1-0:1.29.0.255\"", "obis = \"1-0:1.29.0.255\"\nscaler = 3", 1);
    assert!(matches!(MeterModel::parse(&kilo), Err(ModelError::Column { .. })));
}
