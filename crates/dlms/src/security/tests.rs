use super::*;
use crate::data::tests::unhex;
use proptest::prelude::*;

fn key(hex: &str) -> Key {
    Key::from_hex(hex).unwrap()
}

fn keys() -> Keys {
    Keys::new(key("000102030405060708090A0B0C0D0E0F"), key("D0D1D2D3D4D5D6D7D8D9DADBDCDDDEDF"))
}

const TITLE: SystemTitle = SystemTitle([0x4D, 0x4D, 0x4D, 0, 0, 0xBC, 0x61, 0x4E]);
const PLAIN: &str = "C0010000080000010000FF0200";

fn vectors() -> serde_json::Value {
    serde_json::from_str(include_str!("../../../../testdata/dlms/crypto_vectors.json")).unwrap()
}

fn vector(index: usize, field: &str) -> Vec<u8> {
    unhex(vectors()[index][field].as_str().unwrap())
}

fn take<'a>(keys: &'a Keys, least: Protection, last_counter: Option<u32>) -> Expect<'a> {
    Expect { keys, peer: Some(TITLE), least, last_counter }
}

#[test]
fn green_book_examples() {
    let protections = [Protection::Authenticated, Protection::Encrypted, Protection::AuthenticatedEncrypted];
    for (index, protection) in protections.into_iter().enumerate() {
        let wire = vector(index, "glo_get_request");
        let plain = unhex(PLAIN);
        let made = protect(Envelope::Glo, protection, &keys(), TITLE, 0x0123_4567, &plain).unwrap();
        assert_eq!(made, wire, "{protection:?}");
        let opened = unprotect(&wire, &take(&keys(), protection, Some(0x0123_4566))).unwrap();
        assert_eq!(opened.apdu, plain);
        assert_eq!((opened.counter, opened.title), (0x0123_4567, TITLE));
    }
}

#[test]
fn hls_gmac() {
    for index in [3, 4] {
        let title = SystemTitle(vector(index, "system_title").try_into().unwrap());
        let counter = u32::from_be_bytes(vector(index, "ic").try_into().unwrap());
        let (challenge, reply) = (vector(index, "challenge"), vector(index, "reply"));
        assert_eq!(gmac_reply(&keys(), title, counter, &challenge).as_slice(), reply);
        assert_eq!(verify_gmac_reply(&keys(), title, &challenge, &reply), Ok(counter));
        let mut forged = reply.clone();
        forged[16] ^= 1;
        assert_eq!(verify_gmac_reply(&keys(), title, &challenge, &forged), Err(SecurityError::WrongTag));
        assert_eq!(
            verify_gmac_reply(&keys(), title, &challenge, &reply[..16]),
            Err(SecurityError::BadReply(16))
        );
    }
}

#[test]
fn key_wrap() {
    let (master, new) = (vector(5, "kek"), vector(5, "key"));
    let (master, new) = (Key::try_from(&*master).unwrap(), Key::try_from(&*new).unwrap());
    let wrapped = wrap_key(&master, &new);
    assert_eq!(wrapped.as_slice(), vector(5, "wrapped"));
    assert_eq!(unwrap_key(&master, &wrapped), Ok(new.clone()));
    assert_eq!(unwrap_key(&new, &wrapped), Err(SecurityError::WrongWrap));
    assert_eq!(unwrap_key(&master, &wrapped[1..]), Err(SecurityError::WrongWrap));
}

