//! `diff`.

use std::{path::Path, process::ExitCode};

use clap::Args;
use ocicle::{
    bundle::Bundle,
    fs::{Dir as _, Readable},
    graph::resolve::{ResolveError, Want},
    image::{
        Image,
        compare::{DiffMode, ImageDiff, tree_of_directory},
        compare_indexes::IndexDiff,
        layers::merged,
    },
    layer::on_disk::OnDisk,
    tree::{
        Tree,
        emulated::{Defaults, Emulated},
    },
};

use crate::{
    args::Format,
    context::Context,
    failure::{Failure, unless_different},
    place::Place,
    stores::open_dir,
};

/// Compare two images, an image with a bundle or directory, or two indexes.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  ocicle diff images#v1 images#v2\n  \
    ocicle diff --semantic images#v1 other#v1\n  \
    ocicle diff images#v1 bundle")]
pub(crate) struct Diff {
    /// The image or index.
    #[arg(value_name = "REF")]
    before: String,
    /// Another image or index, a bundle, or a directory with the files of an image.
    #[arg(value_name = "REF|DIRECTORY")]
    after: String,
    /// Ignore times, dates, history and media types, which differ between builds of the same sources; print
    /// how many.
    #[arg(long)]
    semantic: bool,
    #[command(flatten)]
    format: Format,
}

impl Diff {
    pub(crate) fn run(&self, context: &Context) -> Result<ExitCode, Failure> {
        let place = context.open(&self.before)?;
        let path = Path::new(&self.after);
        let mode = if self.semantic { DiffMode::Semantic } else { DiffMode::Exact };
        let found = if path.is_dir() && !path.join("oci-layout").exists() {
            let image = place.image()?;
            let before = tree_of(context, &place, &image, &OnDisk::default())?;
            let after = tree_on_disk(context, path, (&place, &image), &before)?;
            ImageDiff::new(&before, &after, None, mode)
        } else {
            let other = context.open(&self.after)?;
            if let Some(found) = indexes(&place, &other)? {
                context.report(&found, &self.format)?;
                return Ok(unless_different(!found.is_same()));
            }
            let [image, second] = [place.image()?, other.image()?];
            let before = tree_of(context, &place, &image, &OnDisk::default())?;
            let after = tree_of(context, &other, &second, &OnDisk::default())?;
            ImageDiff::new(&before, &after, Some((&image, &second)), mode)
        };
        context.report(&found, &self.format)?;
        Ok(unless_different(!found.is_same()))
    }
}

/// Compares two indexes, unless each has one image: then those are compared.
fn indexes(before: &Place, after: &Place) -> Result<Option<IndexDiff>, Failure> {
    let resolve = |place: &Place, want| place.repository.resolve(&place.selector, want);
    let several = |place| {
        matches!(
            resolve(place, Want::Image),
            Err(ResolveError::Ambiguous { .. } | ResolveError::NotFound { .. })
        )
    };
    let (Ok(a), Ok(b)) = (resolve(before, Want::Any), resolve(after, Want::Any)) else { return Ok(None) };
    let are_indexes = a.target().media_type.is_index() && b.target().media_type.is_index();
    if !are_indexes || !(several(before) || several(after)) {
        return Ok(None);
    }
    Ok(Some(IndexDiff::new((&before.repository, a.target()), (&after.repository, b.target()))?))
}

fn tree_of(context: &Context, place: &Place, image: &Image, how: &OnDisk) -> Result<Tree, Failure> {
    let store = context.watched(&place.repository, "reading layers", Some(image.size()));
    Ok(merged(&store, image, how)?)
}

/// Returns the files of a bundle or directory, compared to `before`, the files of the image.
fn tree_on_disk(
    context: &Context,
    path: &Path,
    (place, image): (&Place, &Image),
    before: &Tree,
) -> Result<Tree, Failure> {
    let limits = &context.limits;
    let dir = Readable::new(open_dir(path)?);
    // A bundle records how its files are stored.
    let is_bundle = ["ocicle.json", "umoci.json"].iter().any(|name| path.join(name).exists());
    if is_bundle {
        let bundle = Bundle::open(&dir, limits)?;
        let how = bundle.on_disk();
        let disk = if how.is_plain() { before.clone() } else { tree_of(context, place, image, how)? };
        return Ok(tree_of_directory(before, &disk, &bundle.root()?, how, limits)?);
    }
    let support = dir.support();
    let root = Emulated::new(dir, support.effective(), Some(before), Defaults::default());
    Ok(tree_of_directory(before, before, &root, &OnDisk::default(), limits)?)
}
