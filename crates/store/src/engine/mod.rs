//! The two engines behind one small surface: a connection, statements with `?`, parameters, rows.
//!
//! Every statement is written once, in the SQL that both engines understand; [`dialect`] turns it into PostgreSQL's
//! spelling when it is prepared there for the first time. Nothing above this module names an engine's crate, except
//! [`crate::StoreError`] which keeps their errors as causes.

mod dialect;
mod fill;
mod lite;
pub(crate) mod pg;
mod value;

pub(crate) use fill::Filling;
pub(crate) use lite::Lite;
pub(crate) use pg::Pg;
pub use pg::PgConfig;
pub(crate) use value::{Cell, Column, Index, Params, Value};

use crate::error::Result;
use value::misfit;

/// An open connection of either engine. Statements are prepared once and kept.
#[derive(Debug)]
pub(crate) enum Conn {
    /// SQLite.
    Lite(Lite),
    /// PostgreSQL.
    Pg(Box<Pg>),
}

/// A row of a result, for as long as the engine holds it.
#[derive(Clone, Copy)]
pub(crate) enum Row<'a> {
    /// SQLite's.
    Lite(&'a rusqlite::Row<'a>),
    /// PostgreSQL's.
    Pg(&'a postgres::Row),
}

impl<'a> Row<'a> {
    /// Column `index`, from 0, as `T`.
    pub(crate) fn get<I: Index, T: Column>(&self, index: I) -> Result<T> {
        T::of(self.cell(index.number())?).ok_or_else(misfit)
    }

    /// Column `index` as bytes, not copied.
    pub(crate) fn blob(&self, index: usize) -> Result<&'a [u8]> {
        match self.cell(index)? {
            Cell::Blob(bytes) => Ok(bytes),
            _ => Err(misfit()),
        }
    }

    fn cell(&self, index: usize) -> Result<Cell<'a>> {
        match self {
            Self::Lite(row) => lite::cell(row, index),
            Self::Pg(row) => pg::cell(row, index),
        }
    }
}

/// How a transaction is begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// One snapshot, nothing written.
    Snapshot,
    /// All or nothing, resting on nothing that changed meanwhile.
    Write,
    /// As [`Access::Write`], but what was only read may change meanwhile.
    Part,
    /// As [`Access::Write`], for short changes of single rows that say themselves what they rest on.
    Queue,
}

impl Conn {
    /// Runs a cached query; `take` gets row by row.
    pub(crate) fn each(
        &self,
        sql: &str,
        params: &impl Params,
        take: &mut dyn FnMut(&Row<'_>) -> Result<()>,
    ) -> Result<()> {
        match self {
            Self::Lite(conn) => conn.each(sql, params, take),
            Self::Pg(conn) => conn.each(sql, params, take),
        }
    }

    /// As [`Conn::each`], but the closure may use the connection: PostgreSQL's rows are gathered first.
    pub(crate) fn gathered(
        &self,
        sql: &str,
        params: &impl Params,
        take: &mut dyn FnMut(&Row<'_>) -> Result<()>,
    ) -> Result<()> {
        match self {
            Self::Lite(conn) => conn.each(sql, params, take),
            Self::Pg(conn) => conn.gathered(sql, params, take),
        }
    }

    /// Runs a cached statement; how many rows it touched.
    pub(crate) fn execute(&self, sql: &str, params: &impl Params) -> Result<usize> {
        match self {
            Self::Lite(conn) => conn.execute(sql, params),
            Self::Pg(conn) => conn.execute(sql, params),
        }
    }

    /// Whether other processes may write at the same time.
    pub(crate) const fn is_shared(&self) -> bool {
        matches!(self, Self::Pg(_))
    }

    /// Begins a transaction that is rolled back unless it is committed.
    pub(crate) fn begin(&self, access: Access) -> Result<Transaction<'_>> {
        match self {
            Self::Lite(conn) => conn.begin(access)?,
            Self::Pg(conn) => conn.begin(access)?,
        }
        Ok(Transaction { conn: self, open: true })
    }

    /// Whether every commit waits for the disk; so it is unless a first load says otherwise.
    pub(crate) fn set_durable(&self, durable: bool) -> Result<()> {
        match self {
            Self::Lite(conn) => conn.set_durable(durable),
            Self::Pg(conn) => conn.set_durable(durable),
        }
    }

    fn end(&self, commit: bool) -> Result<()> {
        match self {
            Self::Lite(conn) => conn.end(commit),
            Self::Pg(conn) => conn.end(commit),
        }
    }
}

/// An open transaction; leaving it without [`Transaction::commit`], by a panic too, rolls it back.
#[derive(Debug)]
pub(crate) struct Transaction<'a> {
    conn: &'a Conn,
    open: bool,
}

impl Transaction<'_> {
    /// Makes it last.
    pub(crate) fn commit(mut self) -> Result<()> {
        self.conn.end(true)?;
        self.open = false;
        Ok(())
    }
}

impl Drop for Transaction<'_> {
    fn drop(&mut self) {
        if self.open {
            // What cannot be rolled back is a lost connection, and that is rolled back by the other side.
            let _ = self.conn.end(false);
        }
    }
}
