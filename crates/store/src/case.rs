//! The exception queue: findings with what people decided about them.

use crate::column::{commodity, commodity_name, day_number, day_of, execute, maybe_millis, rows};
use crate::engine::{Row, Value};
use crate::finding::{self, StoredFinding, origin_code};
use crate::{Read, Result, Write};
use jiff::Timestamp;
use jiff::civil::Date;
use model::{ChannelId, ChannelKind, CollectorId, Commodity, MeterId, Serial, UserId};

/// How far an exception has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CaseState {
    /// Nobody has decided yet, or what was decided no longer fits what is found.
    Open,
    /// Looked at and found to be in order.
    Accepted,
    /// The values were changed by a person.
    Edited,
    /// The reading was refused by a person.
    Rejected,
    /// A later validation does not find it any more.
    Closed,
}

impl CaseState {
    /// Every state.
    pub const ALL: [Self; 5] = [Self::Open, Self::Accepted, Self::Edited, Self::Rejected, Self::Closed];

    const fn code(self) -> u8 {
        match self {
            Self::Open => 1,
            Self::Accepted => 2,
            Self::Edited => 3,
            Self::Rejected => 4,
            Self::Closed => 5,
        }
    }

    /// As printed and as written in an address.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Accepted => "accepted",
            Self::Edited => "edited",
            Self::Rejected => "rejected",
            Self::Closed => "closed",
        }
    }

    /// The state of a [`CaseState::name`].
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }

    fn of(code: u8) -> Result<Self> {
        Self::ALL
            .into_iter()
            .find(|state| state.code() == code)
            .ok_or_else(|| crate::column::corrupt("state of an exception"))
    }
}

/// Which exceptions; every condition that is `Some` must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExceptionFilter {
    /// Of this rule.
    pub rule: Option<String>,
    /// Of one of these severities; empty is any.
    pub severities: Vec<String>,
    /// Of this commodity.
    pub commodity: Option<Commodity>,
    /// Of meters behind this collector.
    pub collector: Option<CollectorId>,
    /// Of this channel.
    pub channel: Option<ChannelId>,
    /// About this day or later.
    pub from: Option<Date>,
    /// About days before this one.
    pub to: Option<Date>,
    /// In this state.
    pub state: Option<CaseState>,
    /// In the hands of this person.
    pub assignee: Option<UserId>,
    /// Part of the serial number, address or premise number.
    pub text: Option<String>,
}

/// By what the queue is sorted; equal ones by day, channel, interval and rule.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum ExceptionSort {
    /// The oldest day first.
    #[default]
    Oldest,
    /// The newest day first.
    Newest,
    /// The gravest first.
    Severity,
    /// By serial number.
    Meter,
}

/// One exception: a finding, whose it is, and how far it has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exception {
    /// What was found.
    pub finding: StoredFinding,
    /// How far it has come.
    pub state: CaseState,
    /// Who has it in hand.
    pub assignee: Option<UserId>,
    /// What was noted about it; empty for nothing.
    pub note: String,
    /// Who decided last.
    pub decided_by: Option<UserId>,
    /// And when.
    pub decided_at: Option<Timestamp>,
    /// Whose meter.
    pub meter: MeterId,
    /// On its plate.
    pub serial: Serial,
    /// What the channel measures.
    pub kind: ChannelKind,
    /// What is delivered.
    pub commodity: Commodity,
    /// Where it is.
    pub address: Option<String>,
}

/// The exceptions of one rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExceptionGroup {
    /// The rule.
    pub rule: String,
    /// The gravest severity among them.
    pub severity: String,
    /// How many.
    pub count: u64,
    /// Of how many meters.
    pub meters: u64,
    /// The oldest day.
    pub oldest: Date,
    /// The newest day.
    pub newest: Date,
}

/// What a person, or a validation, decided about a finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// About what; the decision holds while the sentence stays the same.
    pub finding: StoredFinding,
    /// How far it has come.
    pub state: CaseState,
    /// Who has it in hand.
    pub assignee: Option<UserId>,
    /// What was noted; empty for nothing.
    pub note: String,
    /// Who decided; `None` for a validation.
    pub user: Option<UserId>,
    /// When.
    pub changed_at: Timestamp,
}

