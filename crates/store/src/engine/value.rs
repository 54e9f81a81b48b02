//! Parameters going in and columns coming out, the same for both engines.

use crate::error::{Result, StoreError};
use std::borrow::Cow;

/// A parameter of a statement.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value<'a> {
    /// No value.
    Null,
    /// Any integer, and truth as 0 or 1.
    Integer(i64),
    /// A float: statistics only.
    Real(f64),
    /// Text.
    Text(Cow<'a, str>),
    /// Bytes.
    Blob(Cow<'a, [u8]>),
}

/// Something that may stand for a `?`.
pub(crate) trait Bind {
    /// As a parameter.
    fn value(&self) -> Value<'_>;
}

macro_rules! whole {
    ($($kind:ty),*) => {$(
        impl Bind for $kind {
            fn value(&self) -> Value<'_> {
                Value::Integer(i64::from(*self))
            }
        }
        impl Column for $kind {
            fn of(cell: Cell<'_>) -> Option<Self> {
                match cell {
                    Cell::Integer(number) => Self::try_from(number).ok(),
                    _ => None,
                }
            }
        }
    )*};
}

whole!(i8, i16, i32, i64, u8, u16, u32);

impl Bind for bool {
    fn value(&self) -> Value<'_> {
        Value::Integer(i64::from(*self))
    }
}

impl Bind for f64 {
    fn value(&self) -> Value<'_> {
        Value::Real(*self)
    }
}

impl Bind for str {
    fn value(&self) -> Value<'_> {
        Value::Text(Cow::Borrowed(self))
    }
}

impl Bind for String {
    fn value(&self) -> Value<'_> {
        Value::Text(Cow::Borrowed(self))
    }
}

impl Bind for [u8] {
    fn value(&self) -> Value<'_> {
        Value::Blob(Cow::Borrowed(self))
    }
}

impl Bind for Vec<u8> {
    fn value(&self) -> Value<'_> {
        Value::Blob(Cow::Borrowed(self))
    }
}

impl<const N: usize> Bind for [u8; N] {
    fn value(&self) -> Value<'_> {
        Value::Blob(Cow::Borrowed(self))
    }
}

impl Bind for Value<'_> {
    fn value(&self) -> Value<'_> {
        match self {
            Self::Null => Value::Null,
            Self::Integer(number) => Value::Integer(*number),
            Self::Real(number) => Value::Real(*number),
            Self::Text(text) => Value::Text(Cow::Borrowed(text)),
            Self::Blob(bytes) => Value::Blob(Cow::Borrowed(bytes)),
        }
    }
}

impl<T: Bind + ?Sized> Bind for &T {
    fn value(&self) -> Value<'_> {
        (**self).value()
    }
}

impl<T: Bind> Bind for Option<T> {
    fn value(&self) -> Value<'_> {
        self.as_ref().map_or(Value::Null, T::value)
    }
}

