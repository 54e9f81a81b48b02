//! Profiles as attributes, whole or a selected part of them.
//!
//! Standard: IEC 62056-6-2, Profile generic (class 7); selective access by range (1) and by entry (2).

use super::values::{number, octets, scaled};
use crate::model_file::Column;
use crate::objects::CLOCK;
use crate::quantity::{Direction, Quantity, Wire};
use crate::rows::{DailyRow, EventRow, IntervalRow, Rows};
use crate::works::Works;
use core::ops::RangeInclusive;
use dlms::apdu::{DataAccessError, Selection};
use dlms::{Data, Obis};
use model::reading::status;

/// Which of the three profiles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Which {
    Load,
    Daily,
    Log,
}

/// What a selection asks for: rows by end, rows by number (from 1), columns by number (from 0).
#[derive(Clone, Debug, PartialEq, Eq)]
struct Wanted {
    ends_s: RangeInclusive<i64>,
    entries: RangeInclusive<usize>,
    columns: Vec<usize>,
}

/// A row of any profile, unpacked.
#[derive(Clone, Copy, Debug)]
enum Row {
    Load(IntervalRow),
    Daily(DailyRow),
    Log(EventRow),
}

impl Row {
    const fn at_s(&self) -> i64 {
        match self {
            Self::Load(row) => row.end_s,
            Self::Daily(row) => row.at_s,
            Self::Log(row) => row.at_s,
        }
    }

    /// A column's value in its base unit.
    fn value(&self, shows: Quantity) -> i64 {
        match (self, shows, shows.register()) {
            (Self::Load(row), Quantity::IntervalImport | Quantity::IntervalVolume, _) => row.delivered.into(),
            (Self::Load(row), Quantity::IntervalExport, _) => row.received.into(),
            (Self::Load(row), Quantity::IntervalVoltage, _) => row.voltage_dv.into(),
            (Self::Load(row), Quantity::Status, _) => row.status.into(),
            (Self::Daily(row), _, Some((Direction::Delivered, index))) => row.delivered[index].into(),
            (Self::Daily(row), _, Some((Direction::Received, index))) => row.received[index].into(),
            (Self::Log(row), Quantity::EventCode, _) => row.code.into(),
            (Self::Log(row), Quantity::EventNumber, _) => row.number.into(),
            _ => 0,
        }
    }
}

impl Works {
    pub(super) fn profile_attribute(
        &self,
        object: Obis,
        attribute: i8,
        selection: Option<&Selection>,
    ) -> Result<Data, DataAccessError> {
        let which = match object {
            _ if object == self.model.load_profile.obis => Which::Load,
            _ if object == self.model.daily_profile.obis => Which::Daily,
            _ if object == self.model.event_log.obis => Which::Log,
            _ => return Err(DataAccessError::ObjectUndefined),
        };
        if selection.is_some() && attribute != 2 {
            return Err(DataAccessError::ScopeOfAccessViolated);
        }
        let rows = self.rows(which);
        let count = |number: usize| Data::DoubleLongUnsigned(u32::try_from(number).unwrap_or(u32::MAX));
        Ok(match attribute {
            2 => {
                let columns = self.columns(which);
                self.buffer(which, &columns, &self.wanted(which, &columns, selection)?)
            }
            3 => Data::Array(self.columns(which).iter().map(definition).collect()),
            4 => Data::DoubleLongUnsigned(match which {
                Which::Load => self.model.load_profile.interval_s,
                Which::Daily => 86_400,
                Which::Log => 0,
            }),
            5 => Data::Enum(1),
            6 => Data::Structure(vec![
                Data::LongUnsigned(0),
                octets(Obis::new(0, 0, 0, 0, 0, 0)),
                Data::Integer(0),
                Data::LongUnsigned(0),
            ]),
            7 => count(rows.len()),
            8 => Data::DoubleLongUnsigned(rows.capacity()),
            _ => return Err(DataAccessError::ReadWriteDenied),
        })
    }

    /// The rows of the load profile whose end is in `(after_s, to_s]`, as a push carries them.
    pub(crate) fn load_rows(&self, after_s: i64, to_s: i64) -> Data {
        let columns = self.columns(Which::Load);
        let all = 0..columns.len();
        let wanted = Wanted { ends_s: after_s + 1..=to_s, entries: 1..=usize::MAX, columns: all.collect() };
        self.buffer(Which::Load, &columns, &wanted)
    }

    /// The newest line of the log.
    pub(crate) fn last_event(&self) -> Option<EventRow> {
        self.log.iter().next_back().map(EventRow::unpack)
    }

    const fn rows(&self, which: Which) -> &Rows {
        match which {
            Which::Load => &self.load,
            Which::Daily => &self.daily,
            Which::Log => &self.log,
        }
    }

    fn unpack(&self, which: Which, bytes: &[u8]) -> Row {
        match which {
            Which::Load => Row::Load(IntervalRow::unpack(bytes, self.model.load_profile.interval_s)),
            Which::Daily => Row::Daily(DailyRow::unpack(bytes)),
            Which::Log => Row::Log(EventRow::unpack(bytes)),
        }
    }

