//! Rows as one stream: `COPY`, in PostgreSQL's binary form.
//!
//! Rows that may be there already go through a table of the session's own, from which one statement takes them over.

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

impl Session {
    fn fill<P: Params>(&mut self, filling: &Filling, rows: impl Iterator<Item = P>) -> Result<u64> {
        let (table, list) = (filling.table, filling.list());
        if filling.key.is_empty() {
            return self.copy(table, table, &list, rows);
        }
        let aside = format!("filling_{table}");
        // What is there from the transaction before is empty.
        self.client.batch_execute(&format!(
            "CREATE TEMPORARY TABLE IF NOT EXISTS {aside} ON COMMIT DELETE ROWS AS SELECT {list} FROM {table} WITH NO DATA"
        ))?;
        let count = self.copy(&aside, table, &list, rows)?;
        let conflict = filling.conflict();
        let take = self.statement(&format!(
            "INSERT INTO {table} ({list}) SELECT {list} FROM {aside} WHERE true{conflict}"
        ))?;
        self.client.execute(&take, &[])?;
        self.client.batch_execute(&format!("DELETE FROM {aside}"))?;
        Ok(count)
    }

    /// Sends rows into a table that has the columns of `like`.
    fn copy<P: Params>(
        &mut self,
        table: &str,
        like: &str,
        list: &str,
        rows: impl Iterator<Item = P>,
    ) -> Result<u64> {
        let sql = format!("COPY {table} ({list}) FROM STDIN (FORMAT BINARY)");
        let known = self.copies.get(&sql).cloned();
        let (statement, kinds) = match known {
            Some(known) => known,
            None => {
                let row = self.client.prepare(&format!("SELECT {list} FROM {like}"))?;
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
