//! Profile rows to batches of readings, and log rows to events.

use crate::clock;
use crate::facts::{Column, EventColumn, EventLogFacts, ModelFacts, ProfileFacts};
use dlms::Data;
use jiff::Timestamp;
use model::event::{ClockStatus, EventKind, MeterEvent};
use model::id::MeterId;
use model::reading::{BatchSource, ReadBatch};

/// Why rows could not be understood; the meter breaks its own description.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProfileError {
    /// The buffer is no array.
    #[error("read a profile: the buffer is no array of structures")]
    NotRows,
    /// A row has another number of columns than its model says.
    #[error("read a profile: row {row} has {got} columns and the model says {expected}")]
    Columns {
        /// Which row, from 0.
        row: usize,
        /// How many it has.
        got: usize,
        /// How many it should have.
        expected: usize,
    },
    /// A row has no usable time.
    #[error("read a profile: row {row} has no usable time")]
    Time {
        /// Which row, from 0.
        row: usize,
    },
    /// A value is of a type that is no integer.
    #[error("read a profile: column {column} of row {row} holds no integer")]
    Value {
        /// Which row, from 0.
        row: usize,
        /// Which column, from 0.
        column: usize,
    },
}

/// The integer in a value, whatever its width.
pub(crate) fn integer(value: &Data) -> Option<i64> {
    Some(match value {
        Data::Integer(v) | Data::Bcd(v) => i64::from(*v),
        Data::Long(v) => i64::from(*v),
        Data::DoubleLong(v) => i64::from(*v),
        Data::Long64(v) => *v,
        Data::Unsigned(v) | Data::Enum(v) => i64::from(*v),
        Data::LongUnsigned(v) => i64::from(*v),
        Data::DoubleLongUnsigned(v) => i64::from(*v),
        Data::Long64Unsigned(v) => i64::try_from(*v).ok()?,
        Data::Boolean(v) => i64::from(*v),
        Data::BitString(bits) if bits.bytes.len() == 1 => i64::from(bits.bytes[0]),
        _ => return None,
    })
}

fn rows(buffer: &Data) -> Result<&[Data], ProfileError> {
    match buffer {
        Data::Array(rows) => Ok(rows),
        Data::Null => Ok(&[]),
        _ => Err(ProfileError::NotRows),
    }
}

fn cells(row: usize, value: &Data, expected: usize) -> Result<&[Data], ProfileError> {
    let Data::Structure(cells) = value else { return Err(ProfileError::NotRows) };
    if cells.len() == expected {
        Ok(cells)
    } else {
        Err(ProfileError::Columns { row, got: cells.len(), expected })
    }
}

/// Whose rows they are and how they came.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Origin<'a> {
    pub(crate) meter: MeterId,
    pub(crate) facts: &'a ModelFacts,
    pub(crate) source: BatchSource,
    pub(crate) received_at: Timestamp,
}

/// What rows amount to.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Read {
    pub(crate) batches: Vec<ReadBatch>,
    /// End of the first interval read.
    pub(crate) first_end: Option<Timestamp>,
    /// End of the last interval read.
    pub(crate) last_end: Option<Timestamp>,
    /// Intervals of all channels.
    pub(crate) intervals: u64,
}

/// The row before, for values left out because they repeat and for registers.
#[derive(Clone, Debug)]
struct Previous {
    at: Timestamp,
    values: Vec<Option<i64>>,
}

/// Turns rows into one batch a channel and run of consecutive intervals.
///
/// ```text
/// row:      clock 00:15          clock 00:30          clock 01:00 (one is missing)
/// batch 1:  |00:00 ... 00:15|00:15 ... 00:30|
/// batch 2:                                            |00:45 ... 01:00|
/// ```
///
/// A value that is null repeats the one of the row before; a null clock is one interval later.
///
/// Standard: IEC 62056-6-2, profile generic, buffer attribute.
pub(crate) fn read(buffer: &Data, profile: &ProfileFacts, origin: Origin<'_>) -> Result<Read, ProfileError> {
    let mut found = Read::default();
    let mut open: Vec<ReadBatch> = Vec::new();
    let mut previous: Option<Previous> = None;
    for (row, value) in rows(buffer)?.iter().enumerate() {
        let cells = cells(row, value, profile.columns.len())?;
        let (at, status, values) = read_row(row, cells, profile, origin.facts, previous.as_ref())?;
        let follows = previous
            .as_ref()
            .is_some_and(|before| at.duration_since(before.at) == profile.interval.duration());
        if !follows {
            found.batches.append(&mut open);
        }
        let start = at - profile.interval.duration();
        if open.is_empty() {
            open = begin(start, profile, origin);
        }
        let mut batches = open.iter_mut();
        for (index, column) in profile.columns.iter().enumerate() {
            let Column::Channel { cumulative, .. } = column else { continue };
            let before = previous.as_ref().filter(|_| follows).and_then(|before| before.values[index]);
            let value = if *cumulative {
                values[index].zip(before).and_then(|(value, before)| value.checked_sub(before))
            } else {
                values[index]
            };
            if let Some(batch) = batches.next() {
                batch.values.push(value);
                batch.status.push(status);
                found.intervals += 1;
            }
        }
        found.first_end.get_or_insert(at);
        found.last_end = Some(at);
        previous = Some(Previous { at, values });
    }
    found.batches.append(&mut open);
    found.batches.retain_mut(without_leading_holes);
    Ok(found)
}

