//! Who may come in, what is refused, and that nothing is believed twice.

use crate::harness::*;
use dlms::acse::{AssociationResult, Diagnostic, UserDiagnostic};
use dlms::apdu::{Apdu, DataNotification};
use dlms::client::{
    Authentication, Client, ClientConfig, ClientError, ClientEvent, Envelope, Outcome, PeerFault, Protection,
    Request, RequestFault, SecurityFault,
};
use dlms::security::{Key, Keys, SecurityError, SystemTitle, wrap_key};
use dlms::server::{Refusal, SECURITY_SETUP, Server};
use dlms::{Data, Obis};
use proptest::prelude::*;

const FULL: Protection = Protection::AuthenticatedEncrypted;

fn register() -> Request {
    Request::Get(attribute(3, REGISTER, 2), None)
}

fn full() -> ClientConfig {
    secure(3, FULL, Envelope::Glo)
}

fn refused(why: UserDiagnostic) -> ClientError {
    let (result, diagnostic) = (AssociationResult::RejectedPermanent, Diagnostic::User(why));
    RequestFault::Refused { result, diagnostic }.into()
}

fn other_keys() -> Keys {
    Keys::new(Key::new([0x12; 16]), Key::new([0xD0; 16]))
}

#[test]
fn who_is_not_let_in() {
    let password =
        ClientConfig { authentication: Authentication::lls(*b"wrong"), ..ClientConfig::public(17) };
    let nobody = ClientConfig::public(99);
    let strange = ClientConfig { keys: Some(other_keys()), ..full() };
    let unciphered = ClientConfig { keys: Some(other_keys()), ..secure(1, Protection::None, Envelope::Glo) };
    let weak = secure(3, Protection::Authenticated, Envelope::Glo);
    let cases: [(ClientConfig, ClientError, Refusal); 5] = [
        (password, SecurityFault::WrongPassword.into(), Refusal::WrongPassword),
        (strange, SecurityFault::WrongKey.into(), Refusal::WrongKey),
        (unciphered, SecurityFault::WrongKey.into(), Refusal::WrongChallengeAnswer),
        (weak, refused(UserDiagnostic::AuthenticationFailure), Refusal::Downgraded),
        (nobody, refused(UserDiagnostic::CallingApTitleNotRecognized), Refusal::UnknownClient(99)),
    ];
    for (config, error, refusal) in cases {
        let mut pair = Pair::new(config, server(1024));
        let got = pair.associate().unwrap_err();
        assert_eq!(got, error);
        assert_eq!(pair.refusals, [refusal]);
        assert!(!pair.client.is_open() && !pair.server.is_associated(pair.sap));
    }
}

#[test]
fn a_used_counter_is_refused_with_the_one_expected() {
    let mut pair = Pair::open(full(), 1024);
    pair.ask(register()).unwrap();
    let next = pair.client.next_counter();
    assert_eq!(pair.server.highest_received(), next - 1);
    // Somebody saved the counter too late.
    let mut again = Pair::new(full(), pair.server);
    let replayed = SecurityFault::ReplayedCounter { sent: 1, expected: Some(next) };
    assert_eq!(again.associate(), Err(replayed.into()));
    // From the expected one on all is well.
    let config = ClientConfig { invocation_counter: next, ..full() };
    let mut third = Pair::new(config, again.server);
    assert_eq!(third.associate(), Ok(()));
}

#[test]
fn a_request_heard_twice_is_served_once() {
    let mut pair = Pair::open(full(), 1024);
    pair.ask(Request::Action(method(70, RELAY, 1), None)).unwrap();
    pair.device.relay = true;
    let replay = pair.to_server.last().unwrap().clone();
    let reply = pair.server.handle_apdu(3, &replay, &mut pair.device, &mut entropy(2));
    assert!(matches!(reply.refused, Some(Refusal::ReplayedCounter { .. })));
    assert!(pair.device.relay);
    // An answer heard twice is not believed either.
    pair.ask(register()).unwrap();
    let replay = pair.to_client.last().unwrap().clone();
    pair.client.request(register()).unwrap();
    assert!(matches!(
        pair.client.handle_apdu(&replay),
        Err(ClientError::Security(SecurityFault::Unprotect(SecurityError::ReplayedCounter { .. })))
    ));
    assert!(!pair.client.is_open());
}

