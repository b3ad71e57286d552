//! `raw runtime-config`.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::Args;
use ocicle::{
    bundle::{RuntimeOptions, Users, Volumes, runtime_config},
    fs::Readable,
    image::Image,
    name::EntryPath,
    text::printable,
};

use crate::{args::Owners, context::Context, failure::Failure, output, stores::open_dir};

/// Write the config.json from which a runtime starts an image.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  ocicle raw runtime-config images#v1 bundle/config.json \
    --rootfs bundle/rootfs\n  \
    ocicle raw runtime-config images#v1 -")]
pub(crate) struct RuntimeConfig {
    /// The image.
    #[arg(value_name = "REF")]
    pub(crate) reference: String,
    /// The file to write; `-` for standard output.
    pub(crate) file: PathBuf,
    /// The unpacked root file system: user names are looked up in it, and its name is the root in the config.
    /// Without it, only root and numeric users can be resolved, and volumes belong to root.
    #[arg(long, value_name = "DIR")]
    pub(crate) rootfs: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) owners: Owners,
}

impl RuntimeConfig {
    pub(crate) fn run(&self, context: &Context) -> Result<ExitCode, Failure> {
        let (_, image) = context.open_image(&self.reference)?;
        let dir = self.rootfs.as_deref().map(open_dir).transpose()?.map(Readable::new);
        let (config, how) = (image.config.view(), self.owners.on_disk()?);
        let (users, volumes) = match &dir {
            Some(root) => {
                (Users::read(root, &context.limits)?, Volumes::read(config, root, &how, &context.limits)?)
            }
            None => (Users::default(), Volumes::unknown(config)?),
        };
        let root = match self.rootfs.as_deref().map(Path::file_name) {
            None => "rootfs".into(),
            Some(None) => ".".into(),
            Some(Some(name)) => name.to_string_lossy(),
        };
        let options = RuntimeOptions::default()
            .root(root)
            .on_disk(how)
            .resolv_conf(Path::new("/etc/resolv.conf").exists());
        let made = runtime_config(config, &users, &volumes, &options)?;
        if !made.user_known {
            warn_of_root(context, &image);
        }
        warn_of_unmounted(context, &made.unmounted);
        if self.file.as_os_str() == "-" {
            context.print(|out| out.write_all(&made.text))?;
        } else {
            output::write_file(&self.file, |out| out.write_all(&made.text))?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// Warns that a `config.json` does not run as the user of the image.
pub(in crate::commands) fn warn_of_root(context: &Context, image: &Image) {
    let run = image.config.view().config.as_ref();
    let user = printable(run.and_then(|run| run.user.as_deref()).unwrap_or_default());
    context.warn(format_args!("cannot resolve the image's user {user}: config.json runs as root"));
}

/// Warns of volumes that a `config.json` does not mount.
pub(in crate::commands) fn warn_of_unmounted(context: &Context, volumes: &[EntryPath]) {
    for path in volumes {
        let path = printable(&path.to_string());
        context
            .warn(format_args!("cannot mount volume /{path}: not a directory below the root of the image"));
    }
}
