//! SQL for people: queries of their own over views, read only, on either engine.
//!
//! A query runs in one snapshot and its rows are handed over as they come. On SQLite days are unpacked by functions of this
//! program, which read through [`crate::Read`] and therefore know rows, pages and folded months; on PostgreSQL by functions
//! in the database, so that every other client has the same views.

mod days;
mod lite;
mod pg;
mod views;

use crate::engine::PgConfig;
use crate::error::Result;
use core::ops::ControlFlow;
use std::path::Path;

pub use views::{SQL_VIEWS, SqlColumn, SqlView};
pub(crate) use views::{definitions, word_functions};

/// A value of a result.
#[derive(Clone, Debug, PartialEq)]
pub enum SqlValue {
    /// None.
    Null,
    /// An integer.
    Integer(i64),
    /// A float: statistics that a query has computed.
    Real(f64),
    /// A decimal with all its digits, of PostgreSQL only: in SQLite that is text.
    Decimal(String),
    /// Text; days and instants are text as well.
    Text(String),
    /// Bytes.
    Blob(Vec<u8>),
}

/// Who takes a result.
pub trait SqlTaker {
    /// The names of the columns, before any row.
    fn columns(&mut self, names: &[String]) -> ControlFlow<()>;
    /// The next row; [`ControlFlow::Break`] ends the query.
    fn row(&mut self, values: &[SqlValue]) -> ControlFlow<()>;
}

/// A database opened for queries; nothing in it can be changed through this.
#[derive(Debug)]
pub struct Sql {
    engine: Engine,
}

#[derive(Debug)]
enum Engine {
    Lite(Box<lite::Session>),
    Pg(Box<pg::Session>),
}

impl Sql {
    /// Opens the SQLite file at `path`, which is not written to.
    ///
    /// # Errors
    /// [`crate::StoreError::TooOld`] and [`crate::StoreError::TooNew`] for the file of another release; what SQLite says.
    pub fn open(path: &Path) -> Result<Self> {
        Ok(Self { engine: Engine::Lite(Box::new(lite::Session::open(path)?)) })
    }

    /// Connects to a PostgreSQL database. Where the role `wattle_read` is ours to take, queries run as that.
    ///
    /// # Errors
    /// As [`Sql::open`]; what PostgreSQL says.
    pub fn connect(config: &PgConfig) -> Result<Self> {
        Ok(Self { engine: Engine::Pg(Box::new(pg::Session::open(config)?)) })
    }

    /// Runs one query in one snapshot.
    ///
    /// # Errors
    /// [`crate::StoreError::ReadOnly`] for a statement that would write, [`crate::StoreError::NotAView`] for what is not open to
    /// readers; what the database says of the query.
    pub fn query(&self, query: &str, taker: &mut dyn SqlTaker) -> Result<()> {
        match &self.engine {
            Engine::Lite(session) => session.query(query, taker),
            Engine::Pg(session) => session.query(query, taker),
        }
    }
}
