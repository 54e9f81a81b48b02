use super::*;
use crate::Data;
use crate::datetime::CosemDateTime;
use crate::mbus::{Function, MbusValue};
use proptest::prelude::*;
use std::path::{Path, PathBuf};

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/meter_frames").join(name)
}

fn files(name: &str, suffix: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder(name)).unwrap();
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.to_string_lossy().ends_with(suffix));
    files.sort();
    files
}

fn keys_beside(file: &Path) -> DecodeKeys {
    let key = |extension: &str| {
        let text = std::fs::read_to_string(file.with_extension(extension)).ok()?;
        Some(Key::from_hex(text.trim()).unwrap())
    };
    DecodeKeys { encryption: key("key"), authentication: key("gak"), system_title: None }
}

/// Elements of an expected XML file: name and attribute `Value` or `Qty`.
fn expected(xml: &str) -> Vec<(String, String)> {
    let attribute = |element: &str, name: &str| {
        let (_, rest) = element.split_once(&format!("{name}=\""))?;
        Some(rest.split_once('"')?.0.to_owned())
    };
    let elements = xml.split('<').skip(1).filter(|element| !element.starts_with(['?', '/', '!']));
    elements
        .map(|element| {
            let name = element.split([' ', '>', '/']).next().unwrap().to_owned();
            let value =
                ["Value", "Qty", "LongInvokeId", "FrameCounter"].iter().find_map(|it| attribute(element, it));
            (name, value.unwrap_or_default())
        })
        .collect()
}

/// The ways in which the expected files write octets.
fn ways(octets: &[u8]) -> Vec<String> {
    let dotted = octets.iter().map(u8::to_string).collect::<Vec<_>>().join(".");
    let text = String::from_utf8_lossy(octets).trim_end_matches('\0').to_owned();
    let clock = CosemDateTime::try_from(octets).map(|clock| clock.to_string()).unwrap_or_default();
    vec![dotted, text, clock, crate::data::hex(octets)]
}

fn check(data: &Data, expected: &mut impl Iterator<Item = (String, String)>) {
    let (name, value) = expected.next().unwrap();
    let number = |tag: &str, number: i64| assert_eq!((name.as_str(), value.parse()), (tag, Ok(number)));
    match data {
        // The descriptor that one meter writes without type tags.
        Data::Structure(items) if name == "AttributeDescriptor" => {
            let [Data::LongUnsigned(class), Data::OctetString(object), Data::Integer(attribute)] = &items[..]
            else {
                panic!("{items:?}")
            };
            let fields: Vec<_> = expected.take(3).map(|(_, value)| value).collect();
            let dotted = ways(object).swap_remove(0);
            assert_eq!(fields, [format!("{class:04X}"), dotted, format!("{attribute:02X}")]);
        }
        Data::Array(items) | Data::Structure(items) => {
            let tag = if matches!(data, Data::Array(_)) { "ARRAY" } else { "STRUCTURE" };
            assert_eq!((name.as_str(), value), (tag, items.len().to_string()));
            items.iter().for_each(|item| check(item, expected));
        }
        Data::Null => assert_eq!(name, "NullData"),
        Data::OctetString(octets) => {
            assert!(name == "OCTETSTRING" && ways(octets).contains(&value), "{value} {octets:02x?}");
        }
        Data::VisibleString(octets) => {
            assert!(name == "VISIBLESTRING" && ways(octets)[1] == value, "{value} {octets:02x?}");
        }
        Data::DoubleLongUnsigned(it) => number("UINT32", i64::from(*it)),
        Data::LongUnsigned(it) => number("UINT16", i64::from(*it)),
        Data::Long(it) => number("INT16", i64::from(*it)),
        Data::Integer(it) => number("INT8", i64::from(*it)),
        Data::Enum(it) => number("ENUM", i64::from(*it)),
        other => panic!("{other:?} for {name} {value}"),
    }
}

