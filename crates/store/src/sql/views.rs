//! The views that people read, written once for both engines.
//!
//! `wattle_utc`, `wattle_date`, `wattle_amount`, `wattle_quality` and the words of codes are functions of the same names on
//! either engine. What a channel has of a day comes from `wattle_unpacked` and `wattle_counted`: on PostgreSQL they give
//! rows, on SQLite the JSON of rows.

use model::{ChannelKind, EventKind, Quality, QualityClass, Unit};

/// A column of a view.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SqlColumn {
    /// Its name.
    pub name: &'static str,
    /// What it holds, in a few words.
    pub about: &'static str,
    text: &'static str,
}

/// A view that anybody may read who may read at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SqlView {
    /// Its name.
    pub name: &'static str,
    /// What one row of it is.
    pub about: &'static str,
    /// Its columns, in order.
    pub columns: &'static [SqlColumn],
    from: &'static str,
}

/// How an engine spells what the other spells differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Spelling {
    /// Functions give JSON.
    Lite,
    /// Functions give rows.
    Pg,
}

const fn column(name: &'static str, text: &'static str, about: &'static str) -> SqlColumn {
    SqlColumn { name, about, text }
}

/// What `wattle_unpacked` gives of an interval, in order.
const UNPACKED: [&str; 6] = ["slot", "start_s", "length_s", "reading", "mark", "version"];
/// What `wattle_counted` gives of a day, in order.
const COUNTED: [&str; 7] = ["version", "sealed", "expected", "present", "estimated", "total", "recorded_s"];

const METER: SqlColumn = column("meter", "m.serial", "serial of the meter");
const POINT: SqlColumn =
    column("service_point", "s.number", "number of the service point; null in the store room");
const CHANNEL: SqlColumn = column("channel", "c.id", "number of the channel");
const KIND: SqlColumn = column("kind", "wattle_kind(c.kind)", "import, export, voltage, gas, water, net ...");
const UNIT: SqlColumn = column("unit", "wattle_unit(c.kind)", "unit of the amount: Wh, varh, V, m³");
const DATE: SqlColumn = column("day", "d.day", "local day of the utility");

/// Channel by channel of one day after another: a page of many channels then is unpacked once.
const EACH_DAY: &str = "wattle_calendar d CROSS JOIN meter m JOIN channel c ON c.meter = m.id \
                        LEFT JOIN service_point s ON s.id = m.service_point";
const OF_CHANNEL: &str = "JOIN channel c ON c.id = t.channel JOIN meter m ON m.id = c.meter";

