//! TLS: which certificates are believed, and no way back to plain text.

use std::fs;
use std::io;
use std::net::TcpStream;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::sandbox::{Sandbox, file_artifact};
use crate::server::{Connection, Reply, Request, Server};

const CONTENT: &[u8] = b"over TLS";

/// A server with a certificate for 127.0.0.1, and the authority that signed it, as PEM.
fn start(answer: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> (Server, String) {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["127.0.0.1".to_string()]).unwrap();
    let certificate = params.signed_by(&key, &authority).unwrap();

    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .unwrap();
    let config = Arc::new(config);
    let wrap = move |stream: TcpStream| -> io::Result<Box<dyn Connection>> {
        let session = ServerConnection::new(config.clone()).map_err(io::Error::other)?;
        Ok(Box::new(StreamOwned::new(session, stream)))
    };
    (Server::start_with(answer, wrap), authority.pem())
}

fn sandbox(server: &Server, authority: &str) -> Sandbox {
    let url = format!("https://127.0.0.1:{}/thing", server.port());
    let sandbox = Sandbox::with_manifest(&file_artifact("thing", CONTENT, &[&url]));
    fs::write(sandbox.path("authority.pem"), authority).unwrap();
    sandbox
}

#[test]
fn the_platforms_authorities_are_trusted() {
    let (server, authority) = start(|_| Reply::Ok(CONTENT.into()));
    let sandbox = sandbox(&server, &authority);
    let file = sandbox.path("authority.pem").display().to_string();
    let sandbox = sandbox.set("SSL_CERT_FILE", &file);
    sandbox.run(&[]).succeeded();
    assert_eq!(sandbox.read("thing/file").as_bytes(), CONTENT);
}

#[test]
fn an_unknown_authority_is_not() {
    let (server, authority) = start(|_| Reply::Ok(CONTENT.into()));
    let (_, stranger) = start(|_| Reply::Silence);
    let sandbox = sandbox(&server, &authority);
    fs::write(sandbox.path("authority.pem"), stranger).unwrap();
    let file = sandbox.path("authority.pem").display().to_string();
    let sandbox = sandbox.set("SSL_CERT_FILE", &file);
    let outcome = sandbox.run(&[]);
    let outcome = outcome.failed_with(1, "cannot connect: invalid peer certificate");
    assert!(
        !outcome.stderr.contains("trying again"),
        "{}",
        outcome.stderr
    );
    assert_eq!(server.targets(), Vec::<String>::new());
}

#[test]
fn a_redirect_to_plain_http_is_refused() {
    let plain = Server::start(|_| Reply::Ok(CONTENT.into()));
    let target = plain.url("/thing");
    let (server, authority) = start(move |_| Reply::Redirect(target.clone()));
    let sandbox = sandbox(&server, &authority);
    let file = sandbox.path("authority.pem").display().to_string();
    let sandbox = sandbox.set("SSL_CERT_FILE", &file);
    sandbox
        .run(&[])
        .failed_with(1, "refused: a redirect from https to http");
    assert_eq!(plain.targets(), Vec::<String>::new());
}

#[test]
fn a_machine_without_certificates_is_told_what_to_install() {
    let (server, authority) = start(|_| Reply::Ok(CONTENT.into()));
    let sandbox = sandbox(&server, &authority)
        .set("SSL_CERT_FILE", "/nonexistent")
        .set("SSL_CERT_DIR", "/nonexistent");
    sandbox.run(&[]).failed_with(
        1,
        "install the package ca-certificates, or set SSL_CERT_FILE",
    );
}
