//! Definitions with a history: what a name means from which day on, who said so, and why. Rows are only ever added.

use crate::column::{corrupt, day_number, day_of, execute, millis, row, rows};
use crate::{Read, Result, Write};
use jiff::Timestamp;
use jiff::civil::Date;
use model::UserId;

/// The day from which on holds what was always so.
pub const SINCE_EVER: Date = Date::constant(1970, 1, 1);

/// What a name means from a day on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Definition {
    /// The first day.
    pub from: Date,
    /// What it means, as the meter data manager writes it; `None`: nothing any more.
    pub body: Option<String>,
    /// Who said so.
    pub user: UserId,
    /// Why.
    pub reason: String,
    /// When.
    pub changed_at: Timestamp,
}

/// A name with everything that it meant, in the order in which it was said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Defined<I> {
    /// Ours.
    pub id: I,
    /// As people call it.
    pub name: String,
    /// What it meant when; for a day the last of them counts that begins on it or before.
    pub versions: Vec<Definition>,
}

/// The tables of one sort of definitions.
pub(crate) struct Tables {
    pub(crate) names: &'static str,
    pub(crate) versions: &'static str,
}

fn definition(row: &crate::engine::Row<'_>, first: usize) -> Result<Definition> {
    Ok(Definition {
        from: day_of(row.get(first)?)?,
        body: row.get(first + 1)?,
        user: UserId::new(row.get(first + 2)?),
        reason: row.get(first + 3)?,
        changed_at: millis(row.get(first + 4)?)?,
    })
}

impl Read {
    /// Every name of a sort, by name, with its history.
    pub(crate) fn defined<I>(&self, tables: &Tables, id: fn(u32) -> I) -> Result<Vec<Defined<I>>> {
        let sql = format!(
            "SELECT n.id, n.name, v.from_day, v.body, v.by_user, v.reason, v.changed_ms FROM {} n \
             JOIN {} v ON v.owner = n.id ORDER BY n.name, v.id",
            tables.names, tables.versions
        );
        let mut all: Vec<(u32, Defined<I>)> = Vec::new();
        for (number, name, one) in rows(&self.conn, &sql, [], |row| {
            Ok((row.get(0)?, row.get::<_, String>(1)?, definition(row, 2)?))
        })? {
            match all.last_mut() {
                Some((last, defined)) if *last == number => defined.versions.push(one),
                _ => all.push((number, Defined { id: id(number), name, versions: vec![one] })),
            }
        }
        Ok(all.into_iter().map(|(_, defined)| defined).collect())
    }

    /// One name of a sort with its history.
    pub(crate) fn defined_as<I>(&self, tables: &Tables, number: u32, id: I) -> Result<Option<Defined<I>>> {
        let sql = format!("SELECT name FROM {} WHERE id = ?", tables.names);
        let Some(name) = row(&self.conn, &sql, [number], |row| row.get(0))? else { return Ok(None) };
        let sql = format!(
            "SELECT from_day, body, by_user, reason, changed_ms FROM {} WHERE owner = ? ORDER BY id",
            tables.versions
        );
        let versions = rows(&self.conn, &sql, [number], |row| definition(row, 0))?;
        Ok(Some(Defined { id, name, versions }))
    }
}

impl Write {
    /// Says what a name means from a day on; a name that is not there is made. Its number.
    pub(crate) fn define(&self, tables: &Tables, name: &str, what: &Definition) -> Result<u32> {
        let known = format!("SELECT id FROM {} WHERE name = ?", tables.names);
        let mut id = row(&self.conn, &known, [name], |row| row.get::<_, u32>(0))?;
        if id.is_none() {
            execute(&self.conn, &format!("INSERT INTO {} (name) VALUES (?)", tables.names), [name])?;
            id = row(&self.conn, &known, [name], |row| row.get(0))?;
        }
        let id = id.ok_or_else(|| corrupt("name"))?;
        let sql = format!(
            "INSERT INTO {} (owner, from_day, body, by_user, reason, changed_ms) VALUES (?, ?, ?, ?, ?, ?)",
            tables.versions
        );
        let at = what.changed_at.as_millisecond();
        let row = (id, day_number(what.from), &what.body, what.user.get(), &what.reason, at);
        execute(&self.conn, &sql, row)?;
        Ok(id)
    }
}
