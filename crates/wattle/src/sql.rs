//! `wattle sql`.

use crate::talk::{Talk, WrongUsage};
use anyhow::{Error, Result, anyhow};
use core::ops::ControlFlow;
use serde::Serialize;
use server::utility::Home;
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;
use store::{SQL_VIEWS, SqlTaker, SqlValue, StoreError};

/// Rows of a table whose longest values decide how wide its columns are.
const LOOKED_AT: usize = 200;

/// Ask a utility's data in SQL: one query, nothing is written; without one, list the views.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The query; - reads it from standard input.
    query: Option<String>,
    /// The data directory.
    #[arg(long, value_name = "DIR", conflicts_with = "database")]
    data: Option<PathBuf>,
    /// A PostgreSQL database instead, as postgres://user@localhost/name.
    #[arg(long, value_name = "ADDRESS")]
    database: Option<String>,
    /// A file whose first line is the password for it.
    #[arg(long, value_name = "FILE", requires = "database")]
    database_password_file: Option<PathBuf>,
    /// How rows are printed: table, csv, or json, one object a line.
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    format: String,
    /// No more than this many rows.
    #[arg(long, value_name = "ROWS")]
    limit: Option<u64>,
}

pub(crate) fn run(arguments: &Arguments, talk: Talk) -> Result<()> {
    let out: Box<dyn Write> = Box::new(BufWriter::new(io::stdout().lock()));
    let mut printer = Printer::new(format(arguments, talk)?, out, arguments.limit);
    let Some(query) = &arguments.query else { return list(talk) };
    let query = if query == "-" { io::read_to_string(io::stdin().lock())? } else { query.clone() };
    if query.trim().is_empty() {
        return Err(WrongUsage("the query is empty; `wattle sql` alone lists the views".into()).into());
    }
    if arguments.data.is_none() && arguments.database.is_none() {
        return Err(WrongUsage("--data DIR or --database ADDRESS says whose data is asked".into()).into());
    }
    let home = Home {
        data: arguments.data.clone().unwrap_or_default(),
        database: arguments.database.clone(),
        password_file: arguments.database_password_file.clone(),
        ..Home::default()
    };
    let sql = home.open_sql()?;
    if arguments.limit != Some(0) {
        sql.query(&query, &mut printer).map_err(refused)?;
    }
    let rows = printer.finish()?;
    talk.say(format_args!("{rows} rows"));
    Ok(())
}

/// Why a query was not run, for the person who wrote it.
fn refused(error: StoreError) -> Error {
    match error {
        StoreError::Query { why } => anyhow!("the query failed: {why}"),
        StoreError::ReadOnly => anyhow!("not run: one query at a time is taken here, and none that writes"),
        StoreError::NotAView { name } => {
            anyhow!("not run: {name} is not open to readers; `wattle sql` without a query lists the views")
        }
        other => Error::from(other).context("the query failed"),
    }
}

fn format(arguments: &Arguments, talk: Talk) -> Result<Format> {
    match arguments.format.as_str() {
        _ if talk.json() => Ok(Format::Json),
        "table" => Ok(Format::Table),
        "csv" => Ok(Format::Csv),
        "json" => Ok(Format::Json),
        other => Err(WrongUsage(format!("--format is `{other}`, not table, csv or json")).into()),
    }
}

#[derive(Serialize)]
struct Listed {
    view: &'static str,
    column: &'static str,
    about: &'static str,
}

fn list(talk: Talk) -> Result<()> {
    for view in SQL_VIEWS {
        if !talk.json() {
            talk.data(&(), format_args!("{}: {}", view.name, view.about))?;
        }
        for column in view.columns {
            let record = Listed { view: view.name, column: column.name, about: column.about };
            talk.data(&record, format_args!("    {:16} {}", column.name, column.about))?;
        }
    }
    Ok(())
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Table,
    Csv,
    Json,
}

/// Prints rows as they come.
struct Printer<W: Write> {
    format: Format,
    out: W,
    left: Option<u64>,
    names: Vec<String>,
    /// The first rows of a table, until its widths are known.
    held: Vec<Vec<String>>,
    widths: Option<Vec<usize>>,
    rows: u64,
    failed: Option<io::Error>,
}

impl<W: Write> Printer<W> {
    const fn new(format: Format, out: W, limit: Option<u64>) -> Self {
        Self {
            format,
            out,
            left: limit,
            names: Vec::new(),
            held: Vec::new(),
            widths: None,
            rows: 0,
            failed: None,
        }
    }

    /// Prints what is still held; how many rows there were.
    fn finish(mut self) -> io::Result<u64> {
        if let Some(error) = self.failed.take() {
            return Err(error);
        }
        self.release()?;
        self.out.flush()?;
        Ok(self.rows)
    }

    fn head(&mut self) -> io::Result<()> {
        if self.format == Format::Csv {
            let names = self.names.clone();
            return self.csv(&names);
        }
        Ok(())
    }

    fn put(&mut self, values: &[SqlValue]) -> io::Result<()> {
        match self.format {
            Format::Json => object(&mut self.out, &self.names, values),
            Format::Csv => self.csv(&values.iter().map(text).collect::<Vec<_>>()),
            Format::Table => {
                let cells: Vec<String> = values.iter().map(shown).collect();
                match &self.widths {
                    Some(widths) => line(&mut self.out, &cells, widths),
                    None => {
                        self.held.push(cells);
                        if self.held.len() < LOOKED_AT { Ok(()) } else { self.release() }
                    }
                }
            }
        }
    }