#[test]
fn refusals_have_their_own_names() {
    let keys = keys();
    let full = Protection::AuthenticatedEncrypted;
    let wire = protect(Envelope::GeneralGlo, full, &keys, TITLE, 7, &unhex(PLAIN)).unwrap();
    let refused = |bytes: &[u8], expect: &Expect<'_>| unprotect(bytes, expect).unwrap_err();

    let other = Keys::new(key("00000000000000000000000000000001"), keys.gak.clone());
    assert_eq!(refused(&wire, &take(&other, full, None)), SecurityError::WrongTag);
    let other = Keys::new(keys.guek.clone(), key("00000000000000000000000000000001"));
    assert_eq!(refused(&wire, &take(&other, full, None)), SecurityError::WrongTag);
    for last in [7, 8, u32::MAX] {
        let replayed = SecurityError::ReplayedCounter { last, got: 7 };
        assert_eq!(refused(&wire, &take(&keys, full, Some(last))), replayed);
    }
    let peer = SystemTitle([1; 8]);
    assert_eq!(
        refused(&wire, &Expect { peer: Some(peer), ..take(&keys, full, None) }),
        SecurityError::WrongTitle { expected: peer, got: TITLE }
    );
    let weak = protect(Envelope::GeneralGlo, Protection::Encrypted, &keys, TITLE, 7, &unhex(PLAIN)).unwrap();
    for least in [full, Protection::Authenticated] {
        let downgraded = SecurityError::Downgraded { least, got: Protection::Encrypted };
        assert_eq!(refused(&weak, &take(&keys, least, None)), downgraded);
    }
    let mut suite1 = wire.clone();
    suite1[11] |= 1;
    assert_eq!(refused(&suite1, &take(&keys, full, None)), SecurityError::UnsupportedSuite(1));
    assert_eq!(refused(&[0xDB, 0, 2, 0x30, 0], &take(&keys, full, None)), SecurityError::Truncated(5));
    assert_eq!(refused(&unhex(PLAIN), &take(&keys, full, None)), SecurityError::NotProtected(0xC0));
    assert_eq!(
        protect(Envelope::Glo, full, &keys, TITLE, 1, &[0x0F]),
        Err(SecurityError::NoServiceTag(0x0F))
    );
    assert_eq!(
        protect(Envelope::Ded, full, &keys, TITLE, 1, &unhex(PLAIN)),
        Err(SecurityError::NoKey("dedicated"))
    );
}

#[test]
fn counters_rise() {
    let mut receiver = Receiver::default();
    assert_eq!(receiver.accept(5), Ok(()));
    assert_eq!(receiver.accept(5), Err(SecurityError::ReplayedCounter { last: 5, got: 5 }));
    assert_eq!(receiver.accept(4), Err(SecurityError::ReplayedCounter { last: 5, got: 4 }));
    assert_eq!(receiver.accept(6), Ok(()));
}

#[test]
fn nothing_prints_a_key() {
    let shown = format!("{:?} {:?}", keys(), Cipher::new(&keys().guek, &keys().gak));
    assert!(!shown.contains("0D0E0F") && !shown.contains("13, 14, 15"), "{shown}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn every_envelope_opens_again(
        body in prop::collection::vec(any::<u8>(), 0..400),
        counter in any::<u32>(),
        which in 0usize..4,
        how in 0usize..3,
        flip in any::<prop::sample::Index>(),
    ) {
        let mut keys = keys();
        keys.dedicated = Some(key("0F0E0D0C0B0A09080706050403020100"));
        let envelope = [Envelope::Glo, Envelope::Ded, Envelope::GeneralGlo, Envelope::GeneralDed][which];
        let protection = [Protection::Authenticated, Protection::Encrypted, Protection::AuthenticatedEncrypted][how];
        let mut apdu = vec![0xC4];
        apdu.extend_from_slice(&body);
        let wire = protect(envelope, protection, &keys, TITLE, counter, &apdu).unwrap();
        let plain = unprotect(&wire, &take(&keys, protection, None)).unwrap();
        prop_assert_eq!(&plain.apdu, &apdu);
        let mut damaged = wire.clone();
        let at = flip.index(damaged.len());
        damaged[at] ^= 0x55;
        if protection.authenticated() {
            prop_assert!(unprotect(&damaged, &take(&keys, protection, None)).is_err());
        }
    }

    #[test]
    fn any_bytes_never_panic(mut bytes in prop::collection::vec(any::<u8>(), 0..80), tag in prop::sample::select(vec![0xDBu8, 0xDC, 0xC8, 0x21])) {
        if let Some(first) = bytes.first_mut() {
            *first = tag;
        }
        let keys = keys();
        let expect = Expect { keys: &keys, peer: None, least: Protection::Authenticated, last_counter: None };
        let refused = unprotect(&bytes, &expect).is_err();
        prop_assert!(refused);
    }
}
