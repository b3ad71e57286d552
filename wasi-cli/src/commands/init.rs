//! `init`.

use std::{path::PathBuf, process::ExitCode};

use clap::Args;
use ocicle::store::layout::LayoutStore;

use crate::{context::Context, failure::Failure, place::make_dir};

/// Create an empty layout.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  ocicle init images")]
pub(crate) struct Init {
    /// The directory; it may exist, but must be empty.
    pub(crate) path: PathBuf,
}

impl Init {
    pub(crate) fn run(&self, _: &Context) -> Result<ExitCode, Failure> {
        if self.path.to_string_lossy().contains("://") {
            return Err(Failure::usage(format!("cannot create {}", self.path.display()))
                .hint("a repository of a registry is made by the first push"));
        }
        let (dir, made) = make_dir(&self.path)?;
        LayoutStore::create(dir).map_err(|error| {
            if made {
                let _ = std::fs::remove_dir(&self.path); // only if it is empty; the first error is reported
            }
            Failure::failed(format!("{}: {error}", self.path.display()))
        })?;
        Ok(ExitCode::SUCCESS)
    }
}
