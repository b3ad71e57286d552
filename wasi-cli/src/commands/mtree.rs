//! `mtree` and `mtree check`.

use std::{
    fmt,
    fs::File,
    io::{self, BufRead, BufReader},
    path::Path,
    process::ExitCode,
};

use ocicle::{
    fs::Readable,
    graph::resolve::Want,
    image::{Image, layers::merged},
    limits::Limits,
    text::Report,
    tree::mtree::{self, Dialect, Difference, compare},
};
use serde::Serialize;

use crate::{
    args::{Args, Format, Mtree, Owners},
    failure::{Failure, unless_different},
    output,
    owners::on_disk,
    place::{Place, open_dir},
    progress::Watched,
};

pub(super) fn run(
    args: &Args,
    reference: Option<&str>,
    dialect: Dialect,
    owners: &Owners,
    command: Option<&Mtree>,
    limits: &Limits,
) -> Result<ExitCode, Failure> {
    match (command, reference) {
        (Some(Mtree::Check { manifest, directory, format }), _) => check(manifest, directory, format, limits),
        (None, Some(reference)) => {
            print(args, reference, dialect, owners, limits).map(|()| ExitCode::SUCCESS)
        }
        (None, None) => Err(Failure::usage("mtree needs a reference")),
    }
}

fn print(
    args: &Args,
    reference: &str,
    dialect: Dialect,
    owners: &Owners,
    limits: &Limits,
) -> Result<(), Failure> {
    let place = Place::open(reference, limits)?;
    let resolution = place.resolve(Want::Image, limits)?;
    let image = Image::open(&place.store, resolution.target(), limits)?;
    let store = Watched::new(args, &place.store, "reading layers", Some(image.size()));
    let tree = merged(&store, &image, &on_disk(owners)?, limits)?;
    output::print(|out| mtree::write(&tree, dialect, out).map_err(io::Error::from))
}

/// Schema version 1 of `mtree check --json`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Differences {
    schema_version: u32,
    differences: Vec<Difference>,
}

impl fmt::Display for Differences {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.differences.iter().try_for_each(|difference| writeln!(f, "{difference}"))
    }
}

impl Report for Differences {
    /// Path, keyword, expected, found; `missing` or `extra` instead of a keyword.
    fn plain(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        self.differences.iter().try_for_each(|difference| writeln!(out, "{}", difference.plain()))
    }
}

fn check(manifest: &Path, directory: &Path, format: &Format, limits: &Limits) -> Result<ExitCode, Failure> {
    let root = Readable::new(open_dir(directory)?);
    let mut input: Box<dyn BufRead> = if manifest.as_os_str() == "-" {
        Box::new(io::stdin().lock())
    } else {
        let file = File::open(manifest)
            .map_err(|error| Failure::failed(format!("open {}: {error}", manifest.display())))?;
        Box::new(BufReader::with_capacity(64 << 10, file))
    };
    let mut differences = Vec::new();
    compare(&mut input, &root, limits, &mut |difference| {
        match difference {
            Difference::Unchecked { .. } => eprintln!("warning: {difference}"),
            difference => differences.push(difference),
        }
        Ok(())
    })?;
    let found = Differences { schema_version: 1, differences };
    output::report(&found, format)?;
    Ok(unless_different(!found.differences.is_empty()))
}
