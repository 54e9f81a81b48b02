//! Queries on PostgreSQL: a cursor in a transaction that cannot write, under the role of readers.

use super::{SqlTaker, SqlValue};
use crate::db::schema_of;
use crate::engine::{Pg, PgConfig};
use crate::error::{Result, StoreError};
use core::ops::ControlFlow;
use postgres::types::Type;
use postgres::{Client, SimpleQueryMessage};

/// Rows that are fetched at once.
const FETCH: &str = "FETCH 500 FROM wattle_sql";

#[derive(Debug)]
pub(super) struct Session {
    pg: Pg,
    /// Whether we may take the role of readers.
    reader: bool,
}

impl Session {
    pub(super) fn open(config: &PgConfig) -> Result<Self> {
        let pg = Pg::open(config)?;
        schema_of(pg.schema_version()?)?;
        let reader = pg.with_client(|client| {
            let sql =
                "SELECT pg_has_role(current_user, oid, 'MEMBER') FROM pg_roles WHERE rolname = 'wattle_read'";
            Ok(client.query_opt(sql, &[])?.is_some_and(|row| row.get(0)))
        })?;
        Ok(Self { pg, reader })
    }

    pub(super) fn query(&self, query: &str, taker: &mut dyn SqlTaker) -> Result<()> {
        self.pg.with_client(|client| {
            client.batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")?;
            let result = self.run(client, query, taker);
            // Whatever happened, nothing is to be kept.
            let end = client.batch_execute("ROLLBACK");
            result.and(end.map_err(StoreError::from))
        })
    }

    fn run(&self, client: &mut Client, query: &str, taker: &mut dyn SqlTaker) -> Result<()> {
        if self.reader {
            client.batch_execute("SET LOCAL ROLE wattle_read")?;
        }
        // The extended protocol takes one statement only, and a cursor only what gives rows and writes nothing.
        let statement = client.prepare(query).map_err(refused)?;
        let kinds: Vec<Type> = statement.columns().iter().map(|column| column.type_().clone()).collect();
        let names: Vec<String> = statement.columns().iter().map(|column| column.name().to_owned()).collect();
        if kinds.is_empty() {
            return Err(StoreError::ReadOnly);
        }
        let query = query.trim_end().trim_end_matches(';');
        client.execute(&format!("DECLARE wattle_sql NO SCROLL CURSOR FOR {query}"), &[]).map_err(refused)?;
        if taker.columns(&names).is_break() {
            return Ok(());
        }
        loop {
            let mut more = false;
            for message in client.simple_query(FETCH).map_err(refused)? {
                let SimpleQueryMessage::Row(row) = message else { continue };
                more = true;
                let values: Vec<SqlValue> =
                    kinds.iter().enumerate().map(|(index, kind)| value(kind, row.get(index))).collect();
                if taker.row(&values) == ControlFlow::Break(()) {
                    return Ok(());
                }
            }
            if !more {
                return Ok(());
            }
        }
    }
}

/// A value out of its text.
fn value(kind: &Type, text: Option<&str>) -> SqlValue {
    let Some(text) = text else { return SqlValue::Null };
    let as_text = || SqlValue::Text(text.to_owned());
    match *kind {
        Type::INT2 | Type::INT4 | Type::INT8 => text.parse().map_or_else(|_| as_text(), SqlValue::Integer),
        Type::NUMERIC if text.ends_with(|c: char| c.is_ascii_digit()) => SqlValue::Decimal(text.to_owned()),
        Type::FLOAT4 | Type::FLOAT8 => text.parse().map_or_else(|_| as_text(), SqlValue::Real),
        // The session's zone is UTC.
        Type::TIMESTAMPTZ => SqlValue::Text(text.replace(' ', "T").replace("+00", "Z")),
        _ => as_text(),
    }
}

/// Why PostgreSQL would not run it: of SQLSTATE, 25006 is read only, 42501 no right, 0A000 and 42601 come of a cursor; the
/// classes 22 and 42 are about data and words of the query.
fn refused(error: postgres::Error) -> StoreError {
    let Some(told) = error.as_db_error() else { return error.into() };
    match told.code().code() {
        "25006" | "0A000" => StoreError::ReadOnly,
        "42601" if told.message().contains("multiple commands") => StoreError::ReadOnly,
        "42501" => {
            let name = told.message().rsplit(' ').next().unwrap_or("that").to_owned();
            StoreError::NotAView { name }
        }
        code if code.starts_with("22") || code.starts_with("42") => {
            let hint = told.hint().map_or_else(String::new, |hint| format!(" ({hint})"));
            StoreError::Query { why: format!("{}{hint}", told.message()) }
        }
        _ => error.into(),
    }
}
