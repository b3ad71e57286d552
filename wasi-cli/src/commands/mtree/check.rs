//! `mtree check`.

use std::{
    fmt,
    fs::File,
    io::{self, BufRead, BufReader},
    path::PathBuf,
    process::ExitCode,
};

use clap::Args;
use ocicle::{
    fs::Readable,
    text::Report,
    tree::mtree::{Difference, compare},
};
use serde::Serialize;

use crate::{
    args::Format,
    context::Context,
    failure::{Failure, unless_different},
    stores::open_dir,
};

/// Compare a directory with an mtree manifest, and print one line per difference.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  ocicle mtree check bundle/rootfs.mtree bundle/rootfs")]
pub(super) struct Check {
    /// The mtree manifest, in any dialect; `-` for standard input.
    manifest: PathBuf,
    /// The directory.
    directory: PathBuf,
    #[command(flatten)]
    format: Format,
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

impl Check {
    pub(super) fn run(&self, context: &Context) -> Result<ExitCode, Failure> {
        let root = Readable::new(open_dir(&self.directory)?);
        let mut input: Box<dyn BufRead> = if self.manifest.as_os_str() == "-" {
            Box::new(io::stdin().lock())
        } else {
            let file = File::open(&self.manifest)
                .map_err(|error| Failure::failed(format!("open {}: {error}", self.manifest.display())))?;
            Box::new(BufReader::with_capacity(64 << 10, file))
        };
        let mut differences = Vec::new();
        compare(&mut input, &root, &context.limits, &mut |difference| {
            match difference {
                Difference::Unchecked { .. } => context.warn(difference),
                difference => differences.push(difference),
            }
            Ok(())
        })?;
        let found = Differences { schema_version: 1, differences };
        context.report(&found, &self.format)?;
        Ok(unless_different(!found.differences.is_empty()))
    }
}
