//! `insert`.

use std::{
    io,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::Args;
use ocicle::{
    Error,
    fs::{Dir as _, Readable},
    image::{
        edit::append_layer,
        insert::{LowerContent, send_directory},
    },
    layer::{Change, ChangeSink, clamp::Clamp, on_disk::FromDisk, writer::LayerWriter},
    limits::Limits,
    name::{EntryPath, Name},
    tree::{diff::send_entry, emulated::Emulated},
};

use crate::{
    args::{Compress, Defaults, Edit, HistoryArgs, Owners, Target, WithDefaults},
    clock,
    context::Context,
    dry_run::Lines,
    failure::Failure,
    place::path_in_image,
    stores::open_dir,
    system::SystemDir,
};

/// Add a file or directory to an image, or remove one, as a new layer.
#[derive(Debug, Default, Args)]
#[command(after_help = "Examples:\n  ocicle insert images#v1 app /opt/app\n  \
    ocicle insert images#v1 --opaque public /srv/www --tag v2\n  \
    ocicle insert images#v1 --whiteout /etc/motd")]
pub(crate) struct Insert {
    /// The image.
    #[arg(value_name = "REF")]
    pub(crate) reference: String,
    /// A directory with its contents, or a file, link or device.
    #[arg(required_unless_present = "whiteout", conflicts_with = "whiteout")]
    pub(crate) source: Option<PathBuf>,
    /// The path in the image; of the directory for the file, if it ends with a slash.
    #[arg(required_unless_present = "whiteout")]
    pub(crate) target: Option<String>,
    /// Remove this path of the image instead.
    #[arg(long, value_name = "PATH")]
    pub(crate) whiteout: Option<String>,
    /// Hide the existing contents of the target directory.
    #[arg(long, conflicts_with = "whiteout")]
    pub(crate) opaque: bool,
    #[command(flatten)]
    pub(crate) result: Target,
    /// Compression of the new layer.
    #[arg(long, value_enum, default_value_t, value_name = "HOW")]
    pub(crate) compress: Compress,
    #[command(flatten)]
    pub(crate) owners: Owners,
    #[command(flatten)]
    pub(crate) defaults: Defaults,
    #[command(flatten)]
    pub(crate) edit: Edit,
    #[command(flatten)]
    pub(crate) history: HistoryArgs,
}

impl Insert {
    pub(crate) fn run(&self, context: &Context) -> Result<ExitCode, Failure> {
        let (place, base) = context.open_image_to_edit(&self.reference, &self.edit)?;
        if self.edit.dry_run {
            let mut lines = Lines::default();
            self.send(context, &mut lines)?;
            context.print_lines(lines.0)?;
            return Ok(ExitCode::SUCCESS);
        }
        let history = self.history.entry("insert")?;
        let compression = self.compress.for_layer_of(&base);
        let store = context.watched(&place.repository, "inserting", None);
        let mut writer = LayerWriter::new(&store, compression)?;
        match clock::source_date()? {
            Some(latest) => self.send(context, &mut Clamp { sink: &mut writer, latest })?,
            None => self.send(context, &mut writer)?,
        }
        let layer = writer.finish()?;
        let to = self.result.destination();
        let done = place
            .edit_image(&to, |image| append_layer(&place.repository, image, &layer, history.as_ref()))?;
        context.replaced(&done.resolution.target().digest, &done.referrers, &to)?;
        Ok(ExitCode::SUCCESS)
    }

    fn send(&self, context: &Context, sink: &mut dyn ChangeSink) -> Result<(), Failure> {
        let limits = &context.limits;
        let how = self.owners.on_disk()?;
        let mut given = WithDefaults { sink, defaults: self.defaults.get() };
        let sink: &mut dyn ChangeSink = match self.defaults.are_given() {
            true => &mut given,
            false => given.sink,
        };
        let sink = &mut FromDisk { sink, how: &how };
        if let Some(path) = &self.whiteout {
            return Ok(sink.put(&Change::Remove(path_in_image(path, limits)?), &mut io::empty())?);
        }
        let (Some(source), Some(target)) = (&self.source, &self.target) else {
            return Err(Failure::usage("expected a source and a target"));
        };
        let into = target.ends_with('/');
        let target = path_in_image(target, limits)?;
        let failed = |error: io::Error| Failure::failed(format!("{}: {error}", source.display()));
        if std::fs::symlink_metadata(source).map_err(failed)?.is_dir() {
            let dir = self.source_dir(source)?;
            let lower = if self.opaque { LowerContent::Hide } else { LowerContent::Keep };
            let found = send_directory(&dir, &target, lower, limits, sink)
                .map_err(|error| of_source(source, error))?;
            for path in &found.sockets {
                let path = source.join(path.to_string());
                context.warn(format_args!("skipping socket {}: a layer cannot hold sockets", path.display()));
            }
            return Ok(());
        }
        match into {
            true => self.send_file(source, &target.join(file_name(source)?), sink, limits),
            false => self.send_file(source, &target, sink, limits),
        }
    }

    /// Opens the source, also if its mode keeps its owner out.
    fn source_dir(&self, source: &Path) -> Result<Emulated<'static, Readable<SystemDir>>, Failure> {
        let Ok(name) = file_name(source) else { return seeing(open_readable(source)?, &self.defaults) };
        let dir = open_readable(above(source))?.open_dir(name);
        seeing(
            dir.map_err(|error| Failure::failed(format!("{}: {error}", source.display())))?,
            &self.defaults,
        )
    }

    /// Sends a file, link or device.
    fn send_file(
        &self,
        source: &Path,
        target: &EntryPath,
        sink: &mut dyn ChangeSink,
        limits: &Limits,
    ) -> Result<(), Failure> {
        let shown = source.display();
        if self.opaque {
            return Err(Failure::usage(format!("--opaque requires a directory: {shown}")));
        }
        if target.is_root() {
            return Err(Failure::usage("cannot replace the root of an image with a file"));
        }
        let name = file_name(source)?;
        let dir = seeing(open_readable(above(source))?, &self.defaults)?;
        Ok(send_entry(&dir, name, target, limits, sink).map_err(|error| of_source(source, error))?)
    }
}

fn file_name(path: &Path) -> Result<Name<'_>, Failure> {
    let shown = path.display();
    let name = path.file_name().ok_or_else(|| Failure::usage(format!("not a file name: {shown}")))?;
    Name::new(name.as_encoded_bytes()).map_err(|error| Failure::usage(format!("{shown}: {error}")))
}

/// Adds the path of the source to an error.
fn of_source(path: &Path, error: Error) -> Error {
    match error {
        Error::Io { doing, source } => Error::Io { doing: format!("{}: {doing}", path.display()), source },
        other => other,
    }
}

/// Returns the directory of a file.
fn above(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn open_readable(path: &Path) -> Result<Readable<SystemDir>, Failure> {
    open_dir(path).map(Readable::new)
}

/// Returns a directory with default owners and modes where the file system stores none.
fn seeing(
    dir: Readable<SystemDir>,
    defaults: &Defaults,
) -> Result<Emulated<'static, Readable<SystemDir>>, Failure> {
    let support = dir.support();
    Ok(Emulated::new(dir, support.effective(), None, defaults.get()))
}
