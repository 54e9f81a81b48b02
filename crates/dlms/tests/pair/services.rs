//! What is asked is answered, whole or in blocks, whatever the protection.

use crate::harness::*;
use dlms::apdu::{ActionError, DataAccessError, Selection};
use dlms::client::{Authentication, ClientConfig, Envelope, Outcome, Protection, Request};
use dlms::server::{CURRENT_ASSOCIATION, INVOCATION_COUNTER, LOGICAL_DEVICE_NAME, SAP_ASSIGNMENT};
use dlms::{Data, Obis};

fn lls() -> ClientConfig {
    ClientConfig { authentication: Authentication::lls(*b"Gurux"), ..ClientConfig::public(18) }
}

/// Every way a manager can come in, with PDUs from small to large.
fn ways() -> Vec<(String, ClientConfig, u16)> {
    let mut ways = Vec::new();
    for max_pdu in [128, 512, 4096] {
        ways.push((format!("LLS {max_pdu}"), lls(), max_pdu));
        ways.push((format!("GMAC {max_pdu}"), secure(1, Protection::None, Envelope::Glo), max_pdu));
        for protection in
            [Protection::Authenticated, Protection::Encrypted, Protection::AuthenticatedEncrypted]
        {
            for envelope in [Envelope::Glo, Envelope::Ded, Envelope::GeneralGlo, Envelope::GeneralDed] {
                ways.push((
                    format!("GMAC {protection:?} {envelope:?} {max_pdu}"),
                    secure(1, protection, envelope),
                    max_pdu,
                ));
            }
        }
    }
    ways
}

#[test]
fn every_service_every_way() {
    for (name, config, max_pdu) in ways() {
        let mut pair = Pair::open(config, max_pdu);
        every_service(&mut pair, &name);
        pair.release();
        assert!(pair.longest <= usize::from(max_pdu), "{name}: an APDU of {} bytes", pair.longest);
        assert_eq!(pair.refusals, [], "{name}");
    }
}

fn every_service(pair: &mut Pair, name: &str) {
    let register = attribute(3, REGISTER, 2);
    let scratch = attribute(1, SCRATCH, 2);
    let value = Data::DoubleLongUnsigned(123_456);
    assert_eq!(pair.ask(Request::Get(register, None)), Ok(Outcome::Get(Ok(value.clone()))), "{name}");

    let whole = Data::Array((1..=500).map(row).collect());
    let profile = attribute(7, PROFILE, 2);
    assert_eq!(pair.ask(Request::Get(profile, None)), Ok(Outcome::Get(Ok(whole.clone()))), "{name}");
    let entries = [3, 5].map(Data::DoubleLongUnsigned);
    let selection = Selection { selector: 2, parameters: Data::Structure(entries.to_vec()) };
    let some = Data::Array((3..=5).map(row).collect());
    assert_eq!(pair.ask(Request::Get(profile, Some(selection))), Ok(Outcome::Get(Ok(some))), "{name}");

    let list = vec![(register, None), (profile, None), (attribute(3, SCRATCH, 2), None)];
    let values = vec![Ok(value), Ok(whole), Err(DataAccessError::ObjectClassInconsistent)];
    assert_eq!(pair.ask(Request::GetList(list)), Ok(Outcome::GetList(values)), "{name}");

    let long = Data::OctetString((0..=255).cycle().take(3000).collect());
    assert_eq!(pair.ask(Request::Set(scratch, None, long.clone())), Ok(Outcome::Set(Ok(()))), "{name}");
    assert_eq!(pair.device.scratch, long, "{name}");
    let sets = vec![(scratch, None, long.clone()), (register, None, Data::Null)];
    let results = vec![Ok(()), Err(DataAccessError::ReadWriteDenied)];
    assert_eq!(pair.ask(Request::SetList(sets)), Ok(Outcome::SetList(results)), "{name}");

    let off = method(70, RELAY, 1);
    assert_eq!(
        pair.ask(Request::Action(off, Some(Data::Integer(0)))),
        Ok(Outcome::Action(Ok(None))),
        "{name}"
    );
    assert!(!pair.device.relay);
    let echo = method(70, RELAY, 3);
    for value in [Data::Unsigned(7), long] {
        let asked = pair.ask(Request::Action(echo, Some(value.clone())));
        assert_eq!(asked, Ok(Outcome::Action(Ok(Some(value.clone())))), "{name}");
        let list = vec![(echo, Some(value.clone())), (method(70, SCRATCH, 1), None)];
        let Ok(Outcome::ActionList(outcomes)) = pair.ask(Request::ActionList(list)) else { panic!("{name}") };
        assert_eq!(outcomes[0].value, Some(Ok(value)), "{name}");
        assert_eq!(outcomes[1].result, Err(ActionError::ObjectClassInconsistent), "{name}");
    }
}