    /// Decides how wide the columns are and prints what was held for that.
    fn release(&mut self) -> io::Result<()> {
        if self.format != Format::Table || self.widths.is_some() || self.names.is_empty() {
            return Ok(());
        }
        let width = |index: usize| {
            let cells = self.held.iter().filter_map(|row| row.get(index));
            cells.chain(self.names.get(index)).map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..self.names.len()).map(width).collect();
        line(&mut self.out, &self.names, &widths)?;
        line(&mut self.out, &widths.iter().map(|width| "-".repeat(*width)).collect::<Vec<_>>(), &widths)?;
        for cells in core::mem::take(&mut self.held) {
            line(&mut self.out, &cells, &widths)?;
        }
        self.widths = Some(widths);
        Ok(())
    }

    fn csv(&mut self, cells: &[String]) -> io::Result<()> {
        for (index, cell) in cells.iter().enumerate() {
            if index > 0 {
                self.out.write_all(b",")?;
            }
            if cell.contains([',', '"', '\n', '\r']) {
                write!(self.out, "\"{}\"", cell.replace('"', "\"\""))?;
            } else {
                self.out.write_all(cell.as_bytes())?;
            }
        }
        self.out.write_all(b"\n")
    }

    fn went(&mut self, done: io::Result<()>) -> ControlFlow<()> {
        match done {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                self.failed = Some(error);
                ControlFlow::Break(())
            }
        }
    }
}

impl<W: Write> SqlTaker for Printer<W> {
    fn columns(&mut self, names: &[String]) -> ControlFlow<()> {
        self.names = names.to_vec();
        let done = self.head();
        self.went(done)
    }

    fn row(&mut self, values: &[SqlValue]) -> ControlFlow<()> {
        let done = self.put(values);
        self.rows += 1;
        self.left = self.left.map(|left| left.saturating_sub(1));
        let more = self.went(done);
        if self.left == Some(0) { ControlFlow::Break(()) } else { more }
    }
}

fn line(out: &mut impl Write, cells: &[String], widths: &[usize]) -> io::Result<()> {
    let mut text = String::new();
    for (cell, width) in cells.iter().zip(widths) {
        text.push_str(cell);
        text.extend(core::iter::repeat_n(' ', width.saturating_sub(cell.chars().count()) + 2));
    }
    writeln!(out, "{}", text.trim_end())
}

fn text(value: &SqlValue) -> String {
    match value {
        SqlValue::Null => String::new(),
        SqlValue::Integer(number) => number.to_string(),
        SqlValue::Real(number) => number.to_string(),
        SqlValue::Text(text) | SqlValue::Decimal(text) => text.clone(),
        SqlValue::Blob(bytes) => hex::encode(bytes),
    }
}

/// On a terminal nothing of what is stored may move the cursor.
fn shown(value: &SqlValue) -> String {
    match value {
        SqlValue::Null => "null".to_owned(),
        other => text(other).chars().map(|c| if c.is_control() { ' ' } else { c }).collect(),
    }
}

/// A row as an object whose members are in the order of the columns.
fn object(out: &mut impl Write, names: &[String], values: &[SqlValue]) -> io::Result<()> {
    for (index, (name, value)) in names.iter().zip(values).enumerate() {
        out.write_all(if index == 0 { b"{" } else { b"," })?;
        serde_json::to_writer(&mut *out, name)?;
        out.write_all(b":")?;
        match value {
            SqlValue::Null => out.write_all(b"null")?,
            SqlValue::Integer(_) | SqlValue::Decimal(_) => out.write_all(text(value).as_bytes())?,
            SqlValue::Real(number) => serde_json::to_writer(&mut *out, number)?,
            SqlValue::Text(_) | SqlValue::Blob(_) => serde_json::to_writer(&mut *out, &text(value))?,
        }
    }
    out.write_all(b"}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(format: Format, limit: Option<u64>) -> String {
        let mut out = Vec::new();
        let mut printer = Printer::new(format, &mut out, limit);
        let _ = printer.columns(&["meter".to_owned(), "note".to_owned()]);
        let rows = [
            [SqlValue::Text("M-1".to_owned()), SqlValue::Text("so, \"it\"\nis".to_owned())],
            [SqlValue::Decimal("-7.50".to_owned()), SqlValue::Null],
        ];
        let _ = rows.iter().try_for_each(|row| printer.row(row));
        printer.finish().unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn rows_are_printed_in_each_format() {
        let table = "meter  note\n-----  -----------\nM-1    so, \"it\" is\n-7.50  null\n";
        assert_eq!(printed(Format::Table, None), table);
        assert_eq!(printed(Format::Csv, None), "meter,note\nM-1,\"so, \"\"it\"\"\nis\"\n-7.50,\n");
        let json = "{\"meter\":\"M-1\",\"note\":\"so, \\\"it\\\"\\nis\"}\n{\"meter\":-7.50,\"note\":null}\n";
        assert_eq!(printed(Format::Json, None), json);
        assert_eq!(printed(Format::Csv, Some(1)).lines().count(), 3);
    }
}
