//! `http-01` (RFC 8555 §8.3): plain HTTP, one question on each connection.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::{QUESTION, QUESTIONS};

const PATH: &str = "/.well-known/acme-challenge/";
/// Bytes of a request's head.
const HEAD: usize = 16 << 10;

/// Answers by the last part of their path.
#[derive(Clone, Default)]
pub(super) struct Tokens(Arc<Mutex<HashMap<String, String>>>);

impl Tokens {
    pub(super) fn put(&self, token: &str, answer: &str) {
        self.lock().insert(token.to_owned(), answer.to_owned());
    }

    fn get(&self, path: &str) -> Option<String> {
        self.lock().get(path.strip_prefix(PATH)?).cloned()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Answers until it is dropped.
pub(super) async fn serve(listener: TcpListener, tokens: Tokens) {
    let mut questions = JoinSet::new();
    loop {
        let Ok((stream, peer)) = listener.accept().await else {
            sleep(QUESTION / 10).await;
            continue;
        };
        while questions.try_join_next().is_some() {}
        if questions.len() < QUESTIONS {
            tracing::debug!(%peer, "a question by http-01");
            questions.spawn(answer(stream, tokens.clone()));
        }
    }
}

async fn answer(stream: TcpStream, tokens: Tokens) {
    let service = service_fn(move |request: Request<Incoming>| {
        let found =
            Some(&tokens).filter(|_| request.method() == Method::GET).and_then(|it| it.get(request.uri().path()));
        let status = if found.is_some() { StatusCode::OK } else { StatusCode::NOT_FOUND };
        let mut response = Response::new(Full::new(Bytes::from(found.unwrap_or_default())));
        *response.status_mut() = status;
        async { Ok::<_, Infallible>(response) }
    });
    let mut builder = hyper::server::conn::http1::Builder::new();
    let connection = builder.keep_alive(false).max_buf_size(HEAD).serve_connection(TokioIo::new(stream), service);
    let _who_asked_sees_it = timeout(QUESTION, connection).await;
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    #[tokio::test]
    async fn the_token_is_answered_and_nothing_else_is() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let tokens = Tokens::default();
        tokens.put("abc", "abc.thumb");
        let server = tokio::spawn(serve(listener, tokens));
        for (head, status, body) in [
            ("GET /.well-known/acme-challenge/abc HTTP/1.1", "200", "abc.thumb"),
            ("GET /.well-known/acme-challenge/other HTTP/1.1", "404", ""),
            ("POST /.well-known/acme-challenge/abc HTTP/1.1", "404", ""),
            ("GET /etc/passwd HTTP/1.1", "404", ""),
        ] {
            let mut stream = TcpStream::connect(address).await.unwrap();
            stream.write_all(format!("{head}\r\nHost: a.example\r\n\r\n").as_bytes()).await.unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await.unwrap();
            assert!(
                answer.starts_with(&format!("HTTP/1.1 {status}")) && answer.ends_with(&format!("\r\n\r\n{body}")),
                "{head}: {answer}"
            );
        }
        server.abort();
    }
}
