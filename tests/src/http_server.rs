//! A small HTTP server of the tests' own. It answers as it is told to, also against the rules.

use std::{
    fmt,
    io::{self, BufReader, Read, Write as _},
    net::{TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

/// The head of a request.
#[derive(Debug, Clone)]
#[allow(clippy::exhaustive_structs, reason = "tests")]
pub struct HttpAsked {
    /// The method.
    pub method: String,
    /// The path and the query.
    pub target: String,
    /// Names, in lower case, and values.
    pub headers: Vec<(String, String)>,
}

impl HttpAsked {
    /// Returns the first value of a header. `name` is in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Returns the path.
    #[must_use]
    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    /// Returns all values of a parameter of the query.
    #[must_use]
    pub fn query(&self, name: &str) -> Vec<String> {
        let query = self.target.split_once('?').map_or("", |(_, query)| query);
        let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        pairs.filter(|(key, _)| *key == name).map(|(_, value)| decode(value)).collect()
    }

    fn read(from: &mut impl io::BufRead) -> io::Result<Option<Self>> {
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            if from.read_line(&mut line)? == 0 {
                return Ok(None);
            }
            match line.trim_end() {
                "" => break,
                line => lines.push(line.to_owned()),
            }
        }
        let mut words = lines.first().map_or("", String::as_str).split(' ');
        let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let headers = lines.iter().skip(1).filter_map(|line| line.split_once(':'));
        let headers = headers.map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()));
        Ok(Some(Self { method: method.into(), target: target.into(), headers: headers.collect() }))
    }
}

/// Decodes `%2F` and the like.
fn decode(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let code = after.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        match code.filter(|_| *first == b'%').and_then(|code| u8::from_str_radix(code, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The bytes of an answer.
#[derive(Debug, Clone)]
pub struct HttpReply {
    wire: Vec<u8>,
    /// The position of the body.
    body: usize,
    /// Whether the connection ends with it.
    last: bool,
}

impl HttpReply {
    /// Returns an answer.
    #[must_use]
    pub fn new(status: u16, headers: &[(&str, &str)], body: &[u8]) -> Self {
        Self::lying(status, headers, body.len(), body)
    }

    /// Returns an answer whose `content-length` may be wrong.
    #[must_use]
    pub fn lying(status: u16, headers: &[(&str, &str)], length: usize, body: &[u8]) -> Self {
        let mut head = format!("HTTP/1.1 {status} status\r\n");
        if status != 204 {
            head += &format!("content-length: {length}\r\n");
        }
        for (name, value) in headers {
            head += &format!("{name}: {value}\r\n");
        }
        let mut wire = (head + "\r\n").into_bytes();
        let start = wire.len();
        wire.extend_from_slice(body);
        Self { wire, body: start, last: length != body.len() }
    }

    /// Returns bytes that are an answer as they are.
    #[must_use]
    pub fn raw(wire: Vec<u8>) -> Self {
        Self { wire, body: 0, last: true }
    }

    /// Ends the connection without an answer. The client sees a reset where it was still sending.
    #[must_use]
    pub fn hang_up() -> Self {
        Self::raw(Vec::new())
    }

    /// Leaves the body out: the answer to `HEAD`.
    #[must_use]
    pub fn head(mut self) -> Self {
        self.wire.truncate(self.body);
        self
    }

    /// Returns the bytes of the body.
    #[must_use]
    pub fn length(&self) -> usize {
        self.wire.len() - self.body
    }

    /// Ends the connection within the body.
    #[must_use]
    pub fn cut(mut self, after: usize) -> Self {
        self.wire.truncate(self.body + after);
        self.last = true;
        self
    }
}

type Responder = dyn Fn(&HttpAsked, &mut dyn Read) -> HttpReply + Send + Sync;

/// A server on this machine, with a thread for each connection.
pub struct HttpServer {
    port: u16,
    ended: Arc<AtomicBool>,
}

impl HttpServer {
    /// Starts it. `answer` gets the head of a request, and its body to read as much of it as it likes.
    ///
    /// # Panics
    /// If no port is free.
    pub fn start(answer: impl Fn(&HttpAsked, &mut dyn Read) -> HttpReply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (ended, answer): (_, Arc<Responder>) = (Arc::new(AtomicBool::new(false)), Arc::new(answer));
        let until = Arc::clone(&ended);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(io::Result::ok) {
                if until.load(Ordering::Relaxed) {
                    return;
                }
                let answer = Arc::clone(&answer);
                // A client that goes away ends its connection, and nothing else.
                thread::spawn(move || drop(serve(&stream, &*answer)));
            }
        });
        Self { port, ended }
    }

    /// Returns its port on `127.0.0.1`.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Returns `localhost:PORT`.
    #[must_use]
    pub fn host(&self) -> String {
        format!("localhost:{}", self.port)
    }
}

impl Drop for HttpServer {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
        // It waits for a connection.
        drop(TcpStream::connect(("127.0.0.1", self.port)));
    }
}

impl fmt::Debug for HttpServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpServer").field("port", &self.port).finish_non_exhaustive()
    }
}

fn serve(stream: &TcpStream, answer: &Responder) -> io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(60)))?;
    stream.set_nodelay(true)?;
    let mut from = BufReader::new(stream);
    let mut to = stream;
    while let Some(asked) = HttpAsked::read(&mut from)? {
        let length = asked.header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
        let mut body = (&mut from).take(length);
        let reply = answer(&asked, &mut body);
        if !reply.wire.is_empty() {
            io::copy(&mut body, &mut io::sink())?;
            to.write_all(&reply.wire)?;
        }
        if reply.last {
            break;
        }
    }
    Ok(())
}