/// Findings of now with their cases. A decision about the values holds for a finding of validation only if it is gone.
const PRESENT: &str = "SELECT f.day AS day, f.channel AS channel, f.origin AS origin, f.rule AS rule, f.first AS first, \
    f.count AS count, f.version AS version, f.severity AS severity, f.sentence AS sentence, f.found_ms AS found_ms, \
    CASE WHEN k.sentence = f.sentence AND (k.state = 2 OR (f.origin = 2 AND k.state IN (3, 4))) THEN k.state ELSE 1 END \
    AS state, k.assignee AS assignee, coalesce(k.note, '') AS note, k.by_user AS by_user, k.changed_ms AS changed_ms \
    FROM finding f LEFT JOIN finding_case k ON k.day = f.day AND k.channel = f.channel AND k.origin = f.origin \
    AND k.rule = f.rule AND k.first = f.first WHERE f.day >= ? AND f.day < ?";
/// Cases whose finding is gone.
const GONE: &str = "SELECT k.day AS day, k.channel AS channel, k.origin AS origin, k.rule AS rule, k.first AS first, \
    k.count AS count, k.version AS version, k.severity AS severity, k.sentence AS sentence, k.found_ms AS found_ms, \
    CASE WHEN k.state IN (1, 2) THEN 5 ELSE k.state END AS state, k.assignee AS assignee, k.note AS note, \
    k.by_user AS by_user, k.changed_ms AS changed_ms FROM finding_case k WHERE k.day >= ? AND k.day < ? \
    AND NOT EXISTS (SELECT 1 FROM finding f WHERE f.day = k.day AND f.channel = k.channel AND f.origin = k.origin \
    AND f.rule = k.rule AND f.first = k.first)";
const AROUND: &str = ") e JOIN channel ch ON ch.id = e.channel JOIN meter m ON m.id = ch.meter \
    LEFT JOIN service_point s ON s.id = m.service_point LEFT JOIN premise p ON p.id = s.premise WHERE 1 = 1";
/// What stands behind the columns of the finding.
const COLUMNS: &str =
    "e.state, e.assignee, e.note, e.by_user, e.changed_ms, m.id, m.serial, ch.kind, m.commodity, p.address";
const RANK: &str = "CASE e.severity WHEN 'info' THEN 1 WHEN 'issue' THEN 2 ELSE 3 END";

/// `FROM ... WHERE ...` and its values.
fn source(filter: &ExceptionFilter) -> (String, Vec<Value<'static>>) {
    let integer = |number: i64| Value::Integer(number);
    let from = filter.from.map_or(i32::MIN, day_number);
    let to = filter.to.map_or(i32::MAX, day_number);
    let mut sql = String::from(" FROM (");
    let mut values = vec![integer(from.into()), integer(to.into())];
    sql.push_str(PRESENT);
    // What is open or accepted is still found, and the rest of the table need not be looked at.
    if !matches!(filter.state, Some(CaseState::Open | CaseState::Accepted)) {
        sql.push_str(" UNION ALL ");
        sql.push_str(GONE);
        values.extend([integer(from.into()), integer(to.into())]);
    }
    sql.push_str(AROUND);
    let mut add = |condition: &str, value: Value<'static>, times: usize| {
        sql.push_str(" AND ");
        sql.push_str(condition);
        values.extend(core::iter::repeat_n(value, times));
    };
    if let Some(rule) = &filter.rule {
        add("e.rule = ?", Value::Text(rule.clone().into()), 1);
    }
    if let Some(commodity) = filter.commodity {
        add("m.commodity = ?", Value::Text(commodity_name(commodity).into()), 1);
    }
    if let Some(collector) = filter.collector {
        add("m.collector = ?", integer(collector.get().into()), 1);
    }
    if let Some(channel) = filter.channel {
        add("e.channel = ?", integer(channel.get().into()), 1);
    }
    if let Some(state) = filter.state {
        add("e.state = ?", integer(state.code().into()), 1);
    }
    if let Some(assignee) = filter.assignee {
        add("e.assignee = ?", integer(assignee.get().into()), 1);
    }
    if let Some(text) = filter.text.as_deref().map(str::trim).filter(|text| !text.is_empty()) {
        let condition = "(instr(lower(m.serial), ?) > 0 OR instr(lower(p.address), ?) > 0 \
                         OR instr(lower(p.number), ?) > 0)";
        add(condition, Value::Text(text.to_lowercase().into()), 3);
    }
    if !filter.severities.is_empty() {
        let marks = vec!["?"; filter.severities.len()].join(", ");
        sql.push_str(&format!(" AND e.severity IN ({marks})"));
        values.extend(filter.severities.iter().cloned().map(|name| Value::Text(name.into())));
    }
    (sql, values)
}

fn exception(row: &Row<'_>) -> Result<Exception> {
    Ok(Exception {
        finding: finding::finding(row)?,
        state: CaseState::of(row.get(10)?)?,
        assignee: row.get::<_, Option<u32>>(11)?.map(UserId::new),
        note: row.get(12)?,
        decided_by: row.get::<_, Option<u32>>(13)?.map(UserId::new),
        decided_at: maybe_millis(row.get(14)?)?,
        meter: MeterId::new(row.get(15)?),
        serial: Serial::new(row.get::<_, String>(16)?),
        kind: crate::column::kind(row.get(17)?)?,
        commodity: commodity(&row.get::<_, String>(18)?)?,
        address: row.get(19)?,
    })
}