#[test]
fn captured_pushes_say_what_they_should() {
    let captures = files("dlms_push", ".txt");
    assert_eq!(captures.len(), 8);
    for file in captures {
        let name = file.file_stem().unwrap().to_string_lossy().into_owned();
        let decoded = decode(&std::fs::read(&file).unwrap(), &keys_beside(&file));
        assert_eq!(decoded.refusals, [], "{name}");
        let [message] = &decoded.messages[..] else { panic!("{name}: {}", decoded.to_text()) };
        let Content::Apdu(Apdu::DataNotification(push)) = &message.content else { panic!("{name}") };
        let xml = std::fs::read_to_string(file.with_file_name(format!("{name}_decoded.xml"))).unwrap();
        let mut expected = expected(&xml).into_iter().peekable();
        let json = message.to_json();
        if let Some((_, counter)) = expected.next_if(|(name, _)| name == "GeneralGloCiphering") {
            assert_eq!(json["security"]["invocation_counter"].to_string(), counter, "{name}");
            let authentication =
                if file.with_extension("gak").exists() { "verified" } else { "not verified" };
            assert_eq!(json["security"]["authentication"], authentication, "{name}");
        }
        let (_, invoke) = expected.next().unwrap();
        assert_eq!(format!("{:08X}", push.long_invoke), invoke, "{name}");
        let (_, time) = expected.next().unwrap();
        assert_eq!(json["apdu"]["time"].as_str().unwrap_or_default(), time, "{name}");
        check(&push.body, &mut expected);
        assert_eq!(expected.next(), None, "{name}");
    }
}

#[test]
fn nordic_pushes_are_dlms_or_refused_as_text() {
    let text = std::fs::read_to_string(folder("dlms_push/norway_sweden_han_amshan.json")).unwrap();
    let captures: Vec<serde_json::Value> = serde_json::from_str(&text).unwrap();
    let (mut pushes, mut telegrams) = (0, 0);
    for capture in &captures {
        let decoded = decode(capture["hex"].as_str().unwrap().as_bytes(), &DecodeKeys::default());
        let name = (&capture["file"], &capture["name"]);
        if capture["file"] == "test_dlde.py" {
            assert!(decoded.messages.is_empty() && decoded.refusals.len() == 1, "{name:?}");
            telegrams += 1;
            continue;
        }
        assert_eq!(decoded.refusals, [], "{name:?}");
        for message in &decoded.messages {
            assert!(matches!(message.content, Content::Apdu(Apdu::DataNotification(_))), "{name:?}");
            pushes += 1;
        }
    }
    assert_eq!((captures.len(), pushes, telegrams), (24, 15, 9));
    let aidon = decode(captures[1]["hex"].as_str().unwrap().as_bytes(), &DecodeKeys::default());
    let json = aidon.to_json();
    let rows = &json[0]["apdu"]["body"]["array"];
    assert_eq!(rows[0]["structure"][1]["visible-string"], "AIDON_V0001");
    assert_eq!(rows[3]["structure"][0]["obis"], "1-0:1.7.0.255");
    assert_eq!(rows[3]["structure"][1]["double-long-unsigned"], 280);
    assert_eq!(rows[3]["structure"][2]["structure"][1]["unit"], "W");
}

/// Records of an expected M-Bus file: function, storage, unit, quantity, value.
fn expected_records(xml: &str) -> Vec<[String; 5]> {
    let field = |record: &str, name: &str| {
        let (_, rest) = record.split_once(&format!("<{name}>")).unwrap_or_default();
        let text = rest.split_once(&format!("</{name}>")).unwrap_or_default().0;
        text.replace("&amp;", "&")
    };
    let records = xml.split("<DataRecord").skip(1);
    let names = ["Function", "StorageNumber", "Unit", "Quantity", "Value"];
    records.map(|record| names.map(|name| field(record, name))).collect()
}

