//! The standard streams.

use std::{
    fmt::Display,
    io::{self, Write},
    thread,
    time::Duration,
};

/// Writes a message of one or more lines to standard error, in one call, so that the lines of parallel runs
/// do not mix. Errors are ignored: there is no other place to report them, and the exit code must not change.
pub(crate) fn message(text: impl Display) {
    let _ = Patient(io::stderr()).write_all(format!("{text}\n").as_bytes());
}

/// A writer that waits for slow readers. Node and other event loops hand on pipes in non-blocking mode.
pub(crate) struct Patient<W>(pub(crate) W);

impl<W: Write> Patient<W> {
    fn insist<T>(&mut self, mut attempt: impl FnMut(&mut W) -> io::Result<T>) -> io::Result<T> {
        loop {
            match attempt(&mut self.0) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    thread::sleep(Duration::from_millis(1));
                }
                done => return done,
            }
        }
    }
}

impl<W: Write> Write for Patient<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.insist(|inner| inner.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.insist(W::flush)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes three bytes every other time.
    struct Slow(Vec<u8>, bool);

    impl Write for Slow {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.1 = !self.1;
            if self.1 {
                return Err(io::ErrorKind::WouldBlock.into());
            }
            self.0.extend(bytes.iter().take(3));
            Ok(bytes.len().min(3))
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_slow_reader_gets_everything() {
        let mut patient = Patient(Slow(Vec::new(), false));
        assert_eq!(patient.write_all(b"nothing lost").and_then(|()| patient.flush()).err().map(drop), None);
        assert_eq!(patient.0.0, b"nothing lost");
    }
}
