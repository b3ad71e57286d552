//! Results on standard output, and in files.

use std::{
    fs::{self, File},
    io::{self, BufWriter, Write},
    path::Path,
};

use ocicle_report::Report;

use crate::{
    args::{Format, FormatName},
    failure::Failure,
    new_file::NewFile,
    show::Show,
    stream::Patient,
    system,
};

/// Prints a report in the requested format.
pub(crate) fn report(report: &(impl Report + Show + ?Sized), format: &Format) -> Result<(), Failure> {
    print(|out| {
        let mut text = String::new();
        match format.name() {
            FormatName::Json => return ocicle_report::write_pretty(report, out),
            FormatName::Table => report.table(&mut text),
            FormatName::Plain => report.plain(&mut text),
        }
        .map_err(io::Error::other)?;
        out.write_all(text.as_bytes())
    })
}

/// Prints with a buffer. A reader that closes the pipe early, such as `head`, is not a failure.
pub(crate) fn print(fill: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), Failure> {
    let mut out = BufWriter::with_capacity(64 << 10, Patient(io::stdout().lock()));
    match fill(&mut out).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(match error.downcast::<ocicle::Error>() {
                Ok(error) => error.into(), // from the content, not from standard output
                Err(error) => Failure::failed(format!("write standard output: {error}")),
            })
        }
        _ => Ok(()),
    }
}

/// Writes a file; if that fails, an existing file is kept. Symbolic links are followed, and special files are
/// written to directly.
pub(crate) fn write_file(
    path: &Path,
    fill: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), Failure> {
    write(path, fill).map_err(|error| match error.downcast::<ocicle::Error>() {
        Ok(error) => error.into(), // from the content, not from the file
        Err(error) => Failure::failed(format!("write {}: {error}", path.display())),
    })
}

fn write(path: &Path, fill: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    match fs::metadata(path) {
        // A terminal or a pipe.
        Ok(found) if !found.is_file() => fill_buffered(&File::create(path)?, fill),
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => {
            let new = NewFile::create(&system::follow(path)?)?;
            fill_buffered(&new.file, fill)?;
            new.place()
        }
    }
}

fn fill_buffered(file: &File, fill: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let mut out = BufWriter::with_capacity(256 << 10, file);
    fill(&mut out)?;
    out.flush()
}