#[test]
fn wired_mbus_answers_say_what_they_should() {
    let (mut checked, mut files_seen) = (0, 0);
    for file in files("mbus_wired", ".hex") {
        let name = file.file_stem().unwrap().to_string_lossy().into_owned();
        let decoded = decode(&std::fs::read(&file).unwrap(), &DecodeKeys::default());
        assert_eq!(decoded.refusals, [], "{name}");
        let [message] = &decoded.messages[..] else { panic!("{name}: {} messages", decoded.messages.len()) };
        let Content::Mbus(answer) = &message.content else { panic!("{name}") };
        let xml = std::fs::read_to_string(file.with_extension("norm.xml")).unwrap();
        let json = message.to_json();
        let header = &json["mbus"]["header"];
        let id = header["id"].as_str().unwrap().trim_start_matches('0');
        let decimal = id.bytes().all(|digit| digit.is_ascii_digit());
        assert!(xml.contains(&format!("<Id>{id}</Id>")) || id.is_empty() || !decimal, "{name} {id}");
        assert!(xml.contains(&format!("<Medium>{}</Medium>", header["medium"].as_str().unwrap())), "{name}");
        if let Some(letters) = header["manufacturer"].as_str() {
            assert!(xml.contains(&format!("<Manufacturer>{letters}</Manufacturer>")), "{name}");
        }
        let expected = expected_records(&xml);
        assert_eq!(answer.records.len(), expected.len(), "{name}");
        for (index, (record, wanted)) in answer.records.iter().zip(&expected).enumerate() {
            let json = &json["mbus"]["records"][index];
            checked += usize::from(same_record(record, json, wanted, &format!("{name} {index}")));
        }
        files_seen += 1;
    }
    assert_eq!(files_seen, 51);
    assert!(checked >= 599, "{checked}");
}

/// Compares what is comparable; false where the expected file prints bytes that are no value.
fn same_record(
    record: &crate::mbus::MbusRecord,
    json: &serde_json::Value,
    wanted: &[String; 5],
    name: &str,
) -> bool {
    let [function, storage, unit, quantity, value] = wanted;
    if function.is_empty() {
        return false;
    }
    assert_eq!(json["function"], function.as_str(), "{name}");
    if record.function == Function::Actual {
        assert_eq!(
            (json["unit"].as_str().unwrap(), json["value"].to_string()),
            (unit.as_str(), value.clone())
        );
        return true;
    }
    assert_eq!(json["storage"].to_string(), *storage, "{name}");
    if record.quantity.is_some() {
        assert_eq!(
            (json["quantity"].as_str(), json["unit"].as_str()),
            (Some(quantity.as_str()), Some(unit.as_str())),
            "{name}"
        );
    }
    match &record.value {
        MbusValue::Number(_) | MbusValue::Real(_) => {
            let (ours, theirs) = (json["value"].as_f64().unwrap(), value.parse::<f64>());
            let Ok(theirs) = theirs else { return false };
            let close = (ours - theirs).abs() <= theirs.abs() * 1e-6 + 6e-7;
            assert!(close, "{name}: {ours} {theirs}");
            true
        }
        MbusValue::Time(time) => {
            assert_eq!(*time, value.trim_end_matches('Z'), "{name}");
            true
        }
        MbusValue::Text(text) => {
            assert_eq!(text, value, "{name}");
            true
        }
        MbusValue::None | MbusValue::Bytes(_) => false,
    }
}

