//! Queries on SQLite: a connection that cannot write, views of its own, and functions that unpack.

use super::days::Days;
use super::views::{SQL_VIEWS, Spelling};
use super::{SqlTaker, SqlValue};
use crate::Read;
use crate::column::{day_number, day_of};
use crate::db::schema_of;
use crate::engine::{Access, Conn, Lite};
use crate::error::{Result, StoreError};
use core::ops::ControlFlow;
use jiff::{Timestamp, tz::TimeZone};
use model::{ChannelId, ChannelKind, EventKind, Quality, Unit};
use rusqlite::functions::{Context, FunctionFlags};
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, ErrorCode};
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

/// A view and the table and column that it reads.
type Seen = BTreeSet<(String, String, String)>;

/// Why a statement was not let through.
type Refusal = Arc<Mutex<Option<StoreError>>>;

#[derive(Debug)]
pub(super) struct Session {
    conn: Connection,
    refusal: Refusal,
}

impl Session {
    pub(super) fn open(path: &Path) -> Result<Self> {
        let conn = Lite::reader(path)?.conn;
        let read = Read { conn: Conn::Lite(Lite::reader(path)?) };
        let Conn::Lite(lite) = &read.conn else { return Err(StoreError::Nested) };
        schema_of(lite.schema_version()?)?;
        // One snapshot for all that the functions will read; it ends with the connection.
        core::mem::forget(read.conn.begin(Access::Snapshot)?);
        let zone = read.utility()?.map_or(TimeZone::UTC, |utility| utility.zone);
        conn.execute_batch("PRAGMA temp_store = MEMORY")?;
        calendar(&conn, &read)?;
        words(&conn)?;
        unpacking(&conn, Days::new(read, zone))?;
        for view in SQL_VIEWS {
            let text = view.definition(Spelling::Lite);
            conn.execute_batch(&format!("CREATE TEMP VIEW {} AS {text}", view.name))?;
        }
        let refusal = Refusal::default();
        guard(&conn, &refusal)?;
        Ok(Self { conn, refusal })
    }

    pub(super) fn query(&self, query: &str, taker: &mut dyn SqlTaker) -> Result<()> {
        *self.refusal.lock().unwrap_or_else(PoisonError::into_inner) = None;
        let mut statement = self.conn.prepare(query).map_err(|error| self.why(error))?;
        if !statement.readonly() || statement.column_count() == 0 {
            return Err(StoreError::ReadOnly);
        }
        let names: Vec<String> = statement.column_names().into_iter().map(str::to_owned).collect();
        if taker.columns(&names).is_break() {
            return Ok(());
        }
        let mut rows = statement.raw_query();
        let mut values = Vec::with_capacity(names.len());
        while let Some(row) = rows.next().map_err(|error| self.why(error))? {
            values.clear();
            for index in 0..names.len() {
                values.push(value(row.get_ref(index)?));
            }
            if taker.row(&values) == ControlFlow::Break(()) {
                break;
            }
        }
        Ok(())
    }

    /// The refusal of ours that stands behind an error, or the error.
    fn why(&self, error: rusqlite::Error) -> StoreError {
        if error.sqlite_error_code() == Some(ErrorCode::AuthorizationForStatementDenied)
            && let Some(refused) = self.refusal.lock().unwrap_or_else(PoisonError::into_inner).take()
        {
            return refused;
        }
        match error {
            rusqlite::Error::MultipleStatement => StoreError::ReadOnly,
            rusqlite::Error::SqlInputError { msg, offset, sql, .. } => {
                StoreError::Query { why: placed(msg, &sql, offset) }
            }
            rusqlite::Error::SqliteFailure(code, Some(why)) if code.code == ErrorCode::Unknown => {
                StoreError::Query { why }
            }
            other => other.into(),
        }
    }
}

/// What SQLite says of a query, and before which of its words.
fn placed(why: String, query: &str, offset: i32) -> String {
    let rest = usize::try_from(offset).ok().and_then(|offset| query.get(offset..));
    let word = rest.and_then(|rest| rest.split_whitespace().next());
    match word {
        Some(word) if !why.contains(word) => format!("{why}, at `{word}`"),
        _ => why,
    }
}

fn value(value: ValueRef<'_>) -> SqlValue {
    match value {
        ValueRef::Null => SqlValue::Null,
        ValueRef::Integer(number) => SqlValue::Integer(number),
        ValueRef::Real(number) => SqlValue::Real(number),
        ValueRef::Text(text) => SqlValue::Text(String::from_utf8_lossy(text).into_owned()),
        ValueRef::Blob(bytes) => SqlValue::Blob(bytes.to_vec()),
    }
}

/// The days of which anything may be kept.
fn calendar(conn: &Connection, read: &Read) -> Result<()> {
    conn.execute_batch(
        "CREATE TEMP TABLE wattle_calendar (number INTEGER PRIMARY KEY, day TEXT NOT NULL UNIQUE)",
    )?;
    let Some((first, last)) = read.day_range()? else { return Ok(()) };
    let mut insert = conn.prepare("INSERT INTO wattle_calendar VALUES (?, ?)")?;
    for number in day_number(first)..=day_number(last) {
        insert.execute((number, day_of(number)?.to_string()))?;
    }
    Ok(())
}

