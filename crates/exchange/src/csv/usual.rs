//! The usual row: of the series of the row before, on its day, nothing in quotes.
//!
//! Such a row is read in one pass. Whatever is not exactly so is left to the reader of rows, which knows every form; where both
//! could read a row they read the same.

use super::heading::Places;
use super::row::Row;
use crate::number::{Scanned, scan};
use crate::stamp::{Stamp, StampReader};
use model::Quality;

/// What the fields of a usual row are, learnt from the row before.
#[derive(Debug, Default)]
pub(crate) struct Usual {
    /// A step for each column up to the last one that is needed; none where rows of this table are never usual.
    steps: Vec<Step>,
    quality: Option<Quality>,
    delimiter: u8,
    decimal: u8,
}

#[derive(Debug)]
enum Step {
    Time,
    Value,
    /// A word of the series or the quality, as it was.
    Same(Word),
    /// Anything.
    Pass,
}

/// A field with the delimiter behind it, or the last one of its row.
#[derive(Debug, Default)]
struct Word {
    text: Vec<u8>,
    ends: bool,
}

impl Usual {
    /// Rows of a table whose columns lie at `places`.
    pub(crate) fn new(places: &Places, delimiter: u8, decimal: u8) -> Self {
        let words = [
            places.meter,
            places.service_point,
            places.channel,
            places.unit,
            places.interval,
            places.quality,
        ];
        let needed = words.into_iter().flatten().chain([places.time, places.value]);
        let told_apart = matches!(delimiter, b',' | b';' | b'\t' | b'|')
            && matches!(decimal, b'.' | b',')
            && decimal != delimiter
            && places.clock.is_none()
            && places.time != places.value
            && !words.contains(&Some(places.time))
            && !words.contains(&Some(places.value));
        let count = if told_apart { needed.max().map_or(0, |last| last + 1) } else { 0 };
        // A wider table is rare, and its rows are then read one field at a time.
        let count = if count > 64 { 0 } else { count };
        let step = |column| match column {
            column if column == places.time => Step::Time,
            column if column == places.value => Step::Value,
            column if words.contains(&Some(column)) => Step::Same(Word::default()),
            _ => Step::Pass,
        };
        Self { steps: (0..count).map(step).collect(), quality: None, delimiter, decimal }
    }

    /// The next row is read without what the one before said.
    #[inline]
    pub(crate) const fn forget(&mut self) {
        self.quality = None;
    }

    /// Remembers a row that has a value of this quality and whose quality word says nothing beyond it.
    pub(crate) fn learn(&mut self, row: &Row, line: &[u8], quality: Quality) {
        for (column, step) in self.steps.iter_mut().enumerate() {
            let Step::Same(word) = step else { continue };
            let Some((text, ends)) = row.written(line, column) else { return };
            word.text.clear();
            word.text.extend_from_slice(text);
            word.ends = ends;
        }
        self.quality = Some(quality).filter(|_| !self.steps.is_empty());
    }

    /// The stamp, the value and the quality of a usual row.
    #[inline]
    pub(crate) fn read(&self, line: &[u8], stamps: &StampReader) -> Option<(Stamp, Scanned, Quality)> {
        let quality = self.quality?;
        let (mut stamp, mut value, mut rest) = (None, None, line);
        for step in &self.steps {
            match step {
                Step::Time => {
                    let (found, after) = stamps.again(rest)?;
                    stamp = Some(found);
                    rest = self.behind(after)?;
                }
                Step::Value => {
                    let (found, after) = scan(rest, self.decimal)?;
                    value = Some(found);
                    rest = self.behind(after)?;
                }
                Step::Same(word) => {
                    rest = rest.strip_prefix(word.text.as_slice())?;
                    if word.ends && !rest.is_empty() {
                        return None;
                    }
                }
                Step::Pass => {
                    let at = memchr::memchr2(self.delimiter, b'"', rest);
                    let Some(at) = at else {
                        rest = &[];
                        continue;
                    };
                    rest = self.behind(rest.get(at..)?)?;
                }
            }
        }
        if !rest.is_empty() && memchr::memchr(b'"', rest).is_some() {
            return None;
        }
        Some((stamp?, value?, quality))
    }

    /// What follows the delimiter here; `None` where a field goes on.
    #[inline]
    fn behind<'a>(&self, rest: &'a [u8]) -> Option<&'a [u8]> {
        match rest {
            [] => Some(rest),
            [delimiter, tail @ ..] if *delimiter == self.delimiter => Some(tail),
            _ => None,
        }
    }
}
