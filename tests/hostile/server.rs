//! A raw server, plain or over TLS, that plays one behaviour, and a host beside it that nobody may talk to.

use std::io::{BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::Value;

use crate::harness::hand::{Heard, read, verdicts};

/// What bytes go through, whatever lies below.
pub trait Wire: Read + Write {}

impl<W: Read + Write> Wire for W {}

/// A request and the connection that its answer goes to.
pub struct Talk<'a> {
    pub wire: &'a mut dyn Wire,
    pub heard: &'a Heard,
    /// The host that nobody may talk to.
    pub elsewhere: &'a str,
}

impl Talk<'_> {
    pub fn say(&mut self, bytes: impl AsRef<[u8]>) -> std::io::Result<()> {
        self.wire.write_all(bytes.as_ref())?;
        self.wire.flush()
    }

    /// The same piece until the client leaves.
    pub fn for_ever(&mut self, piece: &[u8]) -> std::io::Result<()> {
        let pieces = piece.repeat((64 * 1024 / piece.len()).max(1));
        loop {
            self.wire.write_all(&pieces)?;
        }
    }

    /// A body that accepts everything.
    pub fn right(&self) -> String {
        verdicts(self.heard, "REQUEST_ACCEPTED", &Value::Null).body
    }

    /// An answer as it ought to be, but for these further header lines.
    pub fn answer(&mut self, lines: &str, body: &[u8]) -> std::io::Result<()> {
        let head = format!("{HEAD}Content-Length: {}\r\n{lines}\r\n", body.len());
        self.say([head.as_bytes(), body].concat())
    }
}

/// How an ordinary answer begins.
pub const HEAD: &str = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n";

/// What a server does with a request; an error ends the connection.
pub type Answer = fn(&mut Talk<'_>) -> std::io::Result<()>;

/// What a server does.
#[derive(Clone, Copy)]
pub enum Plays {
    /// This, from the first request on.
    Always(Answer),
    /// This, once the first request has been answered as it ought to be.
    Later(Answer),
    /// This, without waiting for a request.
    Unasked(fn(&mut dyn Wire) -> std::io::Result<()>),
    /// This, below TLS.
    Bare(fn(&mut TcpStream) -> std::io::Result<()>),
}

/// A server that plays.
pub struct Stage {
    pub url: String,
    /// What came in at the host that nobody may talk to.
    pub elsewhere: Arc<Mutex<Vec<u8>>>,
}

impl Stage {
    pub fn open(plays: Plays, tls: Option<Arc<ServerConfig>>) -> Stage {
        let (other, elsewhere) = listen_elsewhere();
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let scheme = if tls.is_some() { "https" } else { "http" };
        let url = format!("{scheme}://{}", listener.local_addr().unwrap());
        let served = Arc::new(AtomicUsize::new(0));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (tls, other, served) = (tls.clone(), other.clone(), Arc::clone(&served));
                std::thread::spawn(move || connection(stream, tls, plays, &other, &served));
            }
        });
        Stage { url, elsewhere }
    }
}

fn connection(
    mut stream: TcpStream,
    tls: Option<Arc<ServerConfig>>,
    plays: Plays,
    other: &str,
    served: &AtomicUsize,
) -> Option<()> {
    let _ = stream.set_nodelay(true);
    if let Plays::Bare(play) = plays {
        return play(&mut stream).ok();
    }
    match tls {
        None => talk(stream, plays, other, served).ok(),
        Some(config) => {
            let session = ServerConnection::new(config).ok()?;
            talk(StreamOwned::new(session, stream), plays, other, served).ok()
        }
    }
}

fn talk(
    mut wire: impl Wire,
    plays: Plays,
    other: &str,
    served: &AtomicUsize,
) -> std::io::Result<()> {
    if let Plays::Unasked(play) = plays {
        return play(&mut wire);
    }
    let mut reader = BufReader::new(wire);
    while let Some(heard) = read(&mut reader)? {
        let first = served.fetch_add(1, Ordering::SeqCst) == 0;
        let mut talk = Talk { wire: reader.get_mut(), heard: &heard, elsewhere: other };
        match plays {
            Plays::Later(_) if first => {
                let right = talk.right();
                talk.answer("", right.as_bytes())?;
            }
            Plays::Always(play) | Plays::Later(play) => play(&mut talk)?,
            Plays::Unasked(_) | Plays::Bare(_) => {}
        }
    }
    Ok(())
}

/// A host that keeps whatever it is sent.
fn listen_elsewhere() -> (String, Arc<Mutex<Vec<u8>>>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let host = listener.local_addr().unwrap().to_string();
    let heard = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&heard);
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut piece = [0; 4096];
            let count = stream.read(&mut piece).unwrap_or(0);
            let mut kept = kept.lock().unwrap();
            kept.extend_from_slice(b"connection: ");
            kept.extend_from_slice(&piece[..count]);
        }
    });
    (host, heard)
}

/// A file of `tests/tls`, whose certificates `ca.pem` signed.
pub fn file(name: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/tls").join(name);
    path.display().to_string()
}

/// A configuration that shows its certificate, followed by these many copies of it.
pub fn config(copies: usize) -> Arc<ServerConfig> {
    let certificates: Vec<CertificateDer<'static>> =
        CertificateDer::pem_file_iter(file("server.pem")).unwrap().map(Result::unwrap).collect();
    let chain = (0..=copies).flat_map(|_| certificates.iter().cloned()).collect();
    let key = PrivateKeyDer::from_pem_file(file("server.key")).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    Arc::new(config)
}