impl Read {
    /// The exceptions that `filter` lets through, by rule, the most numerous first.
    ///
    /// # Errors
    /// What the database says.
    pub fn exception_groups(&self, filter: &ExceptionFilter) -> Result<Vec<ExceptionGroup>> {
        let (from, values) = source(filter);
        let sql = format!(
            "SELECT e.rule, max({RANK}), count(*), count(DISTINCT m.id), min(e.day), max(e.day){from} \
             GROUP BY e.rule ORDER BY count(*) DESC, e.rule"
        );
        rows(&self.conn, &sql, values, |row| {
            let rank: u8 = row.get(1)?;
            Ok(ExceptionGroup {
                rule: row.get(0)?,
                severity: ["info", "issue", "fail"][usize::from(rank.clamp(1, 3) - 1)].to_owned(),
                count: row.get(2)?,
                meters: row.get(3)?,
                oldest: day_of(row.get(4)?)?,
                newest: day_of(row.get(5)?)?,
            })
        })
    }

    /// Exceptions `offset..offset + limit` of those that `filter` lets through.
    ///
    /// # Errors
    /// What the database says.
    pub fn exceptions(
        &self,
        filter: &ExceptionFilter,
        sort: ExceptionSort,
        offset: u32,
        limit: u32,
    ) -> Result<Vec<Exception>> {
        let (from, mut values) = source(filter);
        let order = match sort {
            ExceptionSort::Oldest => "e.day",
            ExceptionSort::Newest => "e.day DESC",
            ExceptionSort::Severity => &format!("{RANK} DESC, e.day"),
            ExceptionSort::Meter => "m.serial, e.day",
        };
        let sql = format!(
            "SELECT {}, {COLUMNS}{from} ORDER BY {order}, e.channel, e.first, e.rule, e.origin LIMIT ? OFFSET ?",
            finding::columns("e")
        );
        values.extend([Value::Integer(limit.into()), Value::Integer(offset.into())]);
        rows(&self.conn, &sql, values, exception)
    }

    /// The channels and days next to this one in the queue, the oldest day first: the one before and the one after.
    ///
    /// # Errors
    /// What the database says.
    pub fn exceptions_beside(
        &self,
        filter: &ExceptionFilter,
        channel: ChannelId,
        day: Date,
    ) -> Result<[Option<Exception>; 2]> {
        let beside = |sign: &str, direction: &str| {
            let (from, mut values) = source(filter);
            let sql = format!(
                "SELECT {}, {COLUMNS}{from} AND (e.day {sign} ? OR (e.day = ? AND e.channel {sign} ?)) \
                 ORDER BY e.day {direction}, e.channel {direction}, e.first, e.rule, e.origin LIMIT 1",
                finding::columns("e")
            );
            let day = i64::from(day_number(day));
            values.extend([day, day, i64::from(channel.get())].map(Value::Integer));
            rows(&self.conn, &sql, values, exception)
        };
        Ok([beside("<", "DESC")?.pop(), beside(">", "ASC")?.pop()])
    }
}

impl Write {
    /// Keeps what was decided about a finding, in place of what was decided before.
    ///
    /// # Errors
    /// What the database says.
    pub fn put_case(&self, case: &Case) -> Result<()> {
        let sql = "INSERT INTO finding_case (day, channel, origin, rule, first, count, version, severity, sentence, \
                   found_ms, state, assignee, note, by_user, changed_ms) \
                   VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) \
                   ON CONFLICT (day, channel, origin, rule, first) DO UPDATE SET count = excluded.count, \
                   version = excluded.version, severity = excluded.severity, sentence = excluded.sentence, \
                   found_ms = excluded.found_ms, state = excluded.state, assignee = excluded.assignee, \
                   note = excluded.note, by_user = excluded.by_user, changed_ms = excluded.changed_ms";
        let finding = &case.finding;
        let values = (
            day_number(finding.day),
            finding.channel.get(),
            origin_code(finding.origin),
            &finding.rule,
            finding.first,
            finding.count,
            finding.version,
            &finding.severity,
            &finding.sentence,
            finding.found_at.as_millisecond(),
            case.state.code(),
            case.assignee.map(UserId::get),
            &case.note,
            case.user.map(UserId::get),
            case.changed_at.as_millisecond(),
        );
        execute(&self.conn, sql, values)?;
        Ok(())
    }
}
