//! A server before another one, which keeps what it was asked.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use crate::http_server::{HttpReply, HttpServer};

/// A server that hands on everything, and keeps all requests as they were sent.
#[derive(Debug)]
pub struct Recorder {
    server: HttpServer,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Recorder {
    /// Starts it before the server at a port of this machine.
    ///
    /// # Panics
    /// If no port is free.
    #[must_use]
    pub fn before(port: u16) -> Self {
        Self::cutting(port, "")
    }

    /// Starts it before the server at a port of this machine, and breaks the first request with this method
    /// in the middle of its body, on both sides.
    ///
    /// # Panics
    /// If no port is free.
    #[must_use]
    pub fn cutting(port: u16, method: &'static str) -> Self {
        let cut = AtomicBool::new(false);
        let requests = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&requests);
        let server = HttpServer::start(move |asked, body| {
            let mut whole = format!("{} {} HTTP/1.1\r\n", asked.method, asked.target);
            for (name, value) in asked.headers.iter().filter(|(name, _)| name != "connection") {
                whole += &format!("{name}: {value}\r\n");
            }
            let mut whole = (whole + "connection: close\r\n\r\n").into_bytes();
            let breaks = asked.method == method && !cut.swap(true, Ordering::Relaxed);
            if breaks {
                let length = asked.header("content-length").unwrap().parse::<u64>().unwrap();
                body.take(length / 2).read_to_end(&mut whole).unwrap();
            } else {
                body.read_to_end(&mut whole).unwrap();
            }
            kept.lock().unwrap().push(String::from_utf8_lossy(&whole).into_owned());
            let mut other = TcpStream::connect(("127.0.0.1", port)).unwrap();
            other.write_all(&whole).unwrap();
            if breaks {
                return HttpReply::hang_up();
            }
            let mut answer = Vec::new();
            other.read_to_end(&mut answer).unwrap();
            HttpReply::raw(answer)
        });
        Self { server, requests }
    }

    /// Returns `localhost:PORT`.
    #[must_use]
    pub fn host(&self) -> String {
        self.server.host()
    }

    /// Returns the requests so far, with their bodies.
    ///
    /// # Panics
    /// If a request could not be handed on.
    #[must_use]
    pub fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}
