//! Reading: row groups to items.

use super::chunks::Chunks;
use super::column::Column;
use super::form::{Cell, Form};
use super::plan::{Plan, ROLES, Role};
use crate::csv::{
    Described, Gathering, Mapping, Meaning, Reading, Shelf, StampsAt, Told, multiplied, number_of, quality_of,
};
use crate::item::{Foreign, IntervalBlock, Item, Reader};
use crate::number::{Decimal, power};
use crate::refusal::{ReadError, Reason, Refusal};
use crate::stamp::{Clock, Stamp, StampReader};
use ::parquet::errors::ParquetError;
use ::parquet::file::metadata::RowGroupMetaData;
use ::parquet::file::reader::{FileReader, SerializedFileReader};
use jiff::tz::TimeZone;
use model::Quality;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// Rows that are unpacked at a time.
const AT_ONCE: usize = 4096;

/// Bytes that a column of a row group may unpack to.
const UNPACKED: i64 = 1 << 30;

/// Reads a row a reading: the layout of [`super`], or one whose columns a mapping or their names tell.
///
/// Timestamps that are not of UTC are local times of the mapping's zone, or UTC where it names none. A float is read as
/// the decimal that it was written from; one with more digits than a float keeps is refused. Refusals name the row, from 1.
pub struct ParquetReader {
    file: SerializedFileReader<Chunks>,
    plan: Plan,
    group: usize,
    open: Option<Group>,
    /// Rows before the one at hand.
    row: u64,
    rows: Rows,
    out: VecDeque<Item>,
    ended: bool,
}

struct Group {
    columns: [Option<(Column, Form)>; ROLES],
    left: usize,
}

/// What makes readings of rows.
struct Rows {
    mapping: Mapping,
    meaning: Meaning,
    named_unit: Option<String>,
    stamps: StampReader,
    clock: Clock,
    shelf: Shelf,
    key: Vec<u8>,
    text: String,
    word: Option<(Vec<u8>, bool, Quality, Option<Foreign>)>,
}

impl core::fmt::Debug for ParquetReader {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("ParquetReader").field("row", &self.row).finish_non_exhaustive()
    }
}

impl ParquetReader {
    /// Reads `input` as `mapping` says.
    ///
    /// # Errors
    /// [`ReadError::Table`] where the file is damaged at its end, or its columns are no readings.
    pub fn new(
        input: impl std::io::Read + std::io::Seek + Send + 'static,
        mapping: Mapping,
    ) -> Result<Self, ReadError> {
        let chunks = Chunks::new(input)?;
        let meaning = mapping.meaning().map_err(|error| ReadError::Table(error.to_string()))?;
        let damaged = |why| ReadError::Table(format!("{why}; fetch it again"));
        let file = guarded(|| SerializedFileReader::new(chunks)).map_err(damaged)?;
        let plan = Plan::new(file.metadata().file_metadata().schema_descr(), &mapping, &meaning.form)?;
        let rows = Rows {
            stamps: StampReader::new(meaning.form.clone()),
            clock: Clock::new(meaning.zone.clone().unwrap_or(TimeZone::UTC)),
            named_unit: plan.named_unit.clone(),
            mapping,
            meaning,
            shelf: Shelf::default(),
            key: Vec::new(),
            text: String::new(),
            word: None,
        };
        Ok(Self { file, plan, group: 0, open: None, row: 0, rows, out: VecDeque::new(), ended: false })
    }

    /// Reads on: some thousand rows, or the beginning of the next row group.
    fn step(&mut self) {
        let Some(group) = &mut self.open else { return self.next_group() };
        let count = group.left.min(AT_ONCE);
        if count == 0 {
            self.open = None;
            return;
        }
        let filled =
            guarded(|| group.columns.iter_mut().flatten().try_for_each(|(column, _)| column.fill(count)));
        if let Err(why) = filled {
            let left = group.left;
            self.open = None;
            self.pass_over(left, why);
            return;
        }
        group.left -= count;
        for at in 0..count {
            self.row += 1;
            let cells = core::array::from_fn(|role| {
                group
                    .columns
                    .get(role)
                    .and_then(Option::as_ref)
                    .map_or((Cell::Null, Form::Text), |(column, form)| (column.cell(at, *form), *form))
            });
            if let Err(reason) = self.rows.take(self.row, &cells, &self.plan, &mut self.out) {
                let shown: Vec<String> = cells.iter().map(|(cell, form)| cell.shown(*form)).collect();
                let text = shown.join(",");
                self.out.push_back(Item::Refused(Refusal::new(self.row, reason, text.as_bytes())));
            }
        }
    }

