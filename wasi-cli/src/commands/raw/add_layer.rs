//! `raw add-layer`.

use std::{
    fs::File,
    io::{self, Read},
    path::PathBuf,
    process::ExitCode,
};

use clap::Args;
use ocicle::{
    image::{Image, edit::append_layer},
    layer::import::{Recompress, import_layer},
    spec::Compression,
};

use crate::{
    args::{Compress, Edit, HistoryArgs, Target},
    context::Context,
    dry_run::{Lines, dry_run},
    failure::Failure,
    system::Input,
};

/// Add a tar archive to an image as a layer.
#[derive(Debug, Default, Args)]
#[command(after_help = "Examples:\n  ocicle raw add-layer images#v1 layer.tar --tag v2\n  \
    tar -C app --numeric-owner -c . | ocicle raw add-layer images#v1 -")]
pub(crate) struct AddLayer {
    /// The image.
    #[arg(value_name = "REF")]
    pub(crate) reference: String,
    /// The tar archive, uncompressed or compressed with gzip or zstd; `-` for standard input.
    pub(crate) archive: PathBuf,
    #[command(flatten)]
    pub(crate) result: Target,
    /// Compression of the new layer; `auto` keeps a compressed archive as it is.
    #[arg(long, value_enum, default_value_t, value_name = "HOW")]
    pub(crate) compress: Compress,
    #[command(flatten)]
    pub(crate) edit: Edit,
    #[command(flatten)]
    pub(crate) history: HistoryArgs,
}

impl AddLayer {
    pub(crate) fn run(&self, context: &Context) -> Result<ExitCode, Failure> {
        let (place, base) = context.open_image_to_edit(&self.reference, &self.edit)?;
        let how = self.recompress(&base);
        let history = self.history.entry_by("raw add-layer", base.config.view().author.as_deref())?;
        let (mut archive, what) = self.open_archive()?;
        if self.edit.dry_run {
            let mut lines = Lines::default();
            import_layer(&dry_run(&place.repository), &mut archive, &what, how, &mut lines)?;
            context.print_lines(lines.0)?;
            return Ok(ExitCode::SUCCESS);
        }
        let store = context.watched(&place.repository, "storing", None);
        let layer = import_layer(&store, &mut archive, &what, how, &mut ())?;
        let to = self.result.destination();
        let done = place
            .edit_image(&to, |image| append_layer(&place.repository, image, &layer, history.as_ref()))?;
        context.replaced(&done.resolution.target().digest, &done.referrers, &to)?;
        Ok(ExitCode::SUCCESS)
    }

    fn recompress(&self, base: &Image) -> Recompress {
        match self.compress {
            Compress::Auto => Recompress::IfPlain(match self.compress.for_layer_of(base) {
                Compression::None => Compression::Gzip,
                last => last,
            }),
            wanted => Recompress::As(wanted.for_layer_of(base)),
        }
    }

    /// Opens the archive, and returns its name.
    fn open_archive(&self) -> Result<(Box<dyn Read>, String), Failure> {
        if self.archive.as_os_str() == "-" {
            return Ok((Box::new(Input(io::stdin())), "standard input".into()));
        }
        let what = self.archive.display().to_string();
        let file =
            File::open(&self.archive).map_err(|error| Failure::failed(format!("open {what}: {error}")))?;
        Ok((Box::new(Input(file)), what))
    }
}
