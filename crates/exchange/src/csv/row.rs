//! Fields of a line.

use memchr::memchr;

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
        self.quoted = memchr(b'"', line).is_some();
        if self.quoted {
            return self.split_quoted(line, delimiter);
        }
        let mut from = 0;
        for at in memchr::memchr_iter(delimiter, line) {
            self.ends.push((from, at));
            from = at + 1;
        }
        self.ends.push((from, line.len()));
        true
    }

    fn split_quoted(&mut self, line: &[u8], delimiter: u8) -> bool {
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

    /// Every field.
    pub(crate) fn fields<'a>(&'a self, line: &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
        (0..self.len()).map(move |index| self.field(line, index))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