    fn columns(&self, which: Which) -> Vec<Column> {
        let clock = Column {
            shows: Quantity::Clock,
            obis: CLOCK,
            class: 8,
            attribute: 2,
            scaler: 0,
            wire: Wire::U32,
        };
        let quantities = match which {
            Which::Load => return self.model.load_profile.columns.clone(),
            Which::Daily => &self.model.daily_profile.columns,
            Which::Log => &self.model.event_log.columns,
        };
        let of_register = |shows: &Quantity| match self.model.register(*shows) {
            Some(register) => Column {
                shows: *shows,
                obis: register.obis,
                class: register.class,
                attribute: 2,
                scaler: register.scaler,
                wire: register.wire,
            },
            None => clock,
        };
        quantities.iter().map(of_register).collect()
    }

    fn wanted(
        &self,
        which: Which,
        columns: &[Column],
        selection: Option<&Selection>,
    ) -> Result<Wanted, DataAccessError> {
        let all = Wanted {
            ends_s: i64::MIN..=i64::MAX,
            entries: 1..=usize::MAX,
            columns: (0..columns.len()).collect(),
        };
        let Some(selection) = selection else { return Ok(all) };
        let Data::Structure(fields) = &selection.parameters else {
            return Err(DataAccessError::TypeUnmatched);
        };
        match (selection.selector, fields.as_slice()) {
            (1, [restricting, from, to, Data::Array(selected)]) => {
                if !is_clock(restricting) {
                    return Err(DataAccessError::ScopeOfAccessViolated);
                }
                let bound = |value: &Data| self.instant_ms(value).ok_or(DataAccessError::TypeUnmatched);
                // A row ends on a whole second: the first at or after `from`, the last at or before `to`.
                let (from_ms, to_ms) = (bound(from)?, bound(to)?);
                let ends_s = from_ms.saturating_add(999).div_euclid(1000)..=to_ms.div_euclid(1000);
                let columns = if selected.is_empty() { all.columns } else { select(columns, selected)? };
                Ok(Wanted { ends_s, columns, ..all })
            }
            (
                2,
                [
                    Data::DoubleLongUnsigned(from),
                    Data::DoubleLongUnsigned(to),
                    Data::LongUnsigned(first),
                    Data::LongUnsigned(last),
                ],
            ) => {
                let open = |number: usize| if number == 0 { usize::MAX } else { number };
                let len = self.rows(which).len();
                if *from == 0 || (*from as usize > len && len > 0) || *first == 0 {
                    return Err(DataAccessError::OtherReason);
                }
                let (first, last) = (usize::from(*first) - 1, open(usize::from(*last)).min(columns.len()));
                let columns = (first..last).collect();
                Ok(Wanted { entries: *from as usize..=open(*to as usize), columns, ..all })
            }
            _ => Err(DataAccessError::TypeUnmatched),
        }
    }

    /// A bound of a range: a date-time in one of its two types; one that gives no date means no bound.
    fn instant_ms(&self, value: &Data) -> Option<i64> {
        match value {
            Data::OctetString(bytes) => self.stamps().read(bytes),
            Data::DateTime(bytes) => self.stamps().read(bytes),
            _ => None,
        }
    }

    fn buffer(&self, which: Which, columns: &[Column], wanted: &Wanted) -> Data {
        let rows = self.rows(which);
        let first = wanted.entries.start().saturating_sub(1).min(rows.len());
        let last = (*wanted.entries.end()).min(rows.len());
        let chosen = (first..last).filter_map(|index| rows.get(index)).map(|bytes| self.unpack(which, bytes));
        let mut before_s = None;
        let period_s = self.interval_s();
        let null_clock = self.model.quirks.null_clock && which == Which::Load;
        let shown = chosen.filter(|row| wanted.ends_s.contains(&row.at_s())).map(|row| {
            let follows = null_clock && before_s.is_some_and(|before: i64| before + period_s == row.at_s());
            before_s = Some(row.at_s());
            let cells = wanted.columns.iter().filter_map(|index| columns.get(*index));
            Data::Structure(cells.map(|column| self.cell(&row, column, follows)).collect())
        });
        Data::Array(shown.collect())
    }

    fn cell(&self, row: &Row, column: &Column, follows: bool) -> Data {
        if column.shows != Quantity::Clock {
            let base = column.shows.base().1;
            return number(column.wire, scaled(row.value(column.shows), base, column.scaler));
        }
        if follows {
            return Data::Null;
        }
        let doubtful = matches!(row, Row::Load(row) if row.status & status::CLOCK_INVALID != 0);
        self.stamp(row.at_s(), doubtful)
    }
}

/// `capture_object_definition`.
fn definition(column: &Column) -> Data {
    Data::Structure(vec![
        Data::LongUnsigned(column.class),
        octets(column.obis),
        Data::Integer(column.attribute),
        Data::LongUnsigned(0),
    ])
}

fn is_clock(definition: &Data) -> bool {
    match definition {
        Data::Structure(fields) => match fields.as_slice() {
            [Data::LongUnsigned(8), Data::OctetString(name), Data::Integer(2), Data::LongUnsigned(_)] => {
                name.as_slice() == CLOCK.0
            }
            _ => false,
        },
        _ => false,
    }
}

/// The columns that a range selection names.
fn select(columns: &[Column], selected: &[Data]) -> Result<Vec<usize>, DataAccessError> {
    selected
        .iter()
        .map(|wanted| {
            columns
                .iter()
                .position(|column| definition(column) == *wanted)
                .ok_or(DataAccessError::ScopeOfAccessViolated)
        })
        .collect()
}