#[test]
fn malformed_mbus_frames_are_refused_with_offset_and_reason() {
    for (file, at, why) in [
        ("application_busy", 7, "the meter reports an application error: application busy"),
        ("buffer_too_long", 7, "the meter reports an application error: buffer too long, truncated"),
        ("error", 6, "the meter reports an application error: unspecified"),
        ("premature_end_of_data1", 32, "the frame ends inside a record's value"),
        ("premature_end_of_data2", 34, "the frame ends inside a record's value"),
        ("premature_end_of_dif1", 30, "the frame ends inside a record's data information (DIF)"),
        ("premature_end_of_dif2", 31, "the frame ends inside a record's data information (DIF)"),
        ("premature_end_of_record", 7, "the meter reports an application error: premature end of record"),
        ("premature_end_of_var_vif1", 50, "the frame ends inside a record's value information (VIF)"),
        ("premature_end_of_vif1", 31, "the frame ends inside a record's value information (VIF)"),
        ("too_long_var_vif", 50, "the frame ends inside a record's value information (VIF)"),
        ("too_many_dife", 40, "a record has more than 10 extensions of its data information (DIFE)"),
        ("too_many_difes", 7, "the meter reports an application error: more than 10 DIFEs"),
        ("too_many_readouts", 7, "the meter reports an application error: too many readouts"),
        ("too_many_records", 7, "the meter reports an application error: too many records"),
        ("too_many_vife", 42, "a record has more than 10 extensions of its value information (VIFE)"),
        ("too_many_vifes", 7, "the meter reports an application error: more than 10 VIFEs"),
        ("too_short_header", 12, "the frame ends inside the meter's header"),
        ("unimplemented_ci", 7, "the meter reports an application error: unimplemented control information"),
        ("unspecified_error", 7, "the meter reports an application error: unspecified"),
    ] {
        let capture = std::fs::read(folder("mbus_wired_errors").join(format!("{file}.hex"))).unwrap();
        let decoded = decode(&capture, &DecodeKeys::default());
        assert!(decoded.messages.is_empty(), "{file}");
        let shown: Vec<_> = decoded.refusals.iter().map(ToString::to_string).collect();
        assert_eq!(shown, [format!("offset {at}: {why}")], "{file}");
    }
    assert_eq!(files("mbus_wired_errors", ".hex").len(), 20);
}

#[test]
fn telegrams_and_other_text_are_refused() {
    for file in files("p1", ".txt") {
        let decoded = decode(&std::fs::read(&file).unwrap(), &DecodeKeys::default());
        let telegram = Refusal { at: 0, why: RefusalReason::Telegram };
        assert_eq!((decoded.messages.len(), decoded.refusals), (0, vec![telegram]), "{file:?}");
    }
    for (input, refusal) in [
        ("", "offset 0: the input is empty"),
        (" \n", "offset 0: the input is empty"),
        ("7e a0 zz", "offset 6: `z` is no hex digit, and the input is text"),
        ("7e a", "offset 3: a byte of one hex digit only: a digit is missing or too many"),
        ("99 01", "offset 0: no HDLC, wrapper, M-Bus or gateway frame and no APDU starts with 0x99"),
        ("7e a0 05", "offset 0: the capture ends inside an HDLC frame"),
        ("00 01 00 01 00 10 00 05 c0", "offset 0: the capture ends inside a wrapper frame"),
        ("c0 01 c1 00 01", "offset 5: the bytes end inside a value that needs 6 more"),
        ("00 01 00 01 00 10 00 03 c0 09 c1", "offset 9: 0x09 is no known choice here"),
    ] {
        let decoded = decode(input.as_bytes(), &DecodeKeys::default());
        let shown: Vec<_> = decoded.refusals.iter().map(ToString::to_string).collect();
        assert_eq!(shown, [refusal], "{input}");
    }
}

#[test]
fn keys_are_needed_and_must_be_right() {
    let file = folder("dlms_push/hdlc_kamstrup_omnipower.txt");
    let capture = std::fs::read(&file).unwrap();
    let right = keys_beside(&file);
    let none = decode(&capture, &DecodeKeys::default());
    assert!(none.refusals.is_empty());
    assert_eq!(none.to_json()[0]["apdu"]["type"], "general-glo-ciphering");
    assert_eq!(none.to_json()[0]["notes"][0], "encrypted; the sender's key is needed to read on");
    let wrong = Key::new([1; 16]);
    let keys = DecodeKeys { encryption: Some(wrong.clone()), ..right.clone() };
    assert_eq!(decode(&capture, &keys).refusals[0].why, RefusalReason::Security(SecurityError::WrongTag));
    let keys = DecodeKeys { encryption: Some(wrong), ..DecodeKeys::default() };
    assert!(matches!(decode(&capture, &keys).refusals[0].why, RefusalReason::WrongKey(_)));
}

