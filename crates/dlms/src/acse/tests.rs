use super::*;
use crate::data::tests::unhex;
use proptest::prelude::*;

#[test]
fn ciphered_association_of_an_independent_client() {
    let golden = include_str!("../../../../testdata/dlms/apdus.txt");
    let line = golden.lines().find_map(|line| line.strip_prefix("aarq_gmac ")).unwrap();
    let aarq = Aarq::decode(&unhex(line)).unwrap();
    assert_eq!(aarq.context, ContextName::LogicalNamesCiphered);
    assert_eq!(aarq.mechanism, Some(Mechanism::HighGmac));
    assert_eq!(aarq.calling_authentication_value.map(|value| value.len()), Some(16));
    let title = aarq.calling_ap_title.unwrap();
    assert_eq!(title.to_string(), "4D4D4D0000BC614E");
    let key =
        |first: u8| crate::security::Key::new(core::array::from_fn(|i| first + u8::try_from(i).unwrap()));
    let keys = crate::security::Keys::new(key(0), key(0xD0));
    let least = crate::security::Protection::AuthenticatedEncrypted;
    let expect = crate::security::Expect { keys: &keys, peer: Some(title), least, last_counter: None };
    let plain = crate::security::unprotect(&aarq.user_information, &expect).unwrap();
    let initiate = InitiateRequest::decode(&plain.apdu).unwrap();
    assert_eq!(initiate.max_pdu, 0xFFFF);
    assert!(initiate.conformance.has(Conformance::GET.or(Conformance::SELECTIVE_ACCESS)));
}

#[test]
fn fields_in_any_order_and_unknown_ones() {
    let usual = unhex(
        "6033a1090607608574050801018a0207808b0760857405080201ac0780054775727578be10040e01000000065f1f0400401e5dffff",
    );
    let turned = unhex(
        "6037 be10040e01000000065f1f0400401e5dffff ac0780054775727578 80020780 8b0760857405080201 8a020780 a109060760857405080101",
    );
    assert_eq!(Aarq::decode(&usual), Aarq::decode(&turned));
}

#[test]
fn refusals() {
    for (bytes, at) in [
        ("60 00", 0),
        ("61 00", 0),
        ("60 05 a1 03 06 05 00", 5),
        ("60 0b a1 09 06 07 60 85 74 05 09 01 01", 6),
        ("60 02 be 05", 3),
    ] {
        let bytes = unhex(bytes);
        let error = if bytes[0] == 0x61 { Aare::decode(&bytes).err() } else { Aarq::decode(&bytes).err() };
        assert_eq!(error.map(|error| error.at), Some(at), "{bytes:02x?}");
    }
}

#[test]
fn dedicated_key_and_silence_round_trip() {
    let mut request = InitiateRequest::new(Conformance::GET, 1024);
    request.dedicated_key = Some(vec![7; 16]);
    request.response_allowed = false;
    request.quality_of_service = Some(1);
    assert_eq!(InitiateRequest::decode(&request.encode()), Ok(request));
    // Without the second byte of the conformance tag, as old meters write it.
    let old = unhex("0800065f0400001c1d04000007");
    assert_eq!(InitiateResponse::decode(&old), Ok(InitiateResponse::new(Conformance(0x1C1D), 0x400)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn round_trip(
        title in prop::option::of(any::<[u8; 8]>()),
        mechanism in prop::option::of(1u8..9),
        secret in prop::collection::vec(any::<u8>(), 0..70),
        user_information in prop::collection::vec(any::<u8>(), 1..200),
        user in prop::option::of(any::<u8>()),
    ) {
        let aarq = Aarq {
            context: ContextName::LogicalNamesCiphered,
            calling_ap_title: title.map(SystemTitle),
            calling_ae_qualifier: None,
            calling_ae_invocation_id: user,
            mechanism: mechanism.map(Mechanism::from_id),
            calling_authentication_value: mechanism.map(|_| secret.clone()),
            user_information: user_information.clone(),
        };
        prop_assert_eq!(Aarq::decode(&aarq.encode()), Ok(aarq));
        let aare = Aare {
            context: ContextName::LogicalNames,
            result: AssociationResult::Accepted,
            diagnostic: Diagnostic::User(UserDiagnostic::AuthenticationRequired),
            responding_ap_title: title.map(SystemTitle),
            responding_ae_qualifier: None,
            mechanism: mechanism.map(Mechanism::from_id),
            responding_authentication_value: mechanism.map(|_| secret),
            user_information,
        };
        prop_assert_eq!(Aare::decode(&aare.encode()), Ok(aare));
    }

    #[test]
    fn any_bytes_never_panic(mut bytes in prop::collection::vec(any::<u8>(), 1..80), tag in 0x60u8..0x64) {
        bytes[0] = tag;
        let _ = (Aarq::decode(&bytes), Aare::decode(&bytes), Rlrq::decode(&bytes), Rlre::decode(&bytes));
    }
}
