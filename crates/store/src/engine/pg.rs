//! PostgreSQL.

use super::value::{Cell, Params, Value};
use super::{Access, Row, dialect};
use crate::error::{Result, StoreError};
use bytes::BytesMut;
use postgres::fallible_iterator::FallibleIterator;
use postgres::types::{FromSql, IsNull, ToSql, Type};
use postgres::{Client, Statement};
use std::cell::{Cell as Flag, RefCell, RefMut};
use std::collections::BTreeMap;

mod address;
pub(crate) mod citus;
mod config;
mod copy;
mod passfile;

pub use config::PgConfig;

/// Held while the schema is brought up to date, so that roles which start together do it once. "wattle" in ASCII.
const MIGRATION_LOCK: i64 = 0x7761_7474_6c65;

/// The functions behind the views for readers, in PostgreSQL's own words.
const VIEWS: &str = include_str!("../../migrations/postgres/views.sql");

type Failure = Box<dyn std::error::Error + Sync + Send>;

/// A connection and the statements prepared on it.
#[derive(Debug)]
pub(crate) struct Pg {
    config: PgConfig,
    session: RefCell<Session>,
    /// A statement of the open transaction has failed: PostgreSQL then answers COMMIT with a rollback and no error.
    failed: Flag<bool>,
}

struct Session {
    client: Client,
    statements: BTreeMap<String, Statement>,
    /// Statements that take a stream of rows, with the types of these.
    copies: BTreeMap<String, (Statement, Vec<Type>)>,
}

impl core::fmt::Debug for Session {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Session").field("statements", &self.statements.len()).finish_non_exhaustive()
    }
}

impl Session {
    fn open(config: &PgConfig) -> Result<Self> {
        let mut client = config.connect()?;
        client.batch_execute(
            "SET synchronous_commit = on; SET TimeZone = 'UTC'; SET client_min_messages = warning; \
             SET lock_timeout = '10s'; SET standard_conforming_strings = on",
        )?;
        Ok(Self { client, statements: BTreeMap::new(), copies: BTreeMap::new() })
    }

    fn statement(&mut self, sql: &str) -> Result<Statement> {
        if let Some(known) = self.statements.get(sql) {
            return Ok(known.clone());
        }
        let statement = self.client.prepare(&dialect::statement(sql))?;
        self.statements.insert(sql.to_owned(), statement.clone());
        Ok(statement)
    }
}

impl Pg {
    pub(crate) fn open(config: &PgConfig) -> Result<Self> {
        let session = RefCell::new(Session::open(config)?);
        Ok(Self { config: config.clone(), session, failed: Flag::new(false) })
    }

    /// Whether every commit waits for the disk.
    pub(crate) fn set_durable(&self, durable: bool) -> Result<()> {
        let value = if durable { "on" } else { "off" };
        self.session()?.client.batch_execute(&format!("SET synchronous_commit = {value}"))?;
        Ok(())
    }

    /// How many migrations the database has seen.
    pub(crate) fn schema_version(&self) -> Result<u32> {
        let mut version = 0;
        self.gathered("SELECT version FROM schema_version", &[], &mut |row| {
            version = row.get(0)?;
            Ok(())
        })?;
        Ok(version)
    }

    /// Runs the migrations that the database has not seen yet, all or none.
    pub(crate) fn migrate(&self, migrations: &[&str]) -> Result<()> {
        // Each statement sees what was committed before it: whoever waited for the lock sees what its holder made.
        self.begin(Access::Queue)?;
        let result = self.migrations(migrations).and_then(|()| self.end(true));
        if result.is_err() {
            self.end(false)?;
        }
        result
    }

    fn migrations(&self, migrations: &[&str]) -> Result<()> {
        let known = u32::try_from(migrations.len()).unwrap_or(u32::MAX);
        self.batch(&format!(
            "SELECT pg_advisory_xact_lock({MIGRATION_LOCK}); \
             CREATE TABLE IF NOT EXISTS schema_version (one INTEGER PRIMARY KEY CHECK (one = 1), version INTEGER NOT NULL); \
             INSERT INTO schema_version VALUES (1, 0) ON CONFLICT DO NOTHING"
        ))?;
        let found = self.schema_version()?;
        if found > known {
            return Err(StoreError::TooNew { found, known });
        }
        for migration in migrations.iter().skip(usize::try_from(found).unwrap_or(usize::MAX)) {
            self.batch(&dialect::definition(migration))?;
        }
        // Several processes start at once, and what is there already is not made again; the lock is still held.
        if found < known {
            self.batch(&format!("UPDATE schema_version SET version = {known}"))?;
            for script in [VIEWS, &crate::sql::word_functions(), &crate::sql::definitions()] {
                self.batch(script)?;
            }
            self.batch(&citus::script())?;
        }
        Ok(())
    }

