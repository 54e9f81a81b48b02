//! Rows as one stream: `COPY`, in PostgreSQL's binary form.
//!
//! Rows that may be there already are put by ordinary statements, several rows to one.

use super::super::Filling;
use super::super::value::Params;
use super::{Pg, Session, collected, references};
use crate::error::Result;
use postgres::binary_copy::BinaryCopyInWriter;
use postgres::types::Type;

impl Pg {
    /// Adds rows; see [`super::super::Conn::fill`].
    pub(in crate::engine) fn fill<P: Params>(
        &self,
        filling: &Filling,
        rows: impl IntoIterator<Item = P>,
    ) -> Result<u64> {
        let mut rows = rows.into_iter().peekable();
        if rows.peek().is_none() {
            return Ok(0);
        }
        let result = self.session().and_then(|mut session| session.fill(filling, rows));
        self.noted(result)
    }
}

/// Rows that may be there already go so many to a statement. For the large rows of statistics that is quicker than a table of
/// the session's own and one statement that takes them over.
const TOGETHER: usize = 16;

impl Session {
    fn fill<P: Params>(&mut self, filling: &Filling, rows: impl Iterator<Item = P>) -> Result<u64> {
        let list = filling.list();
        if filling.key.is_empty() {
            return self.copy(filling.table, &list, rows);
        }
        let (mut rows, mut count) = (rows, 0);
        loop {
            let some: Vec<P> = rows.by_ref().take(TOGETHER).collect();
            if some.is_empty() {
                return Ok(count);
            }
            let row = format!("({})", vec!["?"; filling.columns.len()].join(", "));
            let places = vec![row.as_str(); some.len()].join(", ");
            let (table, conflict) = (filling.table, filling.conflict());
            let statement =
                self.statement(&format!("INSERT INTO {table} ({list}) VALUES {places}{conflict}"))?;
            let mut values = Vec::with_capacity(some.len() * filling.columns.len());
            for row in &some {
                values.extend(collected(row)?);
            }
            count += self.client.execute(&statement, &references(&values))?;
        }
    }

    /// Sends rows into a table.
    fn copy<P: Params>(&mut self, table: &str, list: &str, rows: impl Iterator<Item = P>) -> Result<u64> {
        let sql = format!("COPY {table} ({list}) FROM STDIN (FORMAT BINARY)");
        let known = self.copies.get(&sql).cloned();
        let (statement, kinds) = match known {
            Some(known) => known,
            None => {
                let row = self.client.prepare(&format!("SELECT {list} FROM {table}"))?;
                let kinds: Vec<Type> = row.columns().iter().map(|column| column.type_().clone()).collect();
                let new = (self.client.prepare(&sql)?, kinds);
                self.copies.insert(sql, new.clone());
                new
            }
        };
        let mut writer = BinaryCopyInWriter::new(self.client.copy_in(&statement)?, &kinds);
        for row in rows {
            writer.write(&references(&collected(&row)?))?;
        }
        Ok(writer.finish()?)
    }
}
