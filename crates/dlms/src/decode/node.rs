//! What is shown, before it is text or JSON.

use serde_json::{Map, Value, json};

/// A tree of what was understood.
#[derive(Clone, Debug, PartialEq)]
pub enum Node {
    /// A plain value.
    Value(Value),
    /// A value of a COSEM type, and what it may mean.
    Typed(&'static str, Value, Option<(&'static str, String)>),
    /// Values one after the other; of a COSEM type, or none.
    List(Option<&'static str>, Vec<Self>),
    /// Values by name.
    Fields(Vec<(&'static str, Self)>),
}

impl From<&str> for Node {
    fn from(text: &str) -> Self {
        Self::Value(json!(text))
    }
}

impl From<String> for Node {
    fn from(text: String) -> Self {
        Self::Value(json!(text))
    }
}

macro_rules! plain {
    ($($from:ty),*) => {$(
        impl From<$from> for Node {
            fn from(value: $from) -> Self {
                Self::Value(json!(value))
            }
        }
    )*};
}
plain!(bool, u8, u16, u32, u64, usize, i8, i64);

impl Node {
    /// Nothing.
    pub const NULL: Self = Self::Value(Value::Null);

    /// A plain value or nothing.
    pub(super) fn option<T: Into<Self>>(value: Option<T>) -> Self {
        value.map_or(Self::NULL, Into::into)
    }

    /// As JSON; typed values become `{"type": value}`.
    pub fn to_json(&self) -> Value {
        match self {
            Self::Value(value) => value.clone(),
            Self::Typed(name, value, meaning) => {
                let mut object = Map::new();
                object.insert((*name).to_owned(), value.clone());
                if let Some((key, meaning)) = meaning {
                    object.insert((*key).to_owned(), json!(meaning));
                }
                Value::Object(object)
            }
            Self::List(name, items) => {
                let items = items.iter().map(Self::to_json).collect();
                match name {
                    Some(name) => json!({ *name: Value::Array(items) }),
                    None => Value::Array(items),
                }
            }
            Self::Fields(fields) => {
                let fields = fields.iter().map(|(name, node)| ((*name).to_owned(), node.to_json()));
                Value::Object(fields.collect())
            }
        }
    }

    /// As indented lines, each ended by a line break.
    pub fn to_text(&self) -> String {
        let mut out = String::new();
        self.write(&mut out, 0);
        out
    }

    fn write(&self, out: &mut String, depth: usize) {
        match self {
            Self::List(_, items) => {
                for item in items {
                    if let Self::Fields(_) = item {
                        let mut lines = String::new();
                        item.write(&mut lines, depth + 1);
                        indent(out, depth);
                        out.push_str("- ");
                        out.push_str(lines.trim_start());
                        continue;
                    }
                    indent(out, depth);
                    item.write_item(out, depth);
                }
            }
            Self::Fields(fields) => {
                for (name, node) in fields {
                    indent(out, depth);
                    out.push_str(name);
                    out.push_str(": ");
                    node.write_item(out, depth);
                }
            }
            Self::Value(_) | Self::Typed(..) => {
                indent(out, depth);
                self.write_item(out, depth);
            }
        }
    }

    /// What follows a name or bullet on its line, and the lines below.
    fn write_item(&self, out: &mut String, depth: usize) {
        match self {
            Self::Value(value) => out.push_str(&plain_text(value)),
            Self::Typed(name, value, meaning) => {
                out.push_str(name);
                if !value.is_null() {
                    out.push(' ');
                    out.push_str(&plain_text(value));
                }
                if let Some((_, meaning)) = meaning {
                    out.push_str("  (");
                    out.push_str(meaning);
                    out.push(')');
                }
            }
            Self::List(name, items) => {
                out.push_str(name.unwrap_or("list"));
                out.push_str(" of ");
                out.push_str(&items.len().to_string());
            }
            Self::Fields(_) => {
                let kept = out.trim_end_matches(' ').len();
                out.truncate(kept);
            }
        }
        out.push('\n');
        if matches!(self, Self::List(..) | Self::Fields(_)) {
            self.write(out, depth + 1);
        }
    }
}

fn indent(out: &mut String, depth: usize) {
    out.extend(core::iter::repeat_n("  ", depth));
}

/// Text without its quotes; control characters escaped, since captures may hold any.
fn plain_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.chars().fold(String::new(), |mut shown, letter| {
            if letter.is_control() {
                shown.extend(letter.escape_default());
            } else {
                shown.push(letter);
            }
            shown
        }),
        Value::Null => "none".to_owned(),
        other => other.to_string(),
    }
}
