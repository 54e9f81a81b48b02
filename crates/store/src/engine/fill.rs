//! Many rows of one table at once: PostgreSQL takes them as one stream, SQLite by a statement that is prepared once.

use super::value::Params;
use super::{Conn, Lite};
use crate::error::Result;

/// A table that is filled with many rows at once.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Filling {
    /// Its name.
    pub(crate) table: &'static str,
    /// Its columns, in the order of a row's values.
    pub(crate) columns: &'static [&'static str],
    /// The columns that tell a row from others; empty where none of the rows may be there. A row that is there gives way.
    pub(crate) key: &'static [&'static str],
}

impl Filling {
    /// The columns as a list.
    pub(super) fn list(&self) -> String {
        self.columns.join(", ")
    }

    /// What becomes of a row that is there.
    pub(super) fn conflict(&self) -> String {
        if self.key.is_empty() {
            return String::new();
        }
        let others = self.columns.iter().filter(|column| !self.key.contains(column));
        let set: Vec<String> = others.map(|column| format!("{column} = excluded.{column}")).collect();
        format!(" ON CONFLICT ({}) DO UPDATE SET {}", self.key.join(", "), set.join(", "))
    }
}

impl Conn {
    /// Adds rows to a table, as many as there are; a row a key. How many.
    pub(crate) fn fill<P: Params>(
        &self,
        filling: &Filling,
        rows: impl IntoIterator<Item = P>,
    ) -> Result<u64> {
        match self {
            Self::Lite(conn) => one_by_one(conn, filling, rows),
            Self::Pg(conn) => conn.fill(filling, rows),
        }
    }
}

fn one_by_one<P: Params>(conn: &Lite, filling: &Filling, rows: impl IntoIterator<Item = P>) -> Result<u64> {
    let places = vec!["?"; filling.columns.len()].join(", ");
    let (list, conflict) = (filling.list(), filling.conflict());
    let sql = format!("INSERT INTO {} ({list}) VALUES ({places}){conflict}", filling.table);
    let mut count = 0;
    for row in rows {
        conn.execute(&sql, &row)?;
        count += 1;
    }
    Ok(count)
}
