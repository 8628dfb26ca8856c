//! An HTTP client that costs next to nothing, or it would be measured, too.

use assize_common::api::{NewFile, NewSubmission};
use assize_common::id::SubmissionId;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::installation::Installation;

const TEAMS: usize = 500;

pub(crate) struct Client {
    stream: TcpStream,
    token: String,
    answer: Vec<u8>,
}

impl Client {
    pub(crate) async fn connect(installation: &Installation) -> Self {
        let stream = TcpStream::connect(installation.address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self {
            stream,
            token: installation.token.clone(),
            answer: Vec::new(),
        }
    }

    /// Submits a source like no other and returns when the answer is there.
    pub(crate) async fn submit(&mut self, number: usize) -> SubmissionId {
        let submission = NewSubmission {
            problem: "sum".into(),
            language: "cpp20".into(),
            files: vec![NewFile {
                name: "a.cpp".into(),
                content: format!("int main() {{ return {number} * 0; }}\n").into_bytes(),
            }],
            entry_point: None,
            contest: Some("finals".into()),
            team: Some(format!("team {}", number % TEAMS)),
            sandbox: None,
            flag: None,
        };
        let body = serde_json::to_string(&submission).unwrap();
        let request = format!(
            "POST /api/v1/submissions HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer {}\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            self.token,
            body.len()
        );
        self.stream.write_all(request.as_bytes()).await.unwrap();
        let answer = self.receive().await;
        let answer: serde_json::Value = serde_json::from_str(&answer).unwrap();
        answer["id"].as_str().unwrap().parse().unwrap()
    }

    async fn receive(&mut self) -> String {
        self.answer.clear();
        loop {
            self.stream.read_buf(&mut self.answer).await.unwrap();
            let text = std::str::from_utf8(&self.answer).unwrap();
            let Some((head, body)) = text.split_once("\r\n\r\n") else {
                continue;
            };
            assert!(head.starts_with("HTTP/1.1 201"), "{text}");
            let length: usize = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "))
                .unwrap()
                .parse()
                .unwrap();
            if body.len() >= length {
                return body.to_owned();
            }
        }
    }
}
