//! `mtree` and `mtree check`.

use std::{
    fs::File,
    io::{self, BufRead, BufReader},
    path::Path,
    process::ExitCode,
};

use ocicle::{
    graph::resolve::Want,
    image::{Image, layers::merged},
    limits::Limits,
    tree::mtree::{self, Dialect, Difference, compare},
};
use serde::Serialize;

use crate::{
    args::{Args, Format, Mtree},
    failure::{DIFFERENT, Failure},
    output,
    place::{Place, open_dir},
    progress::Watched,
};

pub(super) fn run(
    args: &Args,
    reference: Option<&str>,
    dialect: Dialect,
    command: Option<&Mtree>,
    limits: &Limits,
) -> Result<ExitCode, Failure> {
    match (command, reference) {
        (Some(Mtree::Check { manifest, directory, format }), _) => check(manifest, directory, format, limits),
        (None, Some(reference)) => print(args, reference, dialect, limits).map(|()| ExitCode::SUCCESS),
        (None, None) => Err(Failure::usage("mtree needs a reference")),
    }
}

fn print(args: &Args, reference: &str, dialect: Dialect, limits: &Limits) -> Result<(), Failure> {
    let place = Place::open(reference, limits)?;
    let resolution = place.resolve(Want::Image, limits)?;
    let image = Image::open(&place.store, resolution.target(), limits)?;
    let store = Watched::new(args, &place.store, "reading layers", Some(image.size()));
    let tree = merged(&store, &image, limits)?;
    output::print(|out| mtree::write(&tree, dialect, out).map_err(io::Error::from))
}

/// Schema version 1 of `mtree check --json`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Differences {
    schema_version: u32,
    differences: Vec<Difference>,
}

fn check(manifest: &Path, directory: &Path, format: &Format, limits: &Limits) -> Result<ExitCode, Failure> {
    let root = open_dir(directory)?;
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
    let found = !differences.is_empty();
    output::print(|out| {
        if format.is_json() {
            serde_json::to_writer_pretty(&mut *out, &Differences { schema_version: 1, differences })?;
            return writeln!(out);
        }
        differences.iter().try_for_each(|difference| writeln!(out, "{difference}"))
    })?;
    Ok(if found { ExitCode::from(DIFFERENT) } else { ExitCode::SUCCESS })
}
