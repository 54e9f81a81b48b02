//! Answers of wired M-Bus meters as trees.

use super::Node;
use crate::data::hex;
use crate::mbus::{MbusAnswer, MbusHeader, MbusRecord, MbusValue, Quantity};
use serde_json::{Value, json};

pub(super) fn node(answer: &MbusAnswer) -> Node {
    Node::Fields(vec![
        ("header", answer.header.as_ref().map_or(Node::NULL, header)),
        ("records", Node::List(None, answer.records.iter().map(record).collect())),
    ])
}

fn header(header: &MbusHeader) -> Node {
    Node::Fields(vec![
        ("id", Node::from(format!("{:08x}", header.id))),
        ("manufacturer", Node::option(header.manufacturer_letters())),
        ("version", Node::option(header.version)),
        ("medium", Node::from(header.medium_name())),
        ("access_number", Node::from(header.access)),
        ("status", Node::from(header.status)),
        ("signature", Node::option(header.signature)),
    ])
}

fn record(record: &MbusRecord) -> Node {
    let mut fields = vec![
        ("function", Node::from(record.function.name())),
        ("storage", Node::from(record.storage)),
        ("tariff", Node::from(record.tariff)),
        ("device", Node::from(record.device)),
    ];
    if let Some(quantity) = &record.quantity {
        fields.push(("quantity", Node::from(quantity.name.as_str())));
        fields.push(("unit", Node::from(quantity.unit)));
    }
    fields.push(("value", Node::Value(value(&record.value, record.quantity.as_ref()))));
    Node::Fields(fields)
}

/// The value in its unit; a whole number stays one where it is one.
fn value(value: &MbusValue, quantity: Option<&Quantity>) -> Value {
    let (factor, exponent) = quantity.map_or((1, 0), |quantity| (quantity.factor, quantity.exponent));
    match value {
        MbusValue::None => Value::Null,
        MbusValue::Number(number) => {
            number.checked_mul(factor).map_or(Value::Null, |number| scaled(number, exponent))
        }
        MbusValue::Real(real) => decimal(&format!("{real}e{exponent}")),
        MbusValue::Text(text) | MbusValue::Time(text) => json!(text),
        MbusValue::Bytes(bytes) => json!(hex(bytes)),
    }
}

fn scaled(number: i64, exponent: i8) -> Value {
    let whole = u32::try_from(exponent).ok().and_then(|exponent| 10i64.checked_pow(exponent));
    match whole.and_then(|power| number.checked_mul(power)) {
        Some(whole) => json!(whole),
        None => decimal(&format!("{number}e{exponent}")),
    }
}

/// Parsed from its digits, so that 56108 with two decimals is 561.08 and not its neighbour.
fn decimal(text: &str) -> Value {
    text.parse::<f64>().map_or(Value::Null, |number| json!(number))
}
