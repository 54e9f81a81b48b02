//! Fields of a line.

/// The fields of one line, unquoted; the buffers are used again line after line.
#[derive(Debug, Default)]
pub(crate) struct Row {
    /// The line without quotes, only where it has any.
    plain: Vec<u8>,
    ends: Vec<(usize, usize)>,
    quoted: bool,
}

impl Row {
    /// Splits `line` at `delimiter`. `false` where a quote is not closed.
    #[inline]
    pub(crate) fn split(&mut self, line: &[u8], delimiter: u8) -> bool {
        self.ends.clear();
        self.quoted = false;
        let (words, tail) = line.as_chunks::<8>();
        let (mut from, mut base) = (0, 0);
        for word in words {
            let word = u64::from_le_bytes(*word);
            if places_of(b'"', word) != 0 {
                return self.split_quoted(line, delimiter);
            }
            let mut found = places_of(delimiter, word);
            while found != 0 {
                let at = base + usize::try_from(found.trailing_zeros() / 8).unwrap_or(0);
                self.ends.push((from, at));
                from = at + 1;
                found &= found - 1;
            }
            base += 8;
        }
        for (at, byte) in (base..).zip(tail) {
            if *byte == b'"' {
                return self.split_quoted(line, delimiter);
            }
            if *byte == delimiter {
                self.ends.push((from, at));
                from = at + 1;
            }
        }
        self.ends.push((from, line.len()));
        true
    }

    fn split_quoted(&mut self, line: &[u8], delimiter: u8) -> bool {
        self.quoted = true;
        self.ends.clear();
        self.plain.clear();
        let (mut from, mut inside, mut bytes) = (0, false, line.iter().copied().peekable());
        while let Some(byte) = bytes.next() {
            match byte {
                b'"' if inside && bytes.peek() == Some(&b'"') => {
                    bytes.next();
                    self.plain.push(b'"');
                }
                b'"' => inside = !inside,
                byte if byte == delimiter && !inside => {
                    self.ends.push((from, self.plain.len()));
                    from = self.plain.len();
                }
                byte => self.plain.push(byte),
            }
        }
        self.ends.push((from, self.plain.len()));
        !inside
    }

    /// How many fields.
    pub(crate) const fn len(&self) -> usize {
        self.ends.len()
    }

    /// The field at `index`, without blanks around it; empty where the line is shorter.
    #[inline]
    pub(crate) fn field<'a>(&'a self, line: &'a [u8], index: usize) -> &'a [u8] {
        let Some((from, to)) = self.ends.get(index) else { return b"" };
        let whole = if self.quoted { &self.plain } else { line };
        whole.get(*from..*to).unwrap_or_default().trim_ascii()
    }

    /// The field at `index` as it is written, with the delimiter behind it, and whether the line ends there; `None` where
    /// quotes were taken away.
    pub(crate) fn written<'a>(&self, line: &'a [u8], index: usize) -> Option<(&'a [u8], bool)> {
        if self.quoted {
            return None;
        }
        let Some((from, to)) = self.ends.get(index) else { return Some((b"", true)) };
        let ends = *to >= line.len();
        Some((line.get(*from..if ends { *to } else { to + 1 })?, ends))
    }

    /// Every field.
    pub(crate) fn fields<'a>(&'a self, line: &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
        (0..self.len()).map(move |index| self.field(line, index))
    }
}

/// The highest bit of each of the eight bytes of `word` that is `byte`. Fields are short, so that a call for each would
/// cost more than the search.
#[inline]
const fn places_of(byte: u8, word: u64) -> u64 {
    const LOW: u64 = u64::from_ne_bytes([0x7F; 8]);
    let differing = word ^ u64::from_ne_bytes([byte; 8]);
    !(((differing & LOW) + LOW) | differing | LOW)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn fields_with_and_without_quotes() {
        let table: [(&[u8], &[&str]); 5] = [
            (b"a,b,,c", &["a", "b", "", "c"]),
            (b"", &[""]),
            (b" a , b", &["a", "b"]),
            (b"\"a,b\",\"c\"\"d\"", &["a,b", "c\"d"]),
            (b"x,\"\"", &["x", ""]),
        ];
        let mut row = Row::default();
        for (line, wanted) in table {
            assert!(row.split(line, b','));
            let found: Vec<&[u8]> = row.fields(line).collect();
            let wanted: Vec<&[u8]> = wanted.iter().map(|field| field.as_bytes()).collect();
            assert_eq!(found, wanted);
            assert_eq!(row.field(line, 99), b"");
        }
        assert!(!row.split(b"a,\"b", b','));
    }
    proptest! {
        #[test]
        fn fields_are_those_of_a_split(line in prop::collection::vec(prop_oneof![Just(b','), any::<u8>()], 0..60)) {
            prop_assume!(!line.contains(&b'"'));
            let mut row = Row::default();
            prop_assert!(row.split(&line, b','));
            let found: Vec<&[u8]> = row.fields(&line).collect();
            let wanted: Vec<&[u8]> = line.split(|byte| *byte == b',').map(<[u8]>::trim_ascii).collect();
            prop_assert_eq!(found, wanted);
        }

        #[test]
        fn a_quote_anywhere_is_seen(before in "[a-z,]{0,30}", after in "[a-z,]{0,30}") {
            let mut row = Row::default();
            let line = format!("{before}\"x,y\"{after}");
            prop_assert!(row.split(line.as_bytes(), b','));
            let wanted = before.matches(',').count() + after.matches(',').count() + 1;
            prop_assert_eq!(row.len(), wanted);
        }
    }
}
