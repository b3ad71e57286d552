//! Questions to the user, on the terminal.

use std::io::{self, IsTerminal as _, Read as _, Write as _};

use crate::{
    stream::Patient,
    system::{HiddenInput, Input},
};

/// The longest answer, in bytes.
const MAX_ANSWER: usize = 64 << 10;

/// Whether the terminal shows what is typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Echo {
    Shown,
    Hidden,
}

/// Asks for a line, if standard input is a terminal.
pub(crate) fn ask(question: &str, echo: Echo) -> io::Result<Option<String>> {
    if !io::stdin().is_terminal() {
        return Ok(None);
    }
    let hidden = match echo {
        Echo::Shown => None,
        Echo::Hidden => Some(HiddenInput::new()?),
    };
    Patient(io::stderr()).write_all(question.as_bytes())?;
    let (mut line, mut byte) = (Vec::new(), [0]);
    while Input(io::stdin()).read(&mut byte)? == 1 && byte != *b"\n" {
        line.push(byte[0]);
        if line.len() > MAX_ANSWER {
            return Err(too_long());
        }
    }
    drop(hidden);
    text(line).map(Some)
}

/// Reads all of standard input, without the end of its last line.
pub(crate) fn read_input() -> io::Result<String> {
    let mut all = Vec::new();
    Input(io::stdin()).take(MAX_ANSWER as u64 + 1).read_to_end(&mut all)?;
    if all.len() > MAX_ANSWER {
        return Err(too_long());
    }
    let end = if all.ends_with(b"\r\n") { 2 } else { usize::from(all.ends_with(b"\n")) };
    all.truncate(all.len() - end);
    text(all)
}

fn text(bytes: Vec<u8>) -> io::Result<String> {
    // The error of the conversion has the bytes.
    String::from_utf8(bytes).map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "not UTF-8"))
}

fn too_long() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("more than {MAX_ANSWER} bytes"))
}
