//! Results go to standard output, everything else to standard error.

use std::{
    fmt::Display,
    io::{self, BufWriter, Write},
};

use serde::Serialize;

use crate::{args::Format, failure::Failure};

/// Prints a report as text or JSON.
pub(crate) fn report(report: &(impl Display + Serialize), format: &Format) -> Result<(), Failure> {
    print(|out| {
        if format.is_json() {
            serde_json::to_writer_pretty(&mut *out, report).map_err(io::Error::from)?;
            writeln!(out)
        } else {
            write!(out, "{report}")
        }
    })
}

/// Prints with a buffer. A reader that went away, as `head` does, is no failure.
pub(crate) fn print(fill: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), Failure> {
    let mut out = BufWriter::with_capacity(64 << 10, io::stdout().lock());
    match fill(&mut out).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::failed(format!("write standard output: {error}")))
        }
        _ => Ok(()),
    }
}