/// The functions that turn codes and numbers into words; nothing out of nothing.
fn words(conn: &Connection) -> Result<()> {
    let plain = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    let word = |name: &str, of: fn(i64) -> Option<String>| {
        conn.create_scalar_function(name, 1, plain, move |context: &Context<'_>| {
            Ok(context.get::<Option<i64>>(0)?.and_then(of))
        })
    };
    word("wattle_utc", |secs| Timestamp::from_second(secs).ok().map(|at| at.to_string()))?;
    word("wattle_date", |day| Some(day_of(i32::try_from(day).ok()?).ok()?.to_string()))?;
    word("wattle_quality", |mark| Some(Quality::try_from(u8::try_from(mark).ok()?).ok()?.word()))?;
    word("wattle_kind", |code| Some(kind_of(code)?.name().to_owned()))?;
    word("wattle_unit", |code| Some(kind_of(code)?.stored_unit().0.symbol().to_owned()))?;
    word("wattle_symbol", |code| Some(Unit::from_code(u8::try_from(code).ok()?)?.symbol().to_owned()))?;
    word("wattle_event_word", |code| {
        Some(EventKind::from_log_code(u8::try_from(code).ok()?)?.text().to_owned())
    })?;
    conn.create_scalar_function("wattle_exponent", 1, plain, |context| {
        Ok(kind_of(context.get(0)?).map(|kind| kind.stored_unit().1))
    })?;
    conn.create_scalar_function("wattle_amount", 2, plain, |context| {
        let number: Option<i64> = context.get(0)?;
        let exponent: Option<i8> = context.get(1)?;
        Ok(number.zip(exponent).map(|(number, exponent)| amount(number, exponent)))
    })?;
    Ok(())
}

fn kind_of(code: i64) -> Option<ChannelKind> {
    ChannelKind::from_code(u8::try_from(code).ok()?)
}

/// `number × 10^exponent` in digits, all of them.
pub(super) fn amount(number: i64, exponent: i8) -> String {
    let digits = number.unsigned_abs().to_string();
    let sign = if number < 0 { "-" } else { "" };
    let places = usize::from(exponent.unsigned_abs());
    if exponent >= 0 {
        let zeros = if number == 0 { 0 } else { places };
        return format!("{sign}{digits}{}", "0".repeat(zeros));
    }
    let padded = format!("{digits:0>width$}", width = places + 1);
    let (whole, part) = padded.split_at(padded.len() - places);
    format!("{sign}{whole}.{part}")
}

/// The functions that unpack a channel's day.
fn unpacking(conn: &Connection, days: Days) -> Result<()> {
    type Of = fn(&mut Days, ChannelId, i32) -> Result<Option<String>>;
    let days = Arc::new(Mutex::new(days));
    let functions: [(&str, Of); 2] = [("wattle_unpacked", Days::unpacked), ("wattle_counted", Days::counted)];
    for (name, of) in functions {
        let days = Arc::clone(&days);
        conn.create_scalar_function(name, 2, FunctionFlags::SQLITE_UTF8, move |context| {
            let (channel, day) = (ChannelId::new(context.get(0)?), context.get(1)?);
            let mut days = days.lock().unwrap_or_else(PoisonError::into_inner);
            of(&mut days, channel, day).map_err(|error| rusqlite::Error::UserFunctionError(error.into()))
        })?;
    }
    Ok(())
}

/// From here on only queries are let through, and of the tables only what the views show.
fn guard(conn: &Connection, refusal: &Refusal) -> Result<()> {
    let seen = Arc::new(Mutex::new(Seen::new()));
    let noted = Arc::clone(&seen);
    conn.authorizer(Some(move |context: AuthContext<'_>| {
        if let (AuthAction::Read { table_name, column_name }, Some(view)) = (context.action, context.accessor)
        {
            let read = (view.to_owned(), table_name.to_owned(), column_name.to_owned());
            noted.lock().unwrap_or_else(PoisonError::into_inner).insert(read);
        }
        Authorization::Allow
    }));
    for view in SQL_VIEWS {
        conn.prepare(&format!("SELECT * FROM {}", view.name))?;
    }
    let open = core::mem::take(&mut *seen.lock().unwrap_or_else(PoisonError::into_inner));
    let tables: BTreeSet<String> = open.iter().map(|(_, table, _)| table.clone()).collect();
    let refusal = Arc::clone(refusal);
    conn.authorizer(Some(move |context: AuthContext<'_>| {
        let refused = match context.action {
            AuthAction::Select | AuthAction::Function { .. } | AuthAction::Recursive => {
                return Authorization::Allow;
            }
            AuthAction::Read { table_name, column_name } => {
                if may_read(&open, &tables, context.accessor, table_name, column_name) {
                    return Authorization::Allow;
                }
                StoreError::NotAView { name: table_name.to_owned() }
            }
            _ => StoreError::ReadOnly,
        };
        *refusal.lock().unwrap_or_else(PoisonError::into_inner) = Some(refused);
        Authorization::Deny
    }));
    Ok(())
}

fn may_read(open: &Seen, tables: &BTreeSet<String>, view: Option<&str>, table: &str, column: &str) -> bool {
    if table.starts_with("wattle_") || table == "json_each" || table == "json_tree" {
        return true;
    }
    // What is only counted or joined is read without naming a column, and then nobody says by which view.
    (column.is_empty() && tables.contains(table))
        || view.is_some_and(|view| open.contains(&(view.to_owned(), table.to_owned(), column.to_owned())))
}
