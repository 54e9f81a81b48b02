use super::*;
use crate::data::tests::{any_data, unhex};
use proptest::prelude::*;

const APDUS: &str = include_str!("../../../../testdata/dlms/apdus.txt");

fn golden(name: &str) -> Vec<u8> {
    let line = APDUS.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    unhex(line.unwrap())
}

#[test]
fn golden_apdus_decode_and_encode_to_themselves() {
    let mut count = 0;
    for line in APDUS.lines().filter(|line| !line.starts_with('#')) {
        let (name, bytes) = line.split_once(' ').unwrap();
        let bytes = unhex(bytes);
        let apdu = Apdu::decode(&bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(apdu.encode(), bytes, "{name}: {apdu:?}");
        for short in 0..bytes.len() {
            assert!(Apdu::decode(&bytes[..short]).is_err(), "{name} cut to {short} bytes");
        }
        count += 1;
    }
    assert!(count > 40);
}

#[test]
fn meaning_of_some() {
    let serial = AttributeRef { class: 1, object: Obis::new(0, 0, 96, 1, 0, 255), attribute: 2 };
    assert_eq!(
        Apdu::decode(&golden("get_normal")),
        Ok(Apdu::GetRequest(GetRequest::Normal {
            invoke: InvokeId::confirmed(1),
            attribute: serial,
            selection: None
        }))
    );
    assert_eq!(
        Apdu::decode(&golden("get_response_last")),
        Ok(Apdu::GetResponse(GetResponse::Block {
            invoke: InvokeId(0xC1),
            last: true,
            block: 2,
            result: Ok(vec![0xAA, 0xBB, 0xCC])
        }))
    );
    assert_eq!(
        Apdu::decode(&golden("exception_counter")),
        Ok(Apdu::ExceptionResponse(ExceptionResponse {
            state: StateError::ServiceNotAllowed,
            service: ServiceError::InvocationCounterError(16)
        }))
    );
    let Ok(Apdu::Aarq(aarq)) = Apdu::decode(&golden("aarq_low")) else { panic!() };
    assert_eq!(aarq.calling_authentication_value.as_deref(), Some(b"Gurux".as_slice()));
    assert_eq!(aarq.mechanism, Some(crate::acse::Mechanism::Low));
}

#[test]
fn a_time_written_as_octet_string_is_read() {
    let with_tag = unhex("0f40000000090c07e1090f0505212 8ff80000011 05".replace(' ', "").as_str());
    let Ok(Apdu::DataNotification(notification)) = Apdu::decode(&with_tag) else { panic!() };
    assert_eq!(notification.at.len(), 12);
    assert_eq!(notification.body, Data::Unsigned(5));
}

fn any_selection() -> impl Strategy<Value = Option<Selection>> {
    prop::option::of(
        (any::<u8>(), any_data()).prop_map(|(selector, parameters)| Selection { selector, parameters }),
    )
}

fn any_attribute() -> impl Strategy<Value = AttributeRef> {
    (any::<u16>(), any::<[u8; 6]>(), any::<i8>()).prop_map(|(class, object, attribute)| AttributeRef {
        class,
        object: Obis(object),
        attribute,
    })
}

fn any_apdu() -> impl Strategy<Value = Apdu> {
    let invoke = || any::<u8>().prop_map(InvokeId);
    let result = || {
        prop_oneof![
            any_data().prop_map(Ok),
            (1u8..=255).prop_map(|code| Err(DataAccessError::from_code(code).unwrap()))
        ]
    };
    prop_oneof![
        (invoke(), any_attribute(), any_selection()).prop_map(|(invoke, attribute, selection)| {
            Apdu::GetRequest(GetRequest::Normal { invoke, attribute, selection })
        }),
        (invoke(), prop::collection::vec((any_attribute(), any_selection()), 0..4))
            .prop_map(|(invoke, attributes)| Apdu::GetRequest(GetRequest::WithList { invoke, attributes })),
        (invoke(), prop::collection::vec(result(), 0..4))
            .prop_map(|(invoke, results)| Apdu::GetResponse(GetResponse::WithList { invoke, results })),
        (invoke(), any_attribute(), any_selection(), any_data()).prop_map(
            |(invoke, attribute, selection, value)| Apdu::SetRequest(SetRequest::Normal {
                invoke,
                attribute,
                selection,
                value
            })
        ),
        (any::<u32>(), any_data()).prop_map(|(long_invoke, body)| Apdu::DataNotification(DataNotification {
            long_invoke,
            at: Vec::new(),
            body
        })),
        (invoke(), any::<bool>(), any::<u32>(), prop::collection::vec(any::<u8>(), 0..300)).prop_map(
            |(invoke, last, block, bytes)| Apdu::ActionRequest(ActionRequest::Block {
                invoke,
                last,
                block,
                bytes
            })
        ),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn round_trip(apdu in any_apdu()) {
        prop_assert_eq!(Apdu::decode(&apdu.encode()), Ok(apdu));
    }

    #[test]
    fn any_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = Apdu::decode(&bytes);
    }

    #[test]
    fn damaged_golden_ones_never_panic(pick in any::<prop::sample::Index>(), at in any::<prop::sample::Index>(), with in any::<u8>()) {
        let lines: Vec<&str> = APDUS.lines().filter(|line| !line.starts_with('#')).collect();
        let mut bytes = unhex(pick.get(&lines).split_once(' ').unwrap().1);
        let at = at.index(bytes.len());
        bytes[at] = with;
        if let Ok(apdu) = Apdu::decode(&bytes) {
            // What was understood is written in the standard's way, which then is written the same again.
            let written = apdu.encode();
            let again = Apdu::decode(&written).map(|apdu| apdu.encode());
            prop_assert_eq!(again, Ok(written));
        }
    }
}