#[test]
fn nothing_goes_in_the_clear_through_a_protected_door() {
    let mut pair = Pair::open(full(), 1024);
    let get = [&[0xC0, 1, 0xC1, 0, 3][..], &REGISTER.0, &[2, 0]].concat();
    let reply = pair.server.handle_apdu(3, &get, &mut pair.device, &mut entropy(2));
    assert_eq!(reply.refused, Some(Refusal::Downgraded));
    // A release in the clear by somebody else does not end the association.
    let reply =
        pair.server.handle_apdu(3, &[0x62, 0x03, 0x80, 0x01, 0x00], &mut pair.device, &mut entropy(2));
    assert_eq!(reply.refused, Some(Refusal::Downgraded));
    assert!(pair.server.is_associated(3));
    // And the client does not take a plain answer for a protected one.
    pair.client.request(register()).unwrap();
    let plain = [0xC4, 1, 0xC1, 0, 6, 0, 0, 0, 1];
    assert_eq!(pair.client.handle_apdu(&plain), Err(SecurityFault::Downgraded.into()));
}

#[test]
fn a_forgery_does_not_move_the_counter() {
    let mut pair = Pair::open(full(), 1024);
    pair.client.request(register()).unwrap();
    let mut forged = pair.client.poll_transmit().unwrap();
    let before = pair.server.highest_received();
    for index in 2..forged.len() {
        forged[index] ^= 0x40;
        let reply = pair.server.handle_apdu(3, &forged, &mut pair.device, &mut entropy(2));
        assert!(reply.refused.is_some(), "byte {index}");
        assert_eq!(pair.server.highest_received(), before, "byte {index}");
        forged[index] ^= 0x40;
    }
    let reply = pair.server.handle_apdu(3, &forged, &mut pair.device, &mut entropy(2));
    assert_eq!(reply.refused, None);
}

#[test]
fn before_the_proof_nothing_is_served() {
    let mut pair = Pair::new(secure(1, Protection::None, Envelope::Glo), server(1024));
    pair.client.associate(&mut entropy(1)).unwrap();
    let aarq = pair.client.poll_transmit().unwrap();
    pair.server.handle_apdu(1, &aarq, &mut pair.device, &mut entropy(2));
    let get = [&[0xC0, 1, 0xC1, 0, 3][..], &REGISTER.0, &[2, 0]].concat();
    let off = [&[0xC3, 1, 0xC1, 0, 70][..], &RELAY.0, &[1, 0]].concat();
    for request in [get, off] {
        let reply = pair.server.handle_apdu(1, &request, &mut pair.device, &mut entropy(2));
        assert_eq!(reply.refused, Some(Refusal::NotAssociated));
    }
    assert!(pair.device.relay);
}

#[test]
fn counters_stop_at_what_was_reserved() {
    let mut pair = Pair::new(ClientConfig { counter_ceiling: 4, ..full() }, server(1024));
    pair.associate().unwrap();
    let exhausted = SecurityFault::CounterExhausted { ceiling: 4 };
    assert_eq!(pair.ask(register()), Err(exhausted.into()));
    pair.client.raise_ceiling(100);
    assert!(pair.ask(register()).is_ok());
}

#[test]
fn a_key_transfer_rules_the_next_association() {
    let mut pair = Pair::open(full(), 1024);
    let fresh = Key::new([0xA0; 16]);
    let wrapped = Data::OctetString(wrap_key(&master(), &fresh).to_vec());
    let entry = Data::Structure(vec![Data::Enum(0), wrapped]);
    let transfer = Request::Action(method(64, SECURITY_SETUP, 2), Some(Data::Array(vec![entry])));
    assert_eq!(pair.ask(transfer), Ok(Outcome::Action(Ok(None))));
    assert!(pair.ask(register()).is_ok());
    pair.release();
    let counter = pair.client.next_counter();
    let mut old = Pair::new(ClientConfig { invocation_counter: counter, ..full() }, pair.server);
    assert_eq!(old.associate(), Err(SecurityFault::WrongKey.into()));
    let keys = Keys { guek: fresh, ..keys() };
    let config = ClientConfig { invocation_counter: counter + 1, keys: Some(keys), ..full() };
    let mut new = Pair::new(config, old.server);
    assert_eq!(new.associate(), Ok(()));
}

#[test]
fn a_raised_policy_closes_weaker_ways() {
    let mut pair = Pair::open(secure(1, FULL, Envelope::Glo), 1024);
    let raise = |value| Request::Action(method(64, SECURITY_SETUP, 1), Some(Data::Enum(value)));
    assert_eq!(pair.ask(raise(3)), Ok(Outcome::Action(Ok(None))));
    assert!(matches!(pair.ask(raise(0)), Ok(Outcome::Action(Err(_)))));
    let weak = ClientConfig { invocation_counter: 100, ..secure(1, Protection::None, Envelope::Glo) };
    let mut weak = Pair::new(weak, pair.server);
    assert!(weak.associate().is_err());
    assert_eq!(weak.refusals, [Refusal::Downgraded]);
}

