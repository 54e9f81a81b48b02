//! Profile generic (7): rows of captured values, and the two ways to ask for some of them.

use super::{AsData, CosemError};
use crate::apdu::{AttributeRef, Selection};
use crate::{Data, Obis};

structure! {
    /// A column of a profile, or a value to push: an attribute, or one element of it.
    CaptureObject {
        /// Interface class.
        class: u16,
        /// Logical name.
        object: Obis,
        /// Attribute number, from 1.
        attribute: i8,
        /// 0 is the whole attribute, n its n-th element.
        data_index: u16,
    }
}

impl CaptureObject {
    /// The whole of an attribute.
    pub const fn whole(class: u16, object: Obis, attribute: i8) -> Self {
        Self { class, object, attribute, data_index: 0 }
    }

    /// The time of the clock 0-0:1.0.0.
    pub const fn clock() -> Self {
        Self::whole(8, Obis::new(0, 0, 1, 0, 0, 255), 2)
    }

    /// The attribute it is taken from.
    pub const fn source(&self) -> AttributeRef {
        AttributeRef { class: self.class, object: self.object, attribute: self.attribute }
    }
}

enumeration! {
    /// How rows are kept.
    SortMethod {
        /// First in, first out.
        Fifo = 1,
        /// Last in, first out.
        Lifo = 2,
        /// Largest value first.
        Largest = 3,
        /// Smallest value first.
        Smallest = 4,
        /// Nearest to zero first.
        NearestToZero = 5,
        /// Farthest from zero first.
        FarthestFromZero = 6,
    }
}

class! {
    /// Rows of captured values. Method 1 clears them, method 2 captures one now.
    ProfileGeneric = 7 version 1 {
        /// The rows.
        2 buffer: Vec<Data>,
        /// The columns.
        3 capture_objects: Vec<CaptureObject>,
        /// Seconds between two rows; 0 is on demand.
        4 capture_period: u32,
        /// How rows are kept.
        5 sort_method: SortMethod,
        /// The column they are sorted by.
        6 sort_object: CaptureObject,
        /// Rows there are.
        7 entries_in_use: u32,
        /// Rows there can be.
        8 profile_entries: u32,
    }
}

structure! {
    /// Selector 1: the rows whose restricting column lies between two values, both included.
    RangeSelection {
        /// The column that decides.
        restricting: CaptureObject,
        /// The least value taken.
        from: Data,
        /// The greatest value taken.
        to: Data,
        /// The columns wanted; none stands for all.
        columns: Vec<CaptureObject>,
    }
}

impl RangeSelection {
    /// All columns of the rows from one COSEM date-time to another, both included.
    pub fn by_clock(from: [u8; 12], to: [u8; 12]) -> Self {
        Self {
            restricting: CaptureObject::clock(),
            from: Data::OctetString(from.to_vec()),
            to: Data::OctetString(to.to_vec()),
            columns: Vec::new(),
        }
    }

    /// As part of a get request.
    pub fn selection(&self) -> Selection {
        Selection { selector: 1, parameters: self.to_data() }
    }
}

structure! {
    /// Selector 2: rows and columns by number, from 1; 0 at the end stands for the last.
    EntrySelection {
        /// First row.
        from_entry: u32,
        /// Last row.
        to_entry: u32,
        /// First column.
        from_column: u16,
        /// Last column.
        to_column: u16,
    }
}

impl EntrySelection {
    /// All columns of the rows `from` to `to`, both included.
    pub const fn rows(from: u32, to: u32) -> Self {
        Self { from_entry: from, to_entry: to, from_column: 1, to_column: 0 }
    }

    /// As part of a get request.
    pub fn selection(&self) -> Selection {
        Selection { selector: 2, parameters: self.to_data() }
    }

    /// The positions from 0 of the rows wanted among `count`.
    pub fn row_range(&self, count: usize) -> core::ops::Range<usize> {
        positions(self.from_entry, self.to_entry, count)
    }

    /// The positions from 0 of the columns wanted among `count`.
    pub fn column_range(&self, count: usize) -> core::ops::Range<usize> {
        positions(self.from_column.into(), self.to_column.into(), count)
    }
}

fn positions(from: u32, to: u32, count: usize) -> core::ops::Range<usize> {
    let number = |value: u32| usize::try_from(value).unwrap_or(usize::MAX);
    let start = number(from).max(1) - 1;
    let end = if to == 0 { count } else { number(to).min(count) };
    start.min(end)..end
}

/// What a get request wants of a profile.
#[derive(Clone, Debug, PartialEq)]
pub enum ProfileSelection {
    /// Rows by the value of a column.
    Range(RangeSelection),
    /// Rows by number.
    Entry(EntrySelection),
}

impl TryFrom<&Selection> for ProfileSelection {
    type Error = CosemError;

    fn try_from(selection: &Selection) -> Result<Self, CosemError> {
        match selection.selector {
            1 => RangeSelection::from_data(&selection.parameters).map(Self::Range),
            2 => EntrySelection::from_data(&selection.parameters).map(Self::Entry),
            _ => Err(CosemError::Type { wanted: "selector 1 or 2" }),
        }
    }
}
