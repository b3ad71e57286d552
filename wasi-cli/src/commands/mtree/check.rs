//! `mtree check`.

use std::{
    fs::File,
    io::{self, BufRead, BufReader},
    path::PathBuf,
    process::ExitCode,
};

use clap::Args;
use ocicle::{
    fs::Readable,
    tree::mtree::{Difference, compare},
};

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
        context.report(&differences[..], &self.format)?;
        Ok(unless_different(!differences.is_empty()))
    }
}