#[test]
fn binary_and_hex_are_the_same_and_damage_costs_one_message() {
    let hex = std::fs::read_to_string(folder("dlms_push/hdlc_kaifa_ma304h3e.txt")).unwrap();
    let frame = crate::data::tests::unhex(&hex);
    let mut capture = frame.clone();
    let second = capture.len();
    capture.extend_from_slice(&frame);
    capture[second + 40] ^= 1;
    capture.extend_from_slice(&frame);
    let decoded = decode(&capture, &DecodeKeys::default());
    assert_eq!(decoded.messages.len(), 2);
    assert_eq!(decoded.refusals, [Refusal { at: second, why: crate::hdlc::FrameError::FrameCheck.into() }]);
    assert_eq!(decoded.messages[1].at, 2 * second);
    assert_eq!(
        decoded.messages[0].to_json()["apdu"],
        decode(hex.as_bytes(), &DecodeKeys::default()).to_json()[0]["apdu"]
    );
}

#[test]
fn an_association_teaches_titles() {
    let golden = include_str!("../../../../testdata/dlms/apdus.txt");
    let aarq = golden.lines().find_map(|line| line.strip_prefix("aarq_gmac ")).unwrap();
    let ciphered = "c81e3001234567411312ff935a47566827c467bc7d825c3be4a77c3fcc056b6b";
    let keys = DecodeKeys {
        encryption: Key::from_hex("000102030405060708090A0B0C0D0E0F"),
        authentication: Key::from_hex("D0D1D2D3D4D5D6D7D8D9DADBDCDDDEDF"),
        system_title: None,
    };
    let decoded = decode(format!("# two APDUs\n{aarq}\n{ciphered}").as_bytes(), &keys);
    assert_eq!(decoded.refusals, []);
    let json = decoded.to_json();
    assert_eq!(json[1]["apdu"]["type"], "get-request");
    assert_eq!(json[1]["apdu"]["attribute"]["object"], "0-0:1.0.0.255");
    assert_eq!(json[1]["security"]["authentication"], "verified");
    assert!(decoded.to_text().contains("object: 0-0:1.0.0.255"));
}

#[test]
fn a_push_behind_a_gateway_and_frames_of_the_link() {
    use crate::security::{Envelope, Keys, Protection, protect};
    let keys = Keys::new(Key::new([1; 16]), Key::new([2; 16]));
    let push = crate::data::tests::unhex("0f 00000001 00 12 0001");
    let title = SystemTitle(*b"WTL12345");
    let full = Protection::AuthenticatedEncrypted;
    let ciphered = protect(Envelope::GeneralGlo, full, &keys, title, 9, &push).unwrap();
    let behind = crate::gateway::encode_node(crate::gateway::GatewayKind::Request, 0, 77, &ciphered);
    let mut capture = crate::wrapper::encode(1, 103, &behind).unwrap();
    // SNRM without parameters.
    capture.extend(crate::data::tests::unhex("7e a0 07 03 21 93 0f 01 7e"));
    let open = DecodeKeys {
        encryption: Some(keys.guek.clone()),
        authentication: Some(keys.gak.clone()),
        system_title: None,
    };
    let decoded = decode(&capture, &open);
    assert_eq!(decoded.refusals, []);
    let json = decoded.to_json();
    assert_eq!(json[0]["frames"][0]["destination"], 103);
    assert_eq!(json[0]["gateway"]["address"], "0000004d");
    assert_eq!(json[0]["apdu"]["body"]["long-unsigned"], 1);
    assert_eq!(json[1]["frames"][0]["control"], "SNRM");
    // The text shows the same and no key.
    let text = decoded.to_text();
    assert!(text.contains("- kind: wrapper") && text.contains("long-unsigned 1"), "{text}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn any_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let decoded = decode(&bytes, &DecodeKeys::default());
        let _ = (decoded.to_text(), decoded.to_json());
    }

    #[test]
    fn damaged_captures_never_panic(
        pick in any::<prop::sample::Index>(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let mut all = files("dlms_push", ".txt");
        all.extend(files("mbus_wired", ".hex"));
        let file = pick.get(&all);
        let text = std::fs::read_to_string(file).unwrap();
        let mut bytes = input::bytes(text.as_bytes()).unwrap().into_owned();
        for (at, with) in damage {
            let at = at.index(bytes.len());
            bytes[at] = with;
        }
        let decoded = decode(&bytes, &keys_beside(file));
        let _ = (decoded.to_text(), decoded.to_json());
    }
}
