//! A scheduler that serves blobs, stores audits and outputs, and does nothing else.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use assize_common::ContentHash;
use assize_common::api::Token;

/// Serves until the test ends.
pub(crate) struct FakeScheduler {
    pub(crate) address: SocketAddr,
    state: Arc<Mutex<State>>,
}

struct State {
    blobs: HashMap<ContentHash, Vec<u8>>,
    audits: HashMap<ContentHash, Vec<u8>>,
    outputs: HashMap<ContentHash, Vec<u8>>,
    token: String,
    /// Answers to give instead of the right one, the next one last.
    disturbances: Vec<u16>,
    served: usize,
}

impl FakeScheduler {
    pub(crate) fn start(token: &Token) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(Mutex::new(State {
            blobs: HashMap::new(),
            audits: HashMap::new(),
            outputs: HashMap::new(),
            token: token.reveal(),
            disturbances: Vec::new(),
            served: 0,
        }));
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let shared = Arc::clone(&shared);
                thread::spawn(move || drop(answer(stream.unwrap(), &shared)));
            }
        });
        Self { address, state }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn store(&self, blob: &[u8]) -> ContentHash {
        let hash = ContentHash::of(blob);
        self.state.lock().unwrap().blobs.insert(hash, blob.to_vec());
        hash
    }

    /// Answers these before it answers rightly.
    pub(crate) fn disturb(&self, answers: &[u16]) {
        self.state.lock().unwrap().disturbances.extend(answers);
    }

    /// Takes no token any more.
    pub(crate) fn revoke(&self) {
        self.state.lock().unwrap().token.clear();
    }

    /// An audit that it has taken.
    pub(crate) fn audit(&self, hash: ContentHash) -> Option<Vec<u8>> {
        self.state.lock().unwrap().audits.get(&hash).cloned()
    }

    /// Outputs that it has taken.
    pub(crate) fn outputs(&self, hash: ContentHash) -> Option<Vec<u8>> {
        self.state.lock().unwrap().outputs.get(&hash).cloned()
    }

    /// How many blobs it has sent.
    pub(crate) fn served(&self) -> usize {
        self.state.lock().unwrap().served
    }
}

fn answer(stream: TcpStream, state: &Mutex<State>) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let (mut request, mut token, mut length) = (String::new(), String::new(), 0);
    reader.read_line(&mut request)?;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let line = line.trim();
        if line.is_empty() {
            break;
        }
        match line.split_once(": ") {
            Some((name, value)) if name.eq_ignore_ascii_case("authorization") => {
                value.trim_start_matches("Bearer ").clone_into(&mut token);
            }
            Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                length = value.parse().unwrap();
            }
            _ => {}
        }
    }
    let path = request.split(' ').nth(1).unwrap_or_default();
    let hash_after = |prefix| {
        path.strip_prefix(prefix)
            .and_then(|hash: &str| hash.parse().ok())
    };
    let (status, body) = if let Some(hash) = hash_after("/api/v1/audits/") {
        let mut audit = vec![0; length];
        reader.read_exact(&mut audit)?;
        take_audit(&mut state.lock().unwrap(), hash, audit, &token)
    } else if let Some(hash) = hash_after("/api/v1/outputs/") {
        let mut outputs = vec![0; length];
        reader.read_exact(&mut outputs)?;
        state.lock().unwrap().outputs.insert(hash, outputs);
        (204, Vec::new())
    } else {
        let hash = hash_after("/api/v1/blobs/");
        respond(&mut state.lock().unwrap(), hash, &token)
    };
    let kind = if status == 200 {
        "application/octet-stream"
    } else {
        "application/problem+json"
    };
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status} X\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n"
    );
    (&stream).write_all(head.as_bytes())?;
    (&stream).write_all(&body)
}

fn take_audit(state: &mut State, hash: ContentHash, audit: Vec<u8>, token: &str) -> (u16, Vec<u8>) {
    if token != state.token {
        return (401, Vec::new());
    }
    if let Some(status) = state.disturbances.pop() {
        return (status, b"other bytes".to_vec());
    }
    assert_eq!(ContentHash::of(&audit), hash);
    state.audits.insert(hash, audit);
    (204, Vec::new())
}

fn respond(state: &mut State, hash: Option<ContentHash>, token: &str) -> (u16, Vec<u8>) {
    if token != state.token {
        return (401, Vec::new());
    }
    let Some(blob) = hash.and_then(|hash| state.blobs.get(&hash)) else {
        return (404, Vec::new());
    };
    match state.disturbances.pop() {
        Some(status) => (status, b"other bytes".to_vec()),
        None => {
            state.served += 1;
            (200, blob.clone())
        }
    }
}