    /// Every statement that was prepared on the connection, as it is written in this crate.
    pub(crate) fn statements(&self) -> Result<Vec<String>> {
        let session = self.session()?;
        Ok(session.statements.keys().chain(session.copies.keys()).cloned().collect())
    }

    /// Hands the connection over, outside of any transaction of ours.
    pub(crate) fn with_client<T>(&self, work: impl FnOnce(&mut Client) -> Result<T>) -> Result<T> {
        work(&mut self.session()?.client)
    }

    /// Runs statements that are already in PostgreSQL's words.
    pub(crate) fn batch(&self, sql: &str) -> Result<()> {
        let result = self.session()?.client.batch_execute(sql).map_err(StoreError::from);
        self.noted(result)
    }

    pub(super) fn begin(&self, access: Access) -> Result<()> {
        let sql = match access {
            Access::Snapshot => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
            Access::Write => "BEGIN ISOLATION LEVEL SERIALIZABLE",
            Access::Part => "BEGIN ISOLATION LEVEL REPEATABLE READ",
            Access::Queue => "BEGIN ISOLATION LEVEL READ COMMITTED",
        };
        self.failed.set(false);
        let begun = self.session()?.client.batch_execute(sql);
        match begun {
            Ok(()) => Ok(()),
            // The server was restarted, or a firewall forgot us: nothing is lost yet, so once more on a new connection.
            Err(error) if self.session()?.client.is_closed() => {
                *self.session()? = Session::open(&self.config).map_err(|_| StoreError::from(error))?;
                Ok(self.session()?.client.batch_execute(sql)?)
            }
            Err(error) => Err(error.into()),
        }
    }

    pub(super) fn end(&self, commit: bool) -> Result<()> {
        if commit && self.failed.get() {
            return Err(StoreError::Spoilt);
        }
        Ok(self.session()?.client.batch_execute(if commit { "COMMIT" } else { "ROLLBACK" })?)
    }

    pub(super) fn each(
        &self,
        sql: &str,
        params: &impl Params,
        take: &mut dyn FnMut(&Row<'_>) -> Result<()>,
    ) -> Result<()> {
        let values = collected(params)?;
        let mut session = self.session()?;
        let run = |session: &mut Session| {
            let statement = session.statement(sql)?;
            let mut rows = session.client.query_raw(&statement, values)?;
            while let Some(row) = rows.next()? {
                take(&Row::Pg(&row))?;
            }
            Ok(())
        };
        self.noted(run(&mut session))
    }

    pub(super) fn gathered(
        &self,
        sql: &str,
        params: &impl Params,
        take: &mut dyn FnMut(&Row<'_>) -> Result<()>,
    ) -> Result<()> {
        let values = collected(params)?;
        let run = |mut session: RefMut<'_, Session>| {
            let statement = session.statement(sql)?;
            Ok(session.client.query(&statement, &references(&values))?)
        };
        let rows = self.noted(run(self.session()?))?;
        rows.iter().try_for_each(|row| take(&Row::Pg(row)))
    }

    pub(super) fn execute(&self, sql: &str, params: &impl Params) -> Result<usize> {
        let values = collected(params)?;
        let run = |mut session: RefMut<'_, Session>| {
            let statement = session.statement(sql)?;
            Ok(session.client.execute(&statement, &references(&values))?)
        };
        let touched = self.noted(run(self.session()?))?;
        Ok(usize::try_from(touched).unwrap_or(usize::MAX))
    }

    fn noted<T>(&self, result: Result<T>) -> Result<T> {
        if result.is_err() {
            self.failed.set(true);
        }
        result
    }

    fn session(&self) -> Result<RefMut<'_, Session>> {
        self.session.try_borrow_mut().map_err(|_| StoreError::Nested)
    }
}

fn collected(params: &impl Params) -> Result<Vec<Value<'_>>> {
    let mut values = Vec::new();
    params.each(&mut |value| {
        values.push(value);
        Ok(())
    })?;
    Ok(values)
}

