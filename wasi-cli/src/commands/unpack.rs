//! `unpack`.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{Args, ValueEnum};
use ocicle::{
    Error,
    bundle::{self, Bundle, Format, MOUNT_OPTIONS_MAX, UnpackOptions, mount_options},
    graph::resolve::Want,
    layer::overlayfs::Namespace,
};

use super::raw::runtime_config::{warn_of_root, warn_of_unmounted};
use crate::{
    args::{Defaults, LayerArgs, Owners},
    context::Context,
    failure::Failure,
    place::make_private_dir,
    stores::open_dir,
};

/// Unpack an image into a bundle that a runtime can start.
#[derive(Debug, Default, Args)]
#[command(after_help = "Examples:\n  ocicle unpack images#v1 bundle && runc run --bundle bundle test\n  \
    ocicle unpack --rootless images#v1 bundle\n  \
    mount -t overlay overlay -o \"$(ocicle unpack --format overlayfs images#v1 bundle)\" bundle/rootfs\n  \
    ocicle unpack --restore bundle")]
pub(crate) struct Unpack {
    /// The image.
    #[arg(value_name = "REF", required_unless_present = "restore")]
    pub(crate) reference: Option<String>,
    /// The bundle: a directory, created if it does not exist.
    #[arg(required_unless_present = "restore")]
    pub(crate) bundle: Option<PathBuf>,
    /// Restore the owners, modes, attributes, devices and links that a sandbox could not store when it
    /// unpacked this bundle.
    #[arg(
        long,
        value_name = "BUNDLE",
        conflicts_with_all = ["reference", "bundle", "format", "userxattr", "start_from", "keep_dirlinks"]
    )]
    pub(crate) restore: Option<PathBuf>,
    /// The format of the bundle, which determines the tools that can repack it.
    #[arg(long, visible_alias = "bundle-format", value_enum, default_value_t, value_name = "NAME")]
    pub(crate) format: BundleFormat,
    /// Use the attributes `user.overlay.*` of overlayfs, as a mount in a user namespace requires.
    #[arg(long)]
    pub(crate) userxattr: bool,
    #[command(flatten)]
    pub(crate) owners: Owners,
    #[command(flatten)]
    pub(crate) layers: LayerArgs,
    #[command(flatten)]
    pub(crate) defaults: Defaults,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum BundleFormat {
    /// For ocicle, which does not read unchanged files again.
    #[default]
    Native,
    /// For umoci and ocicle.
    Umoci,
    /// For ocicle, with one directory per layer, for overlayfs; prints the mount options.
    Overlayfs,
}

impl Unpack {
    pub(crate) fn run(&self, context: &Context) -> Result<ExitCode, Failure> {
        match (&self.restore, &self.reference, &self.bundle) {
            (Some(bundle), ..) => self.restore(context, bundle)?,
            (None, Some(reference), Some(bundle)) => self.unpack(context, reference, bundle)?,
            _ => return Err(Failure::usage("expected an image and a bundle")),
        }
        Ok(ExitCode::SUCCESS)
    }

    fn unpack(&self, context: &Context, reference: &str, bundle: &Path) -> Result<(), Failure> {
        let format = self.wanted_format()?;
        let on_disk = self.owners.on_disk()?;
        let place = context.open(reference)?;
        let resolution = place.resolve(Want::Image)?;
        let image = place.image_at(&resolution)?;
        let layers = self.layers.options(on_disk, &image)?;
        let options = UnpackOptions::default()
            .format(format)
            .extract(layers)
            .resolv_conf(Path::new("/etc/resolv.conf").exists());
        let (dir, made) = make_private_dir(bundle)?;
        let store = context.watched(&place.repository, "unpacking", Some(image.size()));
        let result = bundle::unpack(&store, &image, &resolution, &dir, &options);
        if result.is_err() && made {
            let _ = std::fs::remove_dir(bundle); // only if it is empty; the first error is reported
        }
        let unpacked = result.map_err(|error| match error {
            Error::Exists(_) => Failure::failed(format!("{}: {error}", bundle.display())),
            other => other.into(),
        })?;
        if !unpacked.user_known {
            warn_of_root(context, &image);
        }
        warn_of_unmounted(context, &unpacked.unmounted);
        context.warn_of_lost(unpacked.tree.lost_lists());
        let (digest, files) = (&image.descriptor.digest, unpacked.tree.len());
        context.detail(format_args!("unpacked {digest} with {files} files into {}", bundle.display()));
        match format {
            Format::Overlayfs(namespace) => {
                let whole = std::path::absolute(bundle)
                    .map_err(|error| Failure::failed(format!("{}: {error}", bundle.display())))?;
                let path = whole.as_os_str().as_encoded_bytes();
                let mut options = mount_options(path, unpacked.layers, namespace);
                if options.len() > MOUNT_OPTIONS_MAX {
                    options = mount_options(b"", unpacked.layers, namespace);
                    context.warn(match options.len() {
                        ..=MOUNT_OPTIONS_MAX => format!(
                            "the mount options are relative, since the kernel takes {MOUNT_OPTIONS_MAX} bytes\n\
                             hint: mount from inside the bundle: cd {}",
                            bundle.display()
                        ),
                        length => format!(
                            "the mount options have {length} bytes, and the kernel takes {MOUNT_OPTIONS_MAX}\n\
                             hint: `ocicle squash` makes an image with fewer layers"
                        ),
                    });
                }
                context.print(|out| [&options[..], b"\n"].iter().try_for_each(|part| out.write_all(part)))
            }
            _ => Ok(()),
        }
    }

    /// Restores what the file system could not store when the bundle was unpacked.
    fn restore(&self, context: &Context, bundle: &Path) -> Result<(), Failure> {
        let failed = |error: Error| Failure::failed(format!("bundle {}: {error}", bundle.display()));
        let how = self.owners.on_disk()?;
        let dir = open_dir(bundle)?;
        let opened = Bundle::open(&dir, &context.limits).map_err(failed)?;
        let count = opened.with_defaults(self.defaults.get()).restore(&how).map_err(failed)?;
        context.detail(format_args!("restored {count} entries of {}", bundle.display()));
        Ok(())
    }

    fn wanted_format(&self) -> Result<Format, Failure> {
        match (self.format, self.userxattr) {
            (BundleFormat::Native, false) => Ok(Format::Native),
            (BundleFormat::Umoci, false) => Ok(Format::Umoci),
            (BundleFormat::Overlayfs, false) => Ok(Format::Overlayfs(Namespace::Trusted)),
            (BundleFormat::Overlayfs, true) => Ok(Format::Overlayfs(Namespace::User)),
            (_, true) => Err(Failure::usage("--userxattr requires --format overlayfs")),
        }
    }
}