/// Every view.
pub const SQL_VIEWS: &[SqlView] = &[
    SqlView {
        name: "wattle_interval",
        about: "an interval of a channel, in the newest version of its day",
        columns: &[
            METER,
            POINT,
            CHANNEL,
            KIND,
            DATE,
            column("slot", "v.slot", "which interval of the day, from 0"),
            column("start", "wattle_utc(v.start_s)", "when it begins, UTC"),
            column("length_s", "v.length_s", "how long it is, seconds"),
            column(
                "value",
                "v.reading",
                "integer as stored: Wh, varh, tenths of a volt, litres; null where missing",
            ),
            column(
                "amount",
                "wattle_amount(v.reading, wattle_exponent(c.kind))",
                "the same in the unit, exact decimal",
            ),
            UNIT,
            column(
                "quality",
                "wattle_quality(v.mark)",
                "valid, estimated_linear, missing ... and flags after a plus sign",
            ),
            column("version", "v.version", "version of the day"),
        ],
        from: "EACH_DAY UNPACKED",
    },
    SqlView {
        name: "wattle_day",
        about: "a day of a channel, in its newest version, counted",
        columns: &[
            METER,
            POINT,
            CHANNEL,
            KIND,
            DATE,
            column("version", "v.version", "its number, from 1"),
            column("sealed", "v.sealed", "1 when it never changes any more"),
            column("expected", "v.expected", "intervals of the day"),
            column("present", "v.present", "those that were read"),
            column("estimated", "v.estimated", "those that were estimated, edited or derived"),
            column("value", "v.total", "sum of all values as stored"),
            column(
                "amount",
                "wattle_amount(v.total, wattle_exponent(c.kind))",
                "the same in the unit, exact decimal",
            ),
            UNIT,
            column("recorded", "wattle_utc(v.recorded_s)", "when this version was made, UTC"),
        ],
        from: "EACH_DAY COUNTED",
    },
    SqlView {
        name: "wattle_meter",
        about: "a meter and where it hangs",
        columns: &[
            METER,
            column("model", "m.model", "its model"),
            column("commodity", "m.commodity", "electricity, gas, water"),
            POINT,
            column("premise", "p.number", "number of the premise"),
            column("town", "p.town", "where that is"),
            column("account", "u.account", "account of the customer"),
            column(
                "rate_class",
                "(SELECT e.rate_class FROM rate_class_since e WHERE e.service_point = s.id ORDER BY e.id DESC LIMIT 1)",
                "rate class of the service point, as it was said last",
            ),
            column("transformer", "t.name", "transformer that feeds it"),
            column("feeder", "t.feeder", "feeder of that"),
            column("installed", "wattle_utc(m.installed_ms / 1000)", "since when, UTC"),
            column("retired", "wattle_utc(m.retired_ms / 1000)", "until when, UTC; null while it is in use"),
        ],
        from: "meter m LEFT JOIN service_point s ON s.id = m.service_point LEFT JOIN premise p ON p.id = s.premise \
               LEFT JOIN customer u ON u.id = s.customer LEFT JOIN transformer t ON t.id = s.transformer",
    },
    SqlView {
        name: "wattle_channel",
        about: "a channel: one kind of value of one meter",
        columns: &[
            METER,
            POINT,
            CHANNEL,
            KIND,
            column("interval_s", "c.interval_s", "how long its intervals are, seconds"),
            column("exponent", "wattle_exponent(c.kind)", "amount = value × 10 to this power"),
            UNIT,
        ],
        from: "channel c JOIN meter m ON m.id = c.meter LEFT JOIN service_point s ON s.id = m.service_point",
    },
    SqlView {
        name: "wattle_register",
        about: "a cumulative register as it was read",
        columns: &[
            METER,
            column("kind", "wattle_kind(t.kind)", "what it counts"),
            column("tou", "t.tou", "which of the time-of-use registers; 0 is the total"),
            column("at", "wattle_utc(t.at_s)", "when it stood so, UTC"),
            column("value", "t.raw", "integer as read"),
            column("exponent", "t.scaler", "amount = value × 10 to this power"),
            column("amount", "wattle_amount(t.raw, t.scaler)", "what it showed, exact decimal"),
            column("unit", "wattle_symbol(t.unit)", "unit of the amount"),
            column("received", "wattle_utc(t.received_ms / 1000)", "when we learned of it, UTC"),
        ],
        from: "register_read t JOIN meter m ON m.id = t.meter",
    },
    SqlView {
        name: "wattle_event",
        about: "an event that a meter reported",
        columns: &[
            METER,
            column("at", "wattle_utc(t.at_ms / 1000)", "when, by the meter's clock, UTC"),
            column("event", "wattle_event_word(t.kind)", "what, in words"),
            column(
                "clock_doubtful",
                "CASE WHEN t.clock = 0 THEN 0 ELSE 1 END",
                "1 when that clock was not trusted",
            ),
            column("received", "wattle_utc(t.received_ms / 1000)", "when we learned of it, UTC"),
        ],
        from: "event t JOIN meter m ON m.id = t.meter",
    },
    SqlView {
        name: "wattle_finding",
        about: "what validation found in a day",
        columns: &[
            METER,
            CHANNEL,
            KIND,
            column("day", "wattle_date(t.day)", "local day of the utility"),
            column("rule", "t.rule", "which rule"),
            column("severity", "t.severity", "how grave"),
            column("first", "t.first", "first interval of the day that it concerns, from 0"),
            column("count", "t.count", "how many"),
            column("version", "t.version", "version of the day that was judged"),
            column("sentence", "t.sentence", "why, in words, with the numbers"),
            column("found", "wattle_utc(t.found_ms / 1000)", "when, UTC"),
        ],
        from: "finding t OF_CHANNEL",
    },
    SqlView {
        name: "wattle_edit",
        about: "what a person did to a day",
        columns: &[
            METER,
            CHANNEL,
            KIND,
            column("day", "wattle_date(t.day)", "local day of the utility"),
            column("at", "wattle_utc(t.at_ms / 1000)", "when, UTC"),
            column("person", "u.name", "who: the name of the account"),
            column("operation", "t.op", "what, as the editing bench writes it"),
            column("slots", "t.slots", "to which intervals, from 0"),
            column("reason", "t.reason", "why, as a code"),
            column("note", "t.note", "why, in words"),
            column("version_before", "t.version_before", "the version that they saw"),
            column("version_after", "t.version_after", "the version that stood afterwards"),
        ],
        from: "edit_log t OF_CHANNEL LEFT JOIN user u ON u.id = t.by_user",
    },
];

