//! `export`.

use std::{
    io::{self, IsTerminal as _, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::Args;
use ocicle::{
    bundle::{ExtractOptions, extract},
    image::squash::send_squashed,
    layer::{LostLists, on_disk::ToDisk, tar::TarWriter},
};

use crate::{args::Owners, context::Context, failure::Failure, output, stores::open_dir};

/// Write all files of an image as one tar archive, or into a directory.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  ocicle export images#v1 | tar -tv\n  ocicle export images#v1 rootfs.tar\n  \
        mkdir root && ocicle export --rootless images#v1 root"
)]
pub(crate) struct Export {
    /// The image.
    #[arg(value_name = "REF")]
    reference: String,
    /// The file to write; `-`, the default, for standard output. Into an existing directory, the files
    /// themselves are written.
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// The same.
    #[arg(short, long, value_name = "FILE", conflicts_with = "file")]
    output: Option<PathBuf>,
    #[command(flatten)]
    owners: Owners,
}

impl Export {
    pub(crate) fn run(&self, context: &Context) -> Result<ExitCode, Failure> {
        let (place, image) = context.open_image(&self.reference)?;
        let how = self.owners.in_archive()?;
        let store = context.watched(&place.repository, "exporting", Some(image.size()));
        let mut lost = LostLists::default();
        let write_tar = |out: &mut dyn Write| -> io::Result<()> {
            let mut tar = TarWriter::new(out);
            lost = send_squashed(&store, &image, 0, &mut ToDisk { sink: &mut tar, how: &how })?;
            tar.finish()?;
            Ok(())
        };
        let path = self.file.as_ref().or(self.output.as_ref()).map_or(Path::new("-"), PathBuf::as_path);
        if path.is_dir() {
            let options = ExtractOptions::default().on_disk(self.owners.on_disk()?);
            lost = extract(&store, &image, open_dir(path)?, &options).map_err(|failed| failed.error)?;
        } else if path != Path::new("-") {
            output::write_file(path, write_tar)?;
        } else if io::stdout().is_terminal() {
            return Err(Failure::usage("refusing to write a tar archive to a terminal")
                .hint("name a file, or redirect standard output"));
        } else {
            context.print(write_tar)?;
        }
        context.warn_of_lost(&lost);
        Ok(ExitCode::SUCCESS)
    }
}