#[test]
fn pushes_are_understood_in_between() {
    let mut pair = Pair::open(full(), 1024);
    let notification = DataNotification { long_invoke: 1, at: Vec::new(), body: row(3) };
    let push = pair.server.protect_push(&Apdu::DataNotification(notification.clone()).encode()).unwrap();
    assert_eq!(push[0], 0xDB);
    pair.client.handle_apdu(&push).unwrap();
    assert_eq!(pair.client.poll_event(), Some(ClientEvent::Notification(notification)));
    assert!(pair.ask(register()).is_ok());
}

#[test]
fn a_notification_in_the_clear_is_dropped_and_harms_nothing() {
    let mut pair = Pair::open(full(), 1024);
    pair.client.request(register()).unwrap();
    let told = DataNotification { long_invoke: 1, at: Vec::new(), body: Data::Null };
    let told = Apdu::DataNotification(told).encode();
    assert_eq!(pair.client.handle_apdu(&told), Err(SecurityFault::Downgraded.into()));
    pair.drive().unwrap();
    assert!(matches!(pair.client.poll_event(), Some(ClientEvent::Response { .. })));
    assert_eq!(pair.client.poll_event(), None);
}

/// Ten thousand servers in one process: what is not shared has to stay small.
#[test]
fn an_idle_server_is_small() {
    assert!(size_of::<Server>() <= 256, "{} bytes", size_of::<Server>());
}

#[test]
fn another_meter_is_not_taken_for_this_one() {
    let config = ClientConfig { peer_title: Some(SystemTitle(*b"MTR\0\0\0\0\x08")), ..full() };
    let mut pair = Pair::new(config, server(1024));
    assert!(matches!(
        pair.associate(),
        Err(ClientError::Security(SecurityFault::Unprotect(SecurityError::WrongTitle { .. })))
    ));
}

#[test]
fn refusals_without_a_reason_are_explained_by_the_counter() {
    let refused = SecurityFault::ProtectedAssociationRefused { sent: 5 };
    assert_eq!(refused.explained_by(4), SecurityFault::WrongKey);
    assert_eq!(refused.explained_by(5), SecurityFault::ReplayedCounter { sent: 5, expected: Some(6) });
}

#[test]
fn what_does_not_answer_is_the_peers_fault() {
    let mut pair = Pair::open(ClientConfig::public(16), 1024);
    pair.client.request(register()).unwrap();
    let other = [0xC4, 1, 0xC9, 0, 6, 0, 0, 0, 1];
    assert!(matches!(pair.client.handle_apdu(&other), Err(ClientError::Peer(PeerFault::Unexpected(_)))));
    assert_eq!(pair.client.request(register()), Err(RequestFault::NotAssociated.into()));
}

/// APDUs with a plausible first byte, and anything else.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let tags = prop::sample::select(vec![
        0x60_u8, 0x61, 0x62, 0xC0, 0xC1, 0xC3, 0xC4, 0xC5, 0xC7, 0xC8, 0xD8, 0xDB, 0x0F,
    ]);
    (tags, prop::collection::vec(any::<u8>(), 0..80)).prop_map(|(tag, mut rest)| {
        rest.insert(0, tag);
        rest
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn a_server_survives_any_bytes(apdus in prop::collection::vec(bytes(), 1..8), sap in prop::sample::select(vec![1_u16, 3, 16, 17])) {
        let mut pair = Pair::open(secure(1, Protection::None, Envelope::Glo), 1024);
        for apdu in apdus {
            let _ = pair.server.handle_apdu(sap, &apdu, &mut pair.device, &mut entropy(2));
        }
    }

    #[test]
    fn a_client_survives_any_bytes(apdus in prop::collection::vec(bytes(), 1..8), ready: bool) {
        let mut client = if ready {
            let mut pair = Pair::open(ClientConfig::public(16), 1024);
            pair.client.request(Request::Get(attribute(3, Obis::new(1, 0, 1, 8, 0, 255), 2), None)).unwrap();
            pair.client
        } else {
            let mut client = Client::new(full());
            client.associate(&mut entropy(1)).unwrap();
            client
        };
        for apdu in apdus {
            let _ = client.handle_apdu(&apdu);
        }
    }

    #[test]
    fn a_request_changed_anywhere_never_panics(index in 0usize..200, bit in 0u8..8) {
        let mut pair = Pair::open(ClientConfig { authentication: Authentication::lls(*b"Gurux"), ..ClientConfig::public(18) }, 256);
        let scratch = attribute(1, SCRATCH, 2);
        pair.client.request(Request::Set(scratch, None, Data::OctetString(vec![7; 600]))).unwrap();
        while let Some(mut apdu) = pair.client.poll_transmit() {
            if let Some(byte) = apdu.get_mut(index) {
                *byte ^= 1 << bit;
            }
            let reply = pair.server.handle_apdu(18, &apdu, &mut pair.device, &mut entropy(2));
            if let Some(apdu) = reply.apdu {
                let _ = pair.client.handle_apdu(&apdu);
            }
        }
    }
}
