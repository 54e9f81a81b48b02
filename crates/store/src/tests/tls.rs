//! An encrypted connection: to the right server with the right password, and to nobody else.

use crate::{PgConfig, Read, Store, StoreError};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use std::path::{Path, PathBuf};

const PASSWORD: &str = "wi:th\\colon";

fn authority() -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

fn written(dir: &Path, name: &str, text: &str) -> PathBuf {
    let file = dir.join(name);
    std::fs::write(&file, text).unwrap();
    file
}

#[test]
fn only_the_server_that_the_authority_vouches_for_is_spoken_to() {
    let (ours, other) = (authority(), authority());
    let key = KeyPair::generate().unwrap();
    let names = vec!["localhost".to_owned()];
    let certificate = CertificateParams::new(names).unwrap().signed_by(&key, &ours).unwrap();
    let Some(server) = cluster::Server::encrypted(&certificate.pem(), &key.serialize_pem(), PASSWORD) else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let (right, wrong) =
        (written(dir.path(), "right.pem", &ours.pem()), written(dir.path(), "wrong.pem", &other.pem()));
    let password = written(dir.path(), "password", &format!("{PASSWORD}\n"));
    let passfile = written(dir.path(), "pgpass", "localhost:*:postgres:wattle:wi\\:th\\\\colon\n");
    let address = |host: &str, more: &str| {
        let address = format!("postgres://wattle@{host}:{}/postgres?{more}", server.port());
        PgConfig::parse(&address).unwrap()
    };
    let verified = |root: &Path| format!("sslmode=verify-full&sslrootcert={}", root.display());
    let connected =
        |config: &PgConfig| Store::connect(config).map(|store| store.read(Read::is_empty).unwrap());

    let good = address("localhost", &verified(&right));
    assert!(connected(&good.clone().with_password_file(&password).unwrap()).unwrap());
    assert!(connected(&good.clone().with_pass_file(&passfile).unwrap()).unwrap());
    let refused = connected(&good).unwrap_err();
    assert!(matches!(refused, StoreError::Sql(_)), "no password: {refused:?}");

    for (config, what) in [
        (address("localhost", &verified(&wrong)), "another authority"),
        (address("127.0.0.1", &verified(&right)), "another name"),
    ] {
        let refused = connected(&config.with_password_file(&password).unwrap()).unwrap_err();
        assert!(matches!(refused, StoreError::Untrusted(_)), "{what}: {refused:?}");
        assert!(!refused.is_passing() && refused.to_string().contains("sslrootcert"), "{refused}");
    }
    let open = address("localhost", "sslmode=disable").with_password_file(&password).unwrap();
    assert!(connected(&open).is_err(), "the server takes nobody unencrypted");
    assert!(!format!("{open:?}").contains("colon"), "a password is printed");
    let nothing = address("localhost", &verified(&dir.path().join("nothing")));
    assert!(matches!(connected(&nothing), Err(StoreError::Address { .. })));
}
