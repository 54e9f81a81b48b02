//! The usual interval reading: plain elements with numbers in them, read in one pass without an event for each tag.
//!
//! What is not exactly so (an attribute, a comment, an element that is not known here, the end of what was read from the
//! input) is left to the reader of events, which reads the same of what both could read.

use super::run::Reading;

/// A reading that stood at the beginning of some bytes.
#[derive(Debug)]
pub(crate) struct Skimmed {
    /// The reading; its line counts from the beginning of the bytes.
    pub(crate) reading: Reading,
    /// How many bytes it took, with the blanks before it.
    pub(crate) bytes: usize,
    /// And how many line ends.
    pub(crate) lines: u64,
}

/// A cursor that counts line ends.
struct Text<'a> {
    rest: &'a [u8],
    lines: u64,
}

/// The interval reading at the beginning of `bytes`, where the whole of it is there.
#[inline]
pub(crate) fn reading(bytes: &[u8]) -> Option<Skimmed> {
    let mut text = Text { rest: bytes, lines: 0 };
    text.blanks();
    let name = text.open()?;
    if local(name)? != b"IntervalReading" {
        return None;
    }
    let mut reading = Reading { line: text.lines, ..Reading::default() };
    while !text.closes(name)? {
        let part = text.open()?;
        match local(part)? {
            b"value" => reading.value = Some(text.number(part)?),
            b"cost" => reading.cost = Some(text.number(part)?),
            b"timePeriod" => {
                while !text.closes(part)? {
                    let leaf = text.open()?;
                    match local(leaf)? {
                        b"start" => reading.start = Some(text.number(leaf)?),
                        b"duration" => reading.duration = Some(u32::try_from(text.number(leaf)?).ok()?),
                        _ => return None,
                    }
                }
            }
            b"ReadingQuality" => {
                while !text.closes(part)? {
                    let leaf = text.open()?;
                    if local(leaf)? != b"quality" {
                        return None;
                    }
                    reading.codes.push(u16::try_from(text.number(leaf)?).ok()?);
                }
            }
            _ => return None,
        }
    }
    Some(Skimmed { reading, bytes: bytes.len() - text.rest.len(), lines: text.lines })
}

impl<'a> Text<'a> {
    #[inline]
    fn blanks(&mut self) {
        while let [byte @ (b' ' | b'\n' | b'\r' | b'\t'), rest @ ..] = self.rest {
            self.lines += u64::from(*byte == b'\n');
            self.rest = rest;
        }
    }

    /// The name of a tag that opens here and has no attributes.
    #[inline]
    fn open(&mut self) -> Option<&'a [u8]> {
        let rest = self.rest.strip_prefix(b"<")?;
        let length = rest.iter().take(64).position(|byte| !byte.is_ascii_alphanumeric() && *byte != b':')?;
        let (name, rest) = rest.split_at_checked(length)?;
        self.rest = rest.strip_prefix(b">")?;
        Some(name)
    }

    /// Passes over the tag that closes `name`, if it stands here, perhaps after blanks. `None` where another one closes.
    #[inline]
    fn closes(&mut self, name: &[u8]) -> Option<bool> {
        self.blanks();
        let Some(rest) = self.rest.strip_prefix(b"</") else { return Some(false) };
        self.rest = rest.strip_prefix(name)?.strip_prefix(b">")?;
        Some(true)
    }

    /// The whole number that an element `name` holds, and its end.
    #[inline]
    fn number(&mut self, name: &[u8]) -> Option<i64> {
        let (negative, digits) =
            self.rest.strip_prefix(b"-").map_or((false, self.rest), |digits| (true, digits));
        let (mut number, mut length) = (0i64, 0);
        while let Some(digit) =
            digits.get(length).map(|byte| byte.wrapping_sub(b'0')).filter(|digit| *digit < 10)
        {
            number = number.wrapping_mul(10).wrapping_add(i64::from(digit));
            length += 1;
        }
        if !(1..=18).contains(&length) {
            return None;
        }
        let rest = digits.get(length..)?.strip_prefix(b"</")?;
        self.rest = rest.strip_prefix(name)?.strip_prefix(b">")?;
        Some(if negative { -number } else { number })
    }
}

/// A name without its prefix.
#[inline]
fn local(name: &[u8]) -> Option<&[u8]> {
    match memchr::memchr(b':', name) {
        None => Some(name),
        Some(0) => None,
        Some(at) => name.get(at + 1..).filter(|local| !local.contains(&b':')),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_readings_are_skimmed_and_others_left() {
        let text = b"\n <e:IntervalReading>\n<e:cost>-5</e:cost><e:ReadingQuality><e:quality>8</e:quality></e:ReadingQuality>
            <e:timePeriod><e:duration>900</e:duration> <e:start>1330578000</e:start></e:timePeriod><e:value>282</e:value>\n</e:IntervalReading> x";
        let found = reading(text).unwrap();
        assert_eq!((found.bytes, found.lines, found.reading.line), (text.len() - 2, 4, 1));
        let Reading { start, duration, value, cost, codes, .. } = found.reading;
        assert_eq!((start, duration, value, cost), (Some(1_330_578_000), Some(900), Some(282), Some(-5)));
        assert_eq!(codes, [8]);
        for length in 0..text.len() - 2 {
            assert!(reading(&text[..length]).is_none(), "{length} bytes are not the whole of it");
        }
        for other in [
            "<IntervalReading a=\"b\"></IntervalReading>",
            "<IntervalReading><!-- --></IntervalReading>",
            "<IntervalReading><tou>1</tou></IntervalReading>",
            "<IntervalReading><value>1.5</value></IntervalReading>",
            "<IntervalReading><value></value></IntervalReading>",
            "<IntervalReading><value/></IntervalReading>",
            "<IntervalReading><value>1234567890123456789</value></IntervalReading>",
            "<IntervalReading><value>1</e:value></IntervalReading>",
            "<a:IntervalReading></b:IntervalReading>",
            "<:IntervalReading></:IntervalReading>",
            "<IntervalBlock></IntervalBlock>",
            "text<IntervalReading></IntervalReading>",
        ] {
            assert!(reading(other.as_bytes()).is_none(), "{other}");
        }
    }
}
