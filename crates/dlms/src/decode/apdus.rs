//! APDUs as trees.

use super::Node;
use crate::acse::{Aare, Aarq, Diagnostic, InitiateRequest, InitiateResponse, Rlre, Rlrq};
use crate::apdu::{
    ActionOutcome, ActionRequest, ActionResponse, Apdu, AttributeRef, DataAccessError, GetRequest,
    GetResponse, InvokeId, MethodRef, Selection, ServiceError, SetRequest, SetResponse,
};
use crate::data::{Data, hex};
use crate::datetime::{CosemDateTime, DeviationSign};
use crate::obis::Obis;

type Fields = Vec<(&'static str, Node)>;

/// The APDU by its name and fields.
pub(super) fn node(apdu: &Apdu) -> Node {
    let mut fields: Fields = vec![("type", Node::from(apdu.name()))];
    fields.extend(match apdu {
        Apdu::InitiateRequest(initiate) => initiate_request(initiate),
        Apdu::InitiateResponse(initiate) => initiate_response(initiate),
        Apdu::ConfirmedServiceError(error) => vec![
            ("service", Node::from(error.service)),
            ("kind", Node::from(error.kind)),
            ("value", Node::from(error.value)),
        ],
        Apdu::DataNotification(notification) => vec![
            ("long_invoke_id_and_priority", Node::from(notification.long_invoke)),
            ("time", time(Some(&notification.at))),
            ("body", data(&notification.body)),
        ],
        Apdu::EventNotification(event) => vec![
            ("time", time(event.at.as_deref())),
            ("attribute", attribute(event.attribute)),
            ("value", data(&event.value)),
        ],
        Apdu::Aarq(aarq) => association_request(aarq),
        Apdu::Aare(aare) => association_response(aare),
        Apdu::Rlrq(Rlrq { reason, user_information }) | Apdu::Rlre(Rlre { reason, user_information }) => {
            vec![("reason", Node::option(*reason)), ("user_information", inner(user_information))]
        }
        Apdu::GetRequest(request) => get_request(request),
        Apdu::GetResponse(response) => get_response(response),
        Apdu::SetRequest(request) => set_request(request),
        Apdu::SetResponse(response) => set_response(response),
        Apdu::ActionRequest(request) => action_request(request),
        Apdu::ActionResponse(response) => action_response(response),
        Apdu::ExceptionResponse(exception) => {
            let mut fields = vec![
                ("state_error", Node::from(format!("{:?}", exception.state))),
                ("service_error", Node::from(format!("{:?}", exception.service))),
            ];
            if let ServiceError::InvocationCounterError(counter) = exception.service {
                fields.push(("invocation_counter", Node::from(counter)));
            }
            fields
        }
        Apdu::GeneralBlockTransfer(block) => vec![
            ("last", Node::from(block.last)),
            ("block", Node::from(block.block)),
            ("bytes", Node::from(hex(&block.bytes))),
        ],
        Apdu::Ciphered(ciphered) => vec![("ciphertext", Node::from(hex(&ciphered.body)))],
    });
    Node::Fields(fields)
}

fn initiate_request(initiate: &InitiateRequest) -> Fields {
    vec![
        // The key itself is never shown.
        ("dedicated_key", Node::from(initiate.dedicated_key.is_some())),
        ("response_allowed", Node::from(initiate.response_allowed)),
        ("dlms_version", Node::from(initiate.dlms_version)),
        ("conformance", Node::from(format!("{:06x}", initiate.conformance.0))),
        ("max_pdu", Node::from(initiate.max_pdu)),
    ]
}

fn initiate_response(initiate: &InitiateResponse) -> Fields {
    vec![
        ("dlms_version", Node::from(initiate.dlms_version)),
        ("conformance", Node::from(format!("{:06x}", initiate.conformance.0))),
        ("max_pdu", Node::from(initiate.max_pdu)),
        ("vaa_name", Node::from(initiate.vaa_name)),
    ]
}

/// What is inside user information, if it is in the clear.
fn inner(user_information: &[u8]) -> Node {
    match Apdu::decode(user_information) {
        _ if user_information.is_empty() => Node::NULL,
        Ok(apdu) => node(&apdu),
        Err(_) => Node::from(hex(user_information)),
    }
}

fn association_request(aarq: &Aarq) -> Fields {
    vec![
        ("context", Node::from(format!("{:?}", aarq.context))),
        ("calling_ap_title", Node::option(aarq.calling_ap_title.map(|title| title.to_string()))),
        ("mechanism", Node::option(aarq.mechanism.map(|mechanism| format!("{mechanism:?}")))),
        ("calling_authentication_value", Node::option(aarq.calling_authentication_value.as_deref().map(hex))),
        ("user_information", inner(&aarq.user_information)),
    ]
}

fn association_response(aare: &Aare) -> Fields {
    let diagnostic = match aare.diagnostic {
        Diagnostic::User(why) => format!("{why:?}"),
        Diagnostic::Provider(number) => format!("provider {number}"),
    };
    vec![
        ("context", Node::from(format!("{:?}", aare.context))),
        ("result", Node::from(format!("{:?}", aare.result))),
        ("diagnostic", Node::from(diagnostic)),
        ("responding_ap_title", Node::option(aare.responding_ap_title.map(|title| title.to_string()))),
        ("mechanism", Node::option(aare.mechanism.map(|mechanism| format!("{mechanism:?}")))),
        (
            "responding_authentication_value",
            Node::option(aare.responding_authentication_value.as_deref().map(hex)),
        ),
        ("user_information", inner(&aare.user_information)),
    ]
}

fn get_request(request: &GetRequest) -> Fields {
    match request {
        GetRequest::Normal { invoke, attribute, selection } => {
            vec![id(*invoke), ("attribute", selected(*attribute, selection.as_ref()))]
        }
        GetRequest::Next { invoke, block } => vec![id(*invoke), ("block", Node::from(*block))],
        GetRequest::WithList { invoke, attributes } => vec![id(*invoke), ("attributes", list(attributes))],
    }
}

fn get_response(response: &GetResponse) -> Fields {
    match response {
        GetResponse::Normal { invoke, result: value } => vec![id(*invoke), ("result", result(value))],
        GetResponse::Block { invoke, last, block, result } => {
            let bytes = match result {
                Ok(bytes) => Node::from(hex(bytes)),
                Err(error) => refused(*error),
            };
            vec![id(*invoke), ("last", Node::from(*last)), ("block", Node::from(*block)), ("bytes", bytes)]
        }
        GetResponse::WithList { invoke, results } => {
            vec![id(*invoke), ("results", Node::List(None, results.iter().map(result).collect()))]
        }
    }
}

fn block_fields(last: bool, block: u32, bytes: &[u8]) -> Fields {
    vec![("last", Node::from(last)), ("block", Node::from(block)), ("bytes", Node::from(hex(bytes)))]
}

fn set_request(request: &SetRequest) -> Fields {
    let mut fields = vec![id(request.invoke())];
    match request {
        SetRequest::Normal { attribute, selection, value, .. } => {
            fields.extend([("attribute", selected(*attribute, selection.as_ref())), ("value", data(value))]);
        }
        SetRequest::FirstBlock { attribute, selection, last, block, bytes, .. } => {
            fields.push(("attribute", selected(*attribute, selection.as_ref())));
            fields.extend(block_fields(*last, *block, bytes));
        }
        SetRequest::Block { last, block, bytes, .. } => fields.extend(block_fields(*last, *block, bytes)),
        SetRequest::WithList { attributes, values, .. } => fields.extend([
            ("attributes", list(attributes)),
            ("values", Node::List(None, values.iter().map(data).collect())),
        ]),
        SetRequest::FirstBlockWithList { attributes, last, block, bytes, .. } => {
            fields.push(("attributes", list(attributes)));
            fields.extend(block_fields(*last, *block, bytes));
        }
    }
    fields
}

fn set_response(response: &SetResponse) -> Fields {
    let code = |result: &Result<(), DataAccessError>| match result {
        Ok(()) => Node::from("success"),
        Err(error) => refused(*error),
    };
    let mut fields = vec![id(response.invoke())];
    match response {
        SetResponse::Normal { result, .. } => fields.push(("result", code(result))),
        SetResponse::Block { block, .. } => fields.push(("block", Node::from(*block))),
        SetResponse::LastBlock { result, block, .. } => {
            fields.extend([("result", code(result)), ("block", Node::from(*block))]);
        }
        SetResponse::LastBlockWithList { results, block, .. } => {
            let results = results.iter().map(code).collect();
            fields.extend([("results", Node::List(None, results)), ("block", Node::from(*block))]);
        }
        SetResponse::WithList { results, .. } => {
            fields.push(("results", Node::List(None, results.iter().map(code).collect())));
        }
    }
    fields
}

fn action_request(request: &ActionRequest) -> Fields {
    let mut fields = vec![id(request.invoke())];
    let methods = |methods: &[MethodRef]| Node::List(None, methods.iter().map(|it| method(*it)).collect());
    match request {
        ActionRequest::Normal { method: of, parameters, .. } => {
            fields.push(("method", method(*of)));
            fields.push(("parameters", parameters.as_ref().map_or(Node::NULL, data)));
        }
        ActionRequest::NextBlock { block, .. } => fields.push(("block", Node::from(*block))),
        ActionRequest::WithList { methods: of, parameters, .. } => {
            fields.push(("methods", methods(of)));
            fields.push(("parameters", Node::List(None, parameters.iter().map(data).collect())));
        }
        ActionRequest::FirstBlock { method: of, last, block, bytes, .. } => {
            fields.push(("method", method(*of)));
            fields.extend(block_fields(*last, *block, bytes));
        }
        ActionRequest::Block { last, block, bytes, .. } => fields.extend(block_fields(*last, *block, bytes)),
        ActionRequest::WithListFirstBlock { methods: of, last, block, bytes, .. } => {
            fields.push(("methods", methods(of)));
            fields.extend(block_fields(*last, *block, bytes));
        }
    }
    fields
}

fn action_response(response: &ActionResponse) -> Fields {
    let mut fields = vec![id(response.invoke())];
    match response {
        ActionResponse::Normal { outcome: of, .. } => fields.push(("outcome", outcome(of))),
        ActionResponse::Block { last, block, bytes, .. } => fields.extend(block_fields(*last, *block, bytes)),
        ActionResponse::WithList { outcomes, .. } => {
            fields.push(("outcomes", Node::List(None, outcomes.iter().map(outcome).collect())));
        }
        ActionResponse::NextBlock { block, .. } => fields.push(("block", Node::from(*block))),
    }
    fields
}

fn outcome(outcome: &ActionOutcome) -> Node {
    let status = match outcome.result {
        Ok(()) => "success".to_owned(),
        Err(error) => format!("{error:?}"),
    };
    Node::Fields(vec![
        ("result", Node::from(status)),
        ("value", outcome.value.as_ref().map_or(Node::NULL, result)),
    ])
}

fn id(invoke: InvokeId) -> (&'static str, Node) {
    ("invoke_id_and_priority", Node::from(invoke.0))
}

fn attribute(attribute: AttributeRef) -> Node {
    Node::Fields(vec![
        ("class", Node::from(attribute.class)),
        ("object", Node::from(attribute.object.to_string())),
        ("attribute", Node::from(attribute.attribute)),
    ])
}

fn method(method: MethodRef) -> Node {
    Node::Fields(vec![
        ("class", Node::from(method.class)),
        ("object", Node::from(method.object.to_string())),
        ("method", Node::from(method.method)),
    ])
}

fn selected(of: AttributeRef, selection: Option<&Selection>) -> Node {
    let mut node = attribute(of);
    if let (Node::Fields(fields), Some(selection)) = (&mut node, selection) {
        fields.push(("selector", Node::from(selection.selector)));
        fields.push(("parameters", data(&selection.parameters)));
    }
    node
}

fn list(attributes: &[(AttributeRef, Option<Selection>)]) -> Node {
    let attributes = attributes.iter().map(|(of, selection)| selected(*of, selection.as_ref()));
    Node::List(None, attributes.collect())
}

fn refused(error: DataAccessError) -> Node {
    Node::Fields(vec![
        ("data_access_error", Node::from(error.code())),
        ("meaning", Node::from(format!("{error:?}"))),
    ])
}

fn result(result: &Result<Data, DataAccessError>) -> Node {
    match result {
        Ok(value) => data(value),
        Err(error) => refused(*error),
    }
}

fn time(at: Option<&[u8]>) -> Node {
    let shown = at.and_then(|at| CosemDateTime::try_from(at).ok());
    Node::option(shown.map(|clock| clock.to_string()))
}

/// A value; structures of scaler and unit get the unit's name.
fn data(value: &Data) -> Node {
    match value {
        Data::Array(items) => Node::List(Some("array"), items.iter().map(data).collect()),
        Data::Structure(items) => {
            let mut nodes: Vec<Node> = items.iter().map(data).collect();
            if let ([Data::Integer(_), Data::Enum(unit)], [_, Node::Typed(_, _, meaning)]) =
                (items.as_slice(), nodes.as_mut_slice())
            {
                *meaning = unit_name(*unit).map(|name| ("unit", name.to_owned()));
            }
            Node::List(Some("structure"), nodes)
        }
        Data::CompactArray(_) => {
            value.clone().expand().map_or_else(|_| leaf(value, None), |expanded| data(&expanded))
        }
        Data::OctetString(octets) => leaf(value, meaning(octets)),
        Data::DateTime(raw) => leaf(value, Some(("time", CosemDateTime(*raw).to_string()))),
        _ => leaf(value, None),
    }
}

fn leaf(value: &Data, meaning: Option<(&'static str, String)>) -> Node {
    let name = value.type_name();
    let json = value.to_json().get_mut(name).map_or(serde_json::Value::Null, serde_json::Value::take);
    Node::Typed(name, json, meaning)
}

/// What octets probably are: a logical name, a date-time, text.
fn meaning(octets: &[u8]) -> Option<(&'static str, String)> {
    if let Ok(name @ [.., 255]) = <[u8; 6]>::try_from(octets) {
        return Some(("obis", Obis(name).to_string()));
    }
    if let Ok(clock) = CosemDateTime::try_from(octets)
        && clock.unix_seconds(DeviationSign::Standard, Some(0)).is_ok()
    {
        return Some(("time", clock.to_string()));
    }
    // Some meters fill text up with zeros.
    let used = octets.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    let letters = octets.get(..used).unwrap_or_default();
    let text = used > 0 && letters.iter().all(|byte| byte.is_ascii_graphic() || *byte == b' ');
    text.then(|| ("text", letters.iter().map(|byte| char::from(*byte)).collect()))
}

/// Names of the units that meters use.
///
/// Standard: IEC 62056-6-2, Register (class_id 3), unit.
const fn unit_name(unit: u8) -> Option<&'static str> {
    Some(match unit {
        4 => "d",
        5 => "h",
        6 => "min",
        7 => "s",
        8 => "°",
        9 => "°C",
        13 | 14 => "m^3",
        15..=18 => "m^3/h",
        19 => "l",
        20 => "kg",
        23 => "Pa",
        24 => "bar",
        25 => "J",
        27 => "W",
        28 => "VA",
        29 => "var",
        30 => "Wh",
        31 => "VAh",
        32 => "varh",
        33 => "A",
        35 => "V",
        44 => "Hz",
        56 => "%",
        _ => return None,
    })
}
