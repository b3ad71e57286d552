//! Results go to standard output, everything else to standard error.

use std::{
    fs,
    io::{self, BufWriter, Write},
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
};

use ocicle::{
    digest::Digest,
    graph::rewrite::{Destination, Referrers},
    spec::Descriptor,
    text::{Report, printable},
};

use crate::{
    args::{Args, Format, FormatName},
    failure::Failure,
};

/// Prints a report in the format that was asked for.
pub(crate) fn report(report: &impl Report, format: &Format) -> Result<(), Failure> {
    print(|out| match format.name() {
        FormatName::Table => write!(out, "{report}"),
        FormatName::Json => {
            serde_json::to_writer_pretty(&mut *out, report)?;
            writeln!(out)
        }
        FormatName::Plain => {
            let mut text = String::new();
            report.plain(&mut text).map_err(io::Error::other)?;
            out.write_all(text.as_bytes())
        }
    })
}

/// Prints the digest of what an edit made; and what is still about the object that was replaced.
pub(crate) fn replaced(
    args: &Args,
    digest: &Digest,
    referrers: &[Descriptor],
    to: &Destination,
) -> Result<(), Failure> {
    if to.referrers == Referrers::Keep && !args.quiet {
        for Descriptor { digest, artifact_type, media_type, .. } in referrers {
            let kind = artifact_type.as_ref().unwrap_or(media_type);
            eprintln!(
                "warning: {digest} ({}) is about the object that was replaced: see --referrers",
                printable(kind.as_str())
            );
        }
    }
    print(|out| writeln!(out, "{digest}"))
}

static DISCARD: AtomicBool = AtomicBool::new(false);

/// From now on results are not printed: umoci is silent where we say what was made.
pub(crate) fn discard_results() {
    DISCARD.store(true, Ordering::Relaxed);
}

/// Prints a result.
pub(crate) fn print(fill: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), Failure> {
    if DISCARD.load(Ordering::Relaxed) { Ok(()) } else { print_always(fill) }
}

/// Prints with a buffer. A reader that went away, as `head` does, is no failure.
pub(crate) fn print_always(fill: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), Failure> {
    let mut out = BufWriter::with_capacity(64 << 10, io::stdout().lock());
    match fill(&mut out).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(match error.downcast::<ocicle::Error>() {
                Ok(error) => error.into(), // not of the output, but of what was to be printed
                Err(error) => Failure::failed(format!("write standard output: {error}")),
            })
        }
        _ => Ok(()),
    }
}

/// Writes a file, or leaves the one that is there as it is.
pub(crate) fn write_file(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let failed = |error: io::Error| Failure::failed(format!("write {}: {error}", path.display()));
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.into());
    if target.symlink_metadata().is_ok_and(|found| !found.is_file()) {
        return fs::write(&target, bytes).map_err(failed); // a terminal or a pipe
    }
    let mut beside = target.clone().into_os_string();
    beside.push(".ocicle-new");
    fs::write(&beside, bytes).and_then(|()| fs::rename(&beside, &target)).map_err(|error| {
        let _ = fs::remove_file(&beside); // the first error is the one to tell
        failed(error)
    })
}
