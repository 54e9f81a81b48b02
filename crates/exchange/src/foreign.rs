//! What a foreign quality code says beyond our byte, as one word that any table can hold.
//!
//! ```text
//! aemo:S14            aemo:F17:79:free%20text       espi:8.16        cim:3.8.0/1.2.32      cmep:E64      word:guess
//! ```

use crate::item::{Foreign, Remark};
use model::quality::codes::{Aemo, Cim, Cmep};

/// What stands between our quality and the sender's code.
pub(crate) const BETWEEN: char = '|';

impl Foreign {
    /// As one word without spaces, commas, stars, quotes and bars.
    pub fn token(&self) -> String {
        let join = |codes: Vec<String>, between| codes.join(between);
        match self {
            Self::Espi(codes) => format!("espi:{}", join(codes.iter().map(u16::to_string).collect(), ".")),
            Self::Cim(codes) => format!("cim:{}", join(codes.iter().map(Cim::to_string).collect(), "/")),
            Self::Aemo(code, remark) if *remark == Remark::default() => format!("aemo:{code}"),
            Self::Aemo(code, Remark { code: reason, text }) => {
                let reason = reason.map_or_else(String::new, |reason| reason.to_string());
                format!("aemo:{code}:{reason}:{}", escaped(text))
            }
            Self::Cmep(code) => format!("cmep:{code}"),
            Self::Word(word) => format!("word:{}", escaped(word)),
        }
    }

    /// What a [`Foreign::token`] says; `None` where it is none.
    pub fn from_token(token: &str) -> Option<Self> {
        let (format, rest) = token.split_once(':')?;
        match format {
            "espi" if rest.is_empty() => Some(Self::Espi(Vec::new())),
            "espi" => rest.split('.').map(|code| code.parse().ok()).collect::<Option<_>>().map(Self::Espi),
            "cim" => rest.split('/').map(|code| code.parse().ok()).collect::<Option<_>>().map(Self::Cim),
            "aemo" => {
                let mut parts = rest.splitn(3, ':');
                let code = Aemo::parse(parts.next()?.as_bytes())?;
                let reason = match parts.next() {
                    None | Some("") => None,
                    Some(reason) => Some(reason.parse().ok()?),
                };
                let text = unescaped(parts.next().unwrap_or_default())?;
                Some(Self::Aemo(code, Remark { code: reason, text }))
            }
            "cmep" => Cmep::parse(rest).map(Self::Cmep),
            "word" => unescaped(rest).map(Self::Word),
            _ => None,
        }
    }
}

/// Everything but letters, digits and a few signs as `%` and two digits a byte.
fn escaped(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~()/".contains(&byte);
    text.bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

fn unescaped(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let (digits, after) = rest.split_at_checked(2)?;
        bytes.push(u8::from_str_radix(core::str::from_utf8(digits).ok()?, 16).ok()?);
        rest = after;
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn tokens() {
        let remark = |code, text: &str| Remark { code, text: text.to_owned() };
        let aemo = |text: &str| Aemo::parse(text.as_bytes()).unwrap();
        let table = [
            (Foreign::Espi(vec![8, 16]), "espi:8.16"),
            (Foreign::Espi(Vec::new()), "espi:"),
            (Foreign::Cim(vec![Cim::new(3, 8, 0), Cim::new(1, 2, 32)]), "cim:3.8.0/1.2.32"),
            (Foreign::Aemo(aemo("S14"), Remark::default()), "aemo:S14"),
            (Foreign::Aemo(aemo("A"), remark(Some(79), "power, out")), "aemo:A:79:power%2C%20out"),
            (Foreign::Aemo(aemo("F17"), remark(None, "a:b")), "aemo:F17::a%3Ab"),
            (Foreign::Cmep(Cmep::parse("E64").unwrap()), "cmep:E64"),
            (Foreign::Word("what*|".into()), "word:what%2A%7C"),
        ];
        for (foreign, token) in table {
            assert_eq!(foreign.token(), token);
            assert_eq!(Foreign::from_token(token), Some(foreign));
        }
        for wrong in ["", "espi", "espi:x", "aemo:Z", "aemo:S14:x", "word:%4", "other:1"] {
            assert_eq!(Foreign::from_token(wrong), None, "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_one_word(text in ".{0,40}") {
            let foreign = Foreign::Word(text);
            let token = foreign.token();
            prop_assert!(!token.contains([' ', ',', ';', '\t', '*', '"', '|', '\n']));
            prop_assert_eq!(Foreign::from_token(&token), Some(foreign));
        }
    }
}