/// All the parameters of one statement, in order.
pub(crate) trait Params {
    /// Hands them over one by one.
    fn each<'a>(&'a self, take: &mut dyn FnMut(Value<'a>) -> Result<()>) -> Result<()>;
}

/// Only the empty list may be written without naming a type.
impl Params for [&(dyn Bind + Sync); 0] {
    fn each<'a>(&'a self, _: &mut dyn FnMut(Value<'a>) -> Result<()>) -> Result<()> {
        Ok(())
    }
}

macro_rules! list {
    ($($length:literal),*) => {$(
        impl<T: Bind> Params for [T; $length] {
            fn each<'a>(&'a self, take: &mut dyn FnMut(Value<'a>) -> Result<()>) -> Result<()> {
                self.iter().try_for_each(|one| take(one.value()))
            }
        }
    )*};
}

list!(1, 2, 3, 4, 5, 6, 7, 8);

impl<T: Bind> Params for Vec<T> {
    fn each<'a>(&'a self, take: &mut dyn FnMut(Value<'a>) -> Result<()>) -> Result<()> {
        self.iter().try_for_each(|one| take(one.value()))
    }
}

impl<T: Bind> Params for &[T] {
    fn each<'a>(&'a self, take: &mut dyn FnMut(Value<'a>) -> Result<()>) -> Result<()> {
        self.iter().try_for_each(|one| take(one.value()))
    }
}

macro_rules! tuple {
    ($($name:ident),+) => {
        impl<$($name: Bind),+> Params for ($($name,)+) {
            fn each<'a>(&'a self, take: &mut dyn FnMut(Value<'a>) -> Result<()>) -> Result<()> {
                #[expect(non_snake_case, reason = "the type parameters name the members")]
                let ($($name,)+) = self;
                $(take($name.value())?;)+
                Ok(())
            }
        }
    };
}

tuple!(A);
tuple!(A, B);
tuple!(A, B, C);
tuple!(A, B, C, D);
tuple!(A, B, C, D, E);
tuple!(A, B, C, D, E, F);
tuple!(A, B, C, D, E, F, G);
tuple!(A, B, C, D, E, F, G, H);
tuple!(A, B, C, D, E, F, G, H, I);
tuple!(A, B, C, D, E, F, G, H, I, J);
tuple!(A, B, C, D, E, F, G, H, I, J, K);
tuple!(A, B, C, D, E, F, G, H, I, J, K, L);
tuple!(A, B, C, D, E, F, G, H, I, J, K, L, M);
tuple!(A, B, C, D, E, F, G, H, I, J, K, L, M, N);
tuple!(A, B, C, D, E, F, G, H, I, J, K, L, M, N, O);
tuple!(A, B, C, D, E, F, G, H, I, J, K, L, M, N, O, P);

/// A column of a row as the engine holds it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Cell<'a> {
    /// No value.
    Null,
    /// Any integer, and truth as 0 or 1.
    Integer(i64),
    /// A float.
    Real(f64),
    /// Text.
    Text(&'a str),
    /// Bytes.
    Blob(&'a [u8]),
}

/// What a column may be read as.
pub(crate) trait Column: Sized {
    /// From the cell; `None` when it does not fit.
    fn of(cell: Cell<'_>) -> Option<Self>;
}

impl Column for bool {
    fn of(cell: Cell<'_>) -> Option<Self> {
        match cell {
            Cell::Integer(number) => Some(number != 0),
            _ => None,
        }
    }
}

impl Column for u64 {
    fn of(cell: Cell<'_>) -> Option<Self> {
        match cell {
            Cell::Integer(number) => Self::try_from(number).ok(),
            _ => None,
        }
    }
}

impl Column for f64 {
    fn of(cell: Cell<'_>) -> Option<Self> {
        match cell {
            Cell::Real(number) => Some(number),
            _ => None,
        }
    }
}

impl Column for String {
    fn of(cell: Cell<'_>) -> Option<Self> {
        match cell {
            Cell::Text(text) => Some(text.to_owned()),
            _ => None,
        }
    }
}

impl Column for Vec<u8> {
    fn of(cell: Cell<'_>) -> Option<Self> {
        match cell {
            Cell::Blob(bytes) => Some(bytes.to_vec()),
            _ => None,
        }
    }
}

impl<const N: usize> Column for [u8; N] {
    fn of(cell: Cell<'_>) -> Option<Self> {
        match cell {
            Cell::Blob(bytes) => bytes.try_into().ok(),
            _ => None,
        }
    }
}

impl<T: Column> Column for Option<T> {
    fn of(cell: Cell<'_>) -> Option<Self> {
        match cell {
            Cell::Null => Some(None),
            other => T::of(other).map(Some),
        }
    }
}

/// Which column of a row; only numbers, so that a literal needs no type.
pub(crate) trait Index {
    /// From 0.
    fn number(self) -> usize;
}

impl Index for usize {
    fn number(self) -> usize {
        self
    }
}

pub(crate) const fn misfit() -> StoreError {
    StoreError::Corrupt { what: "column: its type or size is not what was written" }
}