impl SqlView {
    /// What defines it: `CREATE .. VIEW name AS` this.
    pub(super) fn definition(&self, spelling: Spelling) -> String {
        let columns: Vec<String> =
            self.columns.iter().map(|one| format!("{} AS {}", one.text, quoted(one.name))).collect();
        let text = format!("SELECT {} FROM {}", columns.join(", "), self.from);
        let text = text.replace("EACH_DAY", EACH_DAY).replace("OF_CHANNEL", OF_CHANNEL);
        let (call, fields): (_, &[&str]) = if text.contains("COUNTED") {
            ("wattle_counted", &COUNTED)
        } else {
            ("wattle_unpacked", &UNPACKED)
        };
        let rows = match spelling {
            Spelling::Lite => format!("CROSS JOIN json_each({call}(c.id, d.number)) v"),
            Spelling::Pg => format!("CROSS JOIN LATERAL {call}(c.id, d.number) v"),
        };
        let mut text = text.replace("UNPACKED", &rows).replace("COUNTED", &rows);
        match spelling {
            Spelling::Lite => {
                for (index, field) in fields.iter().enumerate() {
                    text = text.replace(&format!("v.{field}"), &format!("(v.value ->> {index})"));
                }
            }
            Spelling::Pg => text = text.replace("JOIN user u", "JOIN \"user\" u"),
        }
        text
    }
}

/// Some names are words of the language.
fn quoted(name: &str) -> String {
    format!("\"{name}\"")
}

/// The functions that turn codes into words, in PostgreSQL's words.
pub(crate) fn word_functions() -> String {
    let cases = |all: Vec<(u8, String)>| -> String {
        all.into_iter().map(|(code, text)| format!("WHEN {code} THEN {text} ")).collect()
    };
    let text = |word: &str| format!("'{}'", word.replace('\'', "''"));
    let kinds = |of: &dyn Fn(ChannelKind) -> String| {
        cases(ChannelKind::ALL.into_iter().map(|kind| (kind.code(), of(kind))).collect())
    };
    let functions = [
        ("wattle_kind", "text", kinds(&|kind| text(kind.name()))),
        ("wattle_unit", "text", kinds(&|kind| text(kind.stored_unit().0.symbol()))),
        ("wattle_exponent", "int", kinds(&|kind| kind.stored_unit().1.to_string())),
        (
            "wattle_symbol",
            "text",
            cases(
                (0..=u8::MAX)
                    .filter_map(|code| Some((code, text(Unit::from_code(code)?.symbol()))))
                    .collect(),
            ),
        ),
        (
            "wattle_event_word",
            "text",
            cases(EventKind::ALL.iter().map(|kind| (kind.log_code(), text(kind.text()))).collect()),
        ),
    ];
    let define = |(name, kind, cases): (&str, &str, String)| {
        format!(
            "CREATE OR REPLACE FUNCTION {name}(code bigint) RETURNS {kind} LANGUAGE sql IMMUTABLE PARALLEL SAFE AS \
             $$ SELECT CASE code {cases} END $$;\n"
        )
    };
    functions.into_iter().map(define).chain([quality()]).collect()
}

/// The class of a value and its flags, as [`Quality::word`] has them.
fn quality() -> String {
    let classes: String = QualityClass::ALL
        .iter()
        .map(|class| format!("WHEN {} THEN '{}' ", *class as u8, class.name()))
        .collect();
    let flag = |flag: u8| {
        let word = Quality::RAW.with(flag).word();
        let added = word.strip_prefix(QualityClass::Raw.name()).unwrap_or_default();
        format!(" || CASE WHEN mark & {flag} = 0 THEN '' ELSE '{added}' END")
    };
    let flags: String = [Quality::POWER_FAIL, Quality::PARTIAL, Quality::CLOCK_DOUBTFUL, Quality::SUPERSEDED]
        .map(flag)
        .concat();
    format!(
        "CREATE OR REPLACE FUNCTION wattle_quality(mark int) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS \
         $$ SELECT CASE mark & 15 {classes} END{flags} $$;\n"
    )
}

/// All views, for PostgreSQL, open to the role of readers.
pub(crate) fn definitions() -> String {
    let mut script = String::new();
    for view in SQL_VIEWS {
        let (name, text) = (view.name, view.definition(Spelling::Pg));
        // A column of another type needs the view dropped, which fails by name where somebody has built upon it.
        script += &format!(
            "DO $$ BEGIN CREATE OR REPLACE VIEW {name} AS {text}; EXCEPTION WHEN invalid_table_definition THEN \
             DROP VIEW {name}; CREATE VIEW {name} AS {text}; END $$;\n"
        );
    }
    let names: Vec<&str> = SQL_VIEWS.iter().map(|view| view.name).collect();
    // Another database of the cluster may have made the role since this transaction began, so it is not looked for.
    script
        + &format!(
            "DROP VIEW IF EXISTS wattle_folded_month; DROP FUNCTION IF EXISTS wattle_page(bytea, int, int); \
             DO $$ BEGIN GRANT SELECT ON {} TO wattle_read; EXCEPTION WHEN undefined_object THEN NULL; END $$;",
            names.join(", ")
        )
}