    fn next_group(&mut self) {
        if self.group >= self.file.num_row_groups() {
            self.rows.shelf.flush(&mut self.out);
            self.ended = true;
            return;
        }
        let number = self.group;
        self.group += 1;
        let (file, plan) = (&self.file, &self.plan);
        match guarded(|| Group::open(file, number, plan)) {
            Ok(group) => self.open = Some(group),
            Err(why) => {
                let rows = file.metadata().row_groups().get(number).map_or(0, RowGroupMetaData::num_rows);
                self.pass_over(usize::try_from(rows).unwrap_or(0), why);
            }
        }
    }

    /// Leaves out what is left of a row group that cannot be unpacked; the next ones may be whole.
    fn pass_over(&mut self, rows: usize, why: String) {
        self.rows.shelf.flush(&mut self.out);
        let text = format!("{rows} rows of row group {}", self.group);
        let reason = Reason::Damaged(why);
        self.out.push_back(Item::Refused(Refusal::new(self.row + 1, reason, text.as_bytes())));
        self.row = self.row.saturating_add(u64::try_from(rows).unwrap_or(0));
    }
}

impl Reader for ParquetReader {
    fn next(&mut self) -> Result<Option<Item>, ReadError> {
        loop {
            if let Some(mut item) = self.out.pop_front() {
                if let Item::Block(block) = &mut item {
                    trim(block);
                }
                return Ok(Some(item));
            }
            if self.ended {
                return Ok(None);
            }
            self.step();
        }
    }

    fn met_local_times(&self) -> bool {
        self.rows.clock.met_local_times()
    }
}

impl Group {
    fn open(file: &SerializedFileReader<Chunks>, number: usize, plan: &Plan) -> Result<Self, ParquetError> {
        let group = file.get_row_group(number)?;
        let left = usize::try_from(group.metadata().num_rows())?;
        let mut columns = [const { None }; ROLES];
        for (slot, wanted) in columns.iter_mut().zip(plan.columns) {
            let Some((leaf, form, there)) = wanted else { continue };
            if group.metadata().column(leaf).uncompressed_size() > UNPACKED {
                return Err(ParquetError::General(TOO_LARGE.into()));
            }
            *slot = Some((Column::new(group.get_column_reader(leaf)?, there), form));
        }
        Ok(Self { columns, left })
    }
}

/// The cells of a row, each with the form of its column.
type Cells<'a> = [(Cell<'a>, Form); ROLES];

impl Rows {
    fn take(
        &mut self,
        row: u64,
        cells: &Cells<'_>,
        plan: &Plan,
        out: &mut VecDeque<Item>,
    ) -> Result<(), Reason> {
        let stamp = self.stamp(cells)?;
        let mut numbers: [String; 5] = Default::default();
        let [meter, service_point, channel, unit, interval] = &mut numbers;
        let told = Told {
            meter: word(cells, plan, Role::Meter, meter),
            service_point: word(cells, plan, Role::ServicePoint, service_point),
            channel: word(cells, plan, Role::Channel, channel),
            unit: word(cells, plan, Role::Unit, unit),
            interval: word(cells, plan, Role::Interval, interval),
        };
        told.key(&mut self.key);
        let at = match self.shelf.find(&self.key) {
            Some(at) => at,
            None => {
                let Described { series, exponent, interval } =
                    told.describe(self.named_unit.as_deref(), &self.mapping, &self.meaning)?;
                let ending = self.mapping.time.stamps == StampsAt::End;
                self.shelf.add(&self.key, Gathering::new(Arc::new(series), exponent, interval, ending), out)
            }
        };
        let instant = self.clock.instant(stamp, self.shelf.expected(at))?;
        let value = self.value(cells)?;
        let (quality, beside) = self.quality(cells, value.is_some())?;
        self.shelf.push(at, Reading { at: instant, value, quality, beside, line: row }, out);
        Ok(())
    }