fn references<'a>(values: &'a [Value<'_>]) -> Vec<&'a (dyn ToSql + Sync)> {
    values.iter().map(|value| value as &(dyn ToSql + Sync)).collect()
}

impl ToSql for Value<'_> {
    fn to_sql(&self, kind: &Type, out: &mut BytesMut) -> core::result::Result<IsNull, Failure> {
        match self {
            Value::Null => return Ok(IsNull::Yes),
            Value::Integer(number) => integer(*number, kind, out)?,
            Value::Real(number) if *kind == Type::FLOAT8 => out.extend_from_slice(&number.to_be_bytes()),
            Value::Text(text) if is_text(kind) => out.extend_from_slice(text.as_bytes()),
            Value::Blob(bytes) if *kind == Type::BYTEA => out.extend_from_slice(bytes),
            other => return Err(format!("{other:?} does not fit a column of type {kind}").into()),
        }
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    postgres::types::to_sql_checked!();
}

fn integer(number: i64, kind: &Type, out: &mut BytesMut) -> core::result::Result<(), Failure> {
    match *kind {
        Type::INT8 => out.extend_from_slice(&number.to_be_bytes()),
        Type::INT4 => out.extend_from_slice(&i32::try_from(number)?.to_be_bytes()),
        Type::INT2 => out.extend_from_slice(&i16::try_from(number)?.to_be_bytes()),
        Type::BOOL => out.extend_from_slice(&[u8::from(number != 0)]),
        ref other if is_text(other) => out.extend_from_slice(number.to_string().as_bytes()),
        ref other => return Err(format!("an integer does not fit a column of type {other}").into()),
    }
    Ok(())
}

fn is_text(kind: &Type) -> bool {
    [Type::TEXT, Type::VARCHAR, Type::BPCHAR, Type::NAME, Type::UNKNOWN].contains(kind)
}

/// Any column as a cell.
struct Any<'a>(Cell<'a>);

impl<'a> FromSql<'a> for Any<'a> {
    fn from_sql(kind: &Type, raw: &'a [u8]) -> core::result::Result<Self, Failure> {
        Ok(Self(match *kind {
            Type::INT8 => Cell::Integer(i64::from_be_bytes(raw.try_into()?)),
            Type::INT4 => Cell::Integer(i32::from_be_bytes(raw.try_into()?).into()),
            Type::INT2 => Cell::Integer(i16::from_be_bytes(raw.try_into()?).into()),
            Type::OID => Cell::Integer(u32::from_be_bytes(raw.try_into()?).into()),
            Type::BOOL => Cell::Integer(raw.first().copied().unwrap_or(0).into()),
            Type::FLOAT8 => Cell::Real(f64::from_be_bytes(raw.try_into()?)),
            Type::FLOAT4 => Cell::Real(f32::from_be_bytes(raw.try_into()?).into()),
            Type::NUMERIC => Cell::Integer(whole(raw).ok_or("a sum is no whole number of 64 bits")?),
            Type::BYTEA => Cell::Blob(raw),
            ref text if is_text(text) => Cell::Text(core::str::from_utf8(raw)?),
            ref other => return Err(format!("columns of type {other} are not read").into()),
        }))
    }

    fn from_sql_null(_: &Type) -> core::result::Result<Self, Failure> {
        Ok(Self(Cell::Null))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

/// A sum of `bigint`s is a `numeric`: digits to the base of 10,000, of which the first weighs `10,000 ^ weight`.
fn whole(raw: &[u8]) -> Option<i64> {
    let word = |index: usize| Some(i16::from_be_bytes([*raw.get(index * 2)?, *raw.get(index * 2 + 1)?]));
    let (digits, weight, negative) = (word(0)?, word(1)?, word(2)? != 0);
    let mut value = 0i128;
    for place in 0..=weight {
        let digit = if place < digits { word(4 + usize::try_from(place).ok()?)? } else { 0 };
        value = value.checked_mul(10_000)?.checked_add(digit.into())?;
    }
    if digits > weight + 1 {
        return None;
    }
    i64::try_from(if negative { -value } else { value }).ok()
}

pub(super) fn cell(row: &postgres::Row, index: usize) -> Result<Cell<'_>> {
    Ok(row.try_get::<_, Any<'_>>(index)?.0)
}