/// The first row of a register has nothing to be subtracted from and makes no interval.
fn without_leading_holes(batch: &mut ReadBatch) -> bool {
    let Some(holes) = batch.values.iter().position(Option::is_some) else { return false };
    batch.values.drain(..holes);
    batch.status.drain(..holes);
    for _ in 0..holes {
        batch.start += batch.interval.duration();
    }
    true
}

type Row = (Timestamp, u8, Vec<Option<i64>>);

fn read_row(
    row: usize,
    cells: &[Data],
    profile: &ProfileFacts,
    facts: &ModelFacts,
    previous: Option<&Previous>,
) -> Result<Row, ProfileError> {
    let mut at = None;
    let mut doubtful = false;
    let mut status = 0;
    let mut values = vec![None; cells.len()];
    for (column, (cell, meaning)) in cells.iter().zip(&profile.columns).enumerate() {
        let number = || match cell {
            Data::Null => Ok(previous.and_then(|before| before.values[column])),
            _ => integer(cell).map(Some).ok_or(ProfileError::Value { row, column }),
        };
        match meaning {
            Column::Ignored => {}
            Column::Clock if *cell == Data::Null => {
                at = previous.map(|before| before.at + profile.interval.duration());
            }
            Column::Clock => {
                let time = clock::read(cell, facts).ok_or(ProfileError::Time { row })?;
                doubtful = time.clock == ClockStatus::Doubtful;
                at = Some(time.at);
            }
            Column::Status => {
                values[column] = number()?;
                status = values[column].and_then(|value| u8::try_from(value & 0xFF).ok()).unwrap_or(0);
            }
            Column::Channel { .. } => values[column] = number()?,
        }
    }
    if doubtful {
        status |= model::reading::status::CLOCK_INVALID;
    }
    Ok((at.ok_or(ProfileError::Time { row })?, status, values))
}

fn begin(start: Timestamp, profile: &ProfileFacts, origin: Origin<'_>) -> Vec<ReadBatch> {
    let channels = profile.columns.iter().filter_map(|column| match column {
        Column::Channel { kind, scaler, unit, .. } => Some((*kind, *scaler, *unit)),
        _ => None,
    });
    let batch = |(kind, scaler, unit)| ReadBatch {
        meter: origin.meter,
        kind,
        start,
        interval: profile.interval,
        values: Vec::new(),
        scaler,
        unit,
        status: Vec::new(),
        received_at: origin.received_at,
        source: origin.source,
    };
    channels.map(batch).collect()
}

/// Turns rows of an event log into the events above the running number `after`, oldest first.
///
/// Codes that no kind has are left out; a log without running numbers counts by its seconds.
pub(crate) fn read_events(
    buffer: &Data,
    log: &EventLogFacts,
    origin: Origin<'_>,
    after: Option<u32>,
) -> Result<Vec<MeterEvent>, ProfileError> {
    let mut events = Vec::new();
    for (row, value) in rows(buffer)?.iter().enumerate() {
        let cells = cells(row, value, log.columns.len())?;
        let mut time = None;
        let mut code = None;
        let mut seq = None;
        for (column, (cell, meaning)) in cells.iter().zip(&log.columns).enumerate() {
            let number = || integer(cell).ok_or(ProfileError::Value { row, column });
            match meaning {
                EventColumn::Clock => time = clock::read(cell, origin.facts),
                EventColumn::Code => code = Some(number()?),
                EventColumn::Sequence => seq = u32::try_from(number()?).ok(),
                EventColumn::Ignored => {}
            }
        }
        let time = time.ok_or(ProfileError::Time { row })?;
        let seq = seq.or_else(|| u32::try_from(time.at.as_second()).ok()).unwrap_or(0);
        let kind = code.and_then(|code| u8::try_from(code).ok()).and_then(EventKind::from_log_code);
        if let Some(kind) = kind
            && after.is_none_or(|after| seq > after)
        {
            events.push(MeterEvent { meter: origin.meter, kind, at: time.at, clock: time.clock, seq });
        }
    }
    events.sort_by_key(|event| event.seq);
    Ok(events)
}

#[cfg(test)]
mod tests;
