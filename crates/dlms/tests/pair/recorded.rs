//! Dialogues that an independent client held with this server, answered again byte for byte.
//!
//! Challenges come from the harness's entropy and counters start at 1, so a recording can be replayed. `both_service_specific`
//! and `dedicated` were held without general protection, so that the client used glo- and ded- services.

use crate::harness::{Device, entropy, server_config, server_of};
use dlms::acse::Conformance;
use std::path::{Path, PathBuf};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/dlms/exchanges")
}

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).expect("hex")).collect()
}

fn replay(name: &str) {
    let text = std::fs::read_to_string(folder().join(name).with_extension("txt")).expect("a recording");
    let mut lines = text.lines();
    let client = lines.next().and_then(|line| line.strip_prefix("client ")).expect("the client's address");
    let client_sap: u16 = client.parse().expect("a number");
    let mut config = server_config(512);
    if matches!(name, "both_service_specific" | "dedicated") {
        config.conformance = Conformance(config.conformance.0 & !Conformance::GENERAL_PROTECTION.0);
    }
    let (mut server, mut device) = (server_of(config), Device::default());
    device.rows = 60;
    let mut asked = 0;
    while let Some(request) = lines.next() {
        let request = bytes(request.strip_prefix("> ").expect("a request"));
        let expected = lines.next().and_then(|line| line.strip_prefix("< ")).expect("an answer");
        let reply = server.handle_apdu(client_sap, &request, &mut device, &mut entropy(2));
        assert_eq!(reply.refused, None, "{name}, request {asked}");
        assert_eq!(reply.apdu, Some(bytes(expected)), "{name}, request {asked}");
        asked += 1;
    }
    assert!(asked > 3 && !server.is_associated(client_sap), "{name} ends with a release");
}

#[test]
fn an_independent_client_is_answered_as_recorded() {
    let names =
        ["public", "lls", "gmac", "authenticated", "encrypted", "both", "both_service_specific", "dedicated"];
    for name in names {
        replay(name);
    }
    let files = std::fs::read_dir(folder()).expect("the recordings").count();
    assert_eq!(files, names.len(), "every recording is replayed");
}
