//! Splits Rust text into code, comments and string literals, line by line, without parsing it.

/// A Rust file taken apart. `code` has the same lines as the file, with everything inside comments, strings
/// and characters blanked.
#[derive(Debug, Default)]
pub(super) struct Masked {
    pub(super) code: String,
    /// Comments with the line they start on, markers included.
    pub(super) comments: Vec<(usize, String)>,
    /// String literals with the line they start on, quotes excluded.
    pub(super) strings: Vec<(usize, String)>,
}

/// Takes `text` apart.
pub(super) fn mask(text: &str) -> Masked {
    let mut scan = Scan { rest: text.chars().collect(), at: 0, line: 1, out: Masked::default() };
    while let Some(first) = scan.peek(0) {
        match (first, scan.peek(1)) {
            ('/', Some('/')) => scan.line_comment(),
            ('/', Some('*')) => scan.block_comment(),
            ('"', _) => scan.string(),
            ('\'', _) => scan.character(),
            ('r', Some('"' | '#')) if scan.raw_hashes().is_some() && !scan.inside_word() => scan.raw_string(),
            _ => scan.keep(),
        }
    }
    scan.out
}

struct Scan {
    rest: Vec<char>,
    at: usize,
    line: usize,
    out: Masked,
}

impl Scan {
    fn peek(&self, ahead: usize) -> Option<char> {
        self.rest.get(self.at + ahead).copied()
    }

    /// Takes the next character; `shown` says whether it is code.
    fn take(&mut self, shown: bool) -> char {
        let next = self.peek(0).unwrap_or(' ');
        self.at += 1;
        if next == '\n' {
            self.line += 1;
        }
        self.out.code.push(if shown || next == '\n' { next } else { ' ' });
        next
    }

    fn keep(&mut self) {
        self.take(true);
    }

    fn line_comment(&mut self) {
        let line = self.line;
        let mut text = String::new();
        while self.peek(0).is_some_and(|next| next != '\n') {
            text.push(self.take(false));
        }
        self.out.comments.push((line, text));
    }

    fn block_comment(&mut self) {
        let line = self.line;
        let mut text = String::new();
        let mut depth = 0usize;
        while self.peek(0).is_some() {
            match (self.peek(0), self.peek(1)) {
                (Some('/'), Some('*')) => depth += 1,
                (Some('*'), Some('/')) => depth -= 1,
                _ => {
                    text.push(self.take(false));
                    continue;
                }
            }
            text.push(self.take(false));
            text.push(self.take(false));
            if depth == 0 {
                break;
            }
        }
        self.out.comments.push((line, text));
    }

    fn string(&mut self) {
        let line = self.line;
        let mut text = String::new();
        self.keep();
        while let Some(next) = self.peek(0) {
            match next {
                '"' => {
                    self.keep();
                    break;
                }
                '\\' => {
                    text.push(self.take(false));
                    text.push(self.take(false));
                }
                _ => text.push(self.take(false)),
            }
        }
        self.out.strings.push((line, text));
    }

    /// How many hashes follow the `r` of a raw string, if it is one.
    fn raw_hashes(&self) -> Option<usize> {
        let hashes = self.rest[self.at + 1..].iter().take_while(|next| **next == '#').count();
        (self.peek(1 + hashes) == Some('"')).then_some(hashes)
    }

    /// Whether the character before belongs to a word (`br"` does not end one).
    fn inside_word(&self) -> bool {
        let before = self.at.checked_sub(1).and_then(|at| self.rest.get(at)).copied();
        before.is_some_and(|c| (c.is_alphanumeric() || c == '_') && c != 'b' && c != 'c')
    }

    fn raw_string(&mut self) {
        let line = self.line;
        let hashes = self.raw_hashes().unwrap_or(0);
        for _ in 0..hashes + 2 {
            self.keep();
        }
        let mut text = String::new();
        while let Some(next) = self.peek(0) {
            let closes = next == '"' && (1..=hashes).all(|ahead| self.peek(ahead) == Some('#'));
            if closes {
                for _ in 0..=hashes {
                    self.keep();
                }
                break;
            }
            text.push(self.take(false));
        }
        self.out.strings.push((line, text));
    }

    /// A character literal, or the tick of a lifetime.
    fn character(&mut self) {
        let escaped = self.peek(1) == Some('\\');
        let literal = escaped || self.peek(2) == Some('\'');
        self.keep();
        if !literal {
            return;
        }
        let mut first = true;
        while let Some(next) = self.peek(0) {
            if next == '\'' && !first {
                self.keep();
                break;
            }
            if next == '\\' {
                self.take(false);
            }
            self.take(false);
            first = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_comments_and_strings_are_told_apart() {
        let text = "let a = \"x { // no\"; // yes {\nlet b = 'c'; /* a /* b */ { */ fn f<'a>() {}\n";
        let masked = mask(text);
        assert_eq!(masked.code.lines().count(), 2);
        assert_eq!(masked.code.len(), text.len());
        assert_eq!(masked.code.matches('{').count(), 1);
        assert!(masked.code.contains("fn f<'a>() {}"));
        assert_eq!(masked.strings, [(1, "x { // no".to_owned())]);
        assert_eq!(masked.comments[0], (1, "// yes {".to_owned()));
        assert_eq!(masked.comments[1], (2, "/* a /* b */ { */".to_owned()));
    }

    #[test]
    fn raw_strings_escapes_and_odd_characters() {
        let masked = mask(r####"f(r#"a " { "#, "q\" {", '\'', '{', b'"', br"{", '\u{7B}', for_r"");"####);
        assert_eq!(masked.code.matches('{').count(), 0, "{}", masked.code);
        let texts: Vec<_> = masked.strings.iter().map(|(_, text)| text.as_str()).collect();
        assert_eq!(texts, ["a \" { ", "q\\\" {", "{", ""]);
    }
}