#[test]
fn rights_are_kept() {
    let register = Request::Get(attribute(3, REGISTER, 2), None);
    let denied = Ok(Outcome::Get(Err(DataAccessError::ReadWriteDenied)));
    let mut public = Pair::open(ClientConfig::public(16), 1024);
    assert_eq!(public.ask(register.clone()), denied);
    let counter = Request::Get(attribute(1, INVOCATION_COUNTER, 2), None);
    assert_eq!(public.ask(counter), Ok(Outcome::Get(Ok(Data::DoubleLongUnsigned(0)))));
    let relay = Request::Action(method(70, RELAY, 1), None);
    assert_eq!(public.ask(relay.clone()), Ok(Outcome::Action(Err(ActionError::ReadWriteDenied))));

    let mut reader = Pair::open(ClientConfig { client_sap: 17, ..lls() }, 1024);
    assert_eq!(reader.ask(register), Ok(Outcome::Get(Ok(Data::DoubleLongUnsigned(123_456)))));
    let set = Request::Set(attribute(1, SCRATCH, 2), None, Data::OctetString(Vec::new()));
    assert_eq!(reader.ask(set), Ok(Outcome::Set(Err(DataAccessError::ReadWriteDenied))));
    assert_eq!(reader.ask(relay), Ok(Outcome::Action(Err(ActionError::ReadWriteDenied))));
    for (attribute, error) in [
        (attribute(3, REGISTER, 9), DataAccessError::ReadWriteDenied),
        (attribute(1, REGISTER, 2), DataAccessError::ObjectClassInconsistent),
        (attribute(3, Obis::new(9, 9, 9, 9, 9, 9), 2), DataAccessError::ObjectUndefined),
    ] {
        assert_eq!(reader.ask(Request::Get(attribute, None)), Ok(Outcome::Get(Err(error))), "{attribute:?}");
    }
}

#[test]
fn every_device_has_these_objects() {
    let mut pair = Pair::open(lls(), 1024);
    let name = Data::OctetString(b"WTL0000000000007".to_vec());
    let get = |class, object, number| Request::Get(attribute(class, object, number), None);
    assert_eq!(pair.ask(get(1, LOGICAL_DEVICE_NAME, 2)), Ok(Outcome::Get(Ok(name.clone()))));
    let saps = Data::Array(vec![Data::Structure(vec![Data::LongUnsigned(1), name])]);
    assert_eq!(pair.ask(get(17, SAP_ASSIGNMENT, 2)), Ok(Outcome::Get(Ok(saps))));
    let Ok(Outcome::Get(Ok(Data::Array(objects)))) = pair.ask(get(15, CURRENT_ASSOCIATION, 2)) else {
        panic!()
    };
    assert_eq!(objects.len(), 9);
    let own = Data::OctetString(CURRENT_ASSOCIATION.0.to_vec());
    assert_eq!(pair.ask(get(15, CURRENT_ASSOCIATION, 1)), Ok(Outcome::Get(Ok(own))));

    let mut public = Pair::open(ClientConfig::public(16), 1024);
    let Ok(Outcome::Get(Ok(Data::Array(objects)))) = public.ask(get(15, CURRENT_ASSOCIATION, 2)) else {
        panic!()
    };
    assert_eq!(objects.len(), 4);
}

#[test]
fn requests_queue_up() {
    let mut pair = Pair::open(lls(), 1024);
    let register = Request::Get(attribute(3, REGISTER, 2), None);
    let ids: Vec<_> = (0..20).map(|_| pair.client.request(register.clone()).unwrap()).collect();
    pair.drive().unwrap();
    let answered: Vec<_> = std::iter::from_fn(|| pair.client.poll_event())
        .map(|event| match event {
            dlms::client::ClientEvent::Response { id, .. } => id,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(answered, ids);
    assert!(pair.client.is_idle());
}