    fn stamp(&mut self, cells: &Cells<'_>) -> Result<Stamp, Reason> {
        let (time, form) = cells[Role::Time as usize];
        let local = |civil, utc: bool| Stamp { civil, offset: utc.then_some(0) };
        let found = match (time, form) {
            (Cell::Null, _) => return Err(Reason::Missing { field: "time" }),
            (Cell::Integer(count), Form::Instant { parts, utc }) => {
                (count % parts == 0).then(|| local(count.div_euclid(parts), utc))
            }
            (Cell::Integer(day), Form::Day) => day.checked_mul(86_400).map(|civil| local(civil, false)),
            (Cell::Integer(second), _) => Some(local(second, true)),
            (Cell::Unsigned(second), _) => i64::try_from(second).ok().map(|second| local(second, true)),
            (Cell::Bytes(text), _) => match cells[Role::Clock as usize].0 {
                Cell::Bytes(clock) => {
                    self.stamps.read(&[text.trim_ascii(), b" ", clock.trim_ascii()].concat())
                }
                _ => self.stamps.read(text.trim_ascii()),
            },
            _ => None,
        };
        found.ok_or_else(|| Reason::field("time", time.shown(form).as_bytes(), "a stamp of whole seconds"))
    }

    fn value(&mut self, cells: &Cells<'_>) -> Result<Option<Decimal>, Reason> {
        let (cell, form) = cells[Role::Value as usize];
        let number = match (cell, form) {
            (Cell::Null, _) => return Ok(None),
            (Cell::Bytes(text), Form::Text) => return number_of(text.trim_ascii(), &self.meaning),
            (Cell::Double(number), _) if number.is_nan() => return Ok(None),
            (Cell::Single(number), _) if number.is_nan() => return Ok(None),
            _ => cell.number(form, &mut self.text),
        };
        let shown = || cell.shown(form);
        let number = number.ok_or_else(|| {
            let wanted = if form == Form::Float {
                "a decimal that a float keeps: up to 15 digits, 6 in 32 bits"
            } else {
                "a number that fits 64 bits"
            };
            Reason::field("value", shown().as_bytes(), wanted)
        })?;
        if self.meaning.multiplier.is_none() {
            return Ok(Some(number));
        }
        multiplied(number, shown().as_bytes(), &self.meaning).map(Some)
    }

    fn quality(&mut self, cells: &Cells<'_>, has_value: bool) -> Result<(Quality, Option<Foreign>), Reason> {
        let (cell, form) = cells[Role::Quality as usize];
        let shown;
        let written = match cell {
            Cell::Null => b"",
            Cell::Bytes(text) => text.trim_ascii(),
            number => {
                shown = number.shown(form);
                shown.as_bytes()
            }
        };
        if let Some((word, of_value, quality, beside)) = &self.word
            && word == written
            && *of_value == has_value
        {
            return Ok((*quality, beside.clone()));
        }
        let (quality, beside) = quality_of(written, has_value, &self.meaning)?;
        self.word = Some((written.to_vec(), has_value, quality, beside.clone()));
        Ok((quality, beside))
    }
}

/// The word of a role: of a number, its digits. `None` where the file has no such column.
fn word<'a>(cells: &Cells<'a>, plan: &Plan, role: Role, number: &'a mut String) -> Option<&'a [u8]> {
    plan.form(role)?;
    let (cell, form) = cells[role as usize];
    Some(match cell {
        Cell::Null => b"",
        Cell::Bytes(text) => text.trim_ascii(),
        other => {
            *number = other.shown(form);
            number.as_bytes()
        }
    })
}

/// Takes zeros at the end of every value away, down to the unit itself: a column has one scale for all its rows.
fn trim(block: &mut IntervalBlock) {
    let mut digits = block.scaler.min(0).unsigned_abs();
    for value in &block.values {
        while digits > 0 && power(digits).is_none_or(|unit| value % unit != 0) {
            digits -= 1;
        }
    }
    let (Some(unit), Ok(fewer)) = (power(digits), i8::try_from(digits)) else { return };
    if digits > 0 {
        block.values.iter_mut().for_each(|value| *value /= unit);
        block.scaler += fewer;
    }
}

const TOO_LARGE: &str = "a column of the row group is larger than 1 GiB; write it in smaller row groups";

/// What the library found, in words for somebody who has never heard of it.
fn plain(error: &ParquetError) -> &'static str {
    match error {
        ParquetError::General(what) if what == TOO_LARGE => TOO_LARGE,
        ParquetError::NYI(_) => "it is packed in a way that is not read",
        ParquetError::External(_) => "its bytes cannot be read",
        _ => "its end, which says what is where, is damaged or was cut off",
    }
}

/// What the format's library answers; a file that is damaged in a way that it does not foresee is damaged all the same.
fn guarded<T>(work: impl FnOnce() -> Result<T, ParquetError>) -> Result<T, String> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(done) => done.map_err(|error| plain(&error).to_owned()),
        Err(_) => Err("it holds what no file of the format may hold".into()),
    }
}
