//! What can be asked for. Help texts, completions and man pages come from here.

mod annotate;
mod config;
mod copy;
mod defaults;
mod health;
mod history;
mod layers;
mod look;
mod raw;
mod rebase;
pub(crate) mod size;
mod target;
mod tree;

use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};
use ocicle::{layer::on_disk::IdRange, tree::mtree::Dialect};

pub(crate) use self::{
    annotate::Annotate,
    config::{Clear, Config},
    copy::Copy,
    defaults::Defaults,
    health::HealthArgs,
    history::HistoryArgs,
    layers::LayerArgs,
    look::{Cat, Diff, Export, Find, ListFiles, Squash, Waste, Why},
    raw::{AddLayer, Raw, RawUnpack, RuntimeConfig},
    rebase::{LayersCommand, OnConflict, Rebase},
    target::{Follow, Target},
    tree::{Language, PlatformArgs, Tag, TreeCommand},
};

/// Change and inspect OCI container images: no daemon, no registry.
#[derive(Debug, Parser)]
#[command(name = "ocicle", version, max_term_width = 100, after_help = REFERENCES)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
    /// Say nothing but results and errors.
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
    /// Say what was done; twice: also which blobs are read.
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
    /// How to show the progress of long work.
    #[arg(long, global = true, value_enum, default_value_t, value_name = "HOW")]
    pub(crate) progress: Progress,
}

const REFERENCES: &str = "\
References:
  PATH                            the only image of a layout, or the one tagged `latest`
  PATH#v1                         by tag
  PATH#v1//platform=linux/arm64   somewhere below it, by platform
  PATH#digest=sha256:1f2e3d4c     by digest, or the beginning of one
  oci:PATH#…                      the same, with the kind of store

Environment:
  SOURCE_DATE_EPOCH               seconds since 1970: the time that new images and layers get

Exit codes: 0 done, 1 failed, 2 usage, 3 reference not found or ambiguous,
4 verification failed, 5 differences found.";

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum Progress {
    /// A bar, if standard error is a terminal.
    #[default]
    Auto,
    /// A line every few seconds.
    Plain,
    /// Nothing.
    None,
}

/// How to print results.
#[derive(Debug, Default, ClapArgs)]
pub(crate) struct Format {
    /// Print JSON.
    #[arg(long)]
    json: bool,
    /// How to print the result.
    #[arg(long, value_enum, default_value_t, conflicts_with = "json")]
    format: FormatName,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum FormatName {
    /// Text for people.
    #[default]
    Table,
    /// JSON for programs; `schemaVersion` tells its shape.
    Json,
    /// Fields with tabs between them, for scripts.
    Plain,
}

impl Format {
    pub(crate) fn name(&self) -> FormatName {
        if self.json { FormatName::Json } else { self.format }
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make an empty layout.
    #[command(after_help = "Example:\n  ocicle init images")]
    Init {
        /// The directory; it may exist, but must be empty.
        path: PathBuf,
    },
    /// Make an image without layers.
    #[command(after_help = "Example:\n  ocicle new images#base --platform linux/arm64")]
    New {
        /// Layout and tag.
        #[arg(value_name = "REF")]
        reference: String,
        /// Operating system and architecture; of this machine by default.
        #[arg(long, value_name = "OS/ARCH")]
        platform: Option<String>,
        #[command(flatten)]
        edit: Edit,
    },
    /// List what a store holds, or one object of it with all that is below.
    #[command(
        visible_alias = "list",
        after_help = "Examples:\n  ocicle ls images\n  ocicle ls --tree images#v1\n  ocicle ls --json images"
    )]
    Ls {
        /// The layout or archive, or an object in it.
        #[arg(value_name = "REF")]
        reference: String,
        /// Draw the tree, with what is about what.
        #[arg(long)]
        tree: bool,
        #[command(flatten)]
        format: Format,
    },
    /// Say what an image is: its config, layers and history.
    #[command(after_help = "Example:\n  ocicle stat images#v1")]
    Stat {
        /// The image.
        #[arg(value_name = "REF")]
        reference: String,
        #[command(flatten)]
        format: Format,
    },
    /// Say which object a reference stands for, and the way to it.
    #[command(after_help = "Examples:\n  ocicle resolve images#v1//platform=linux/arm64\n  \
        ocicle resolve --all images#type=manifest\n  ocicle resolve --explain images#v1//platform=linux/arm64")]
    Resolve {
        /// The object.
        #[arg(value_name = "REF")]
        reference: String,
        /// Show every place that is meant, a line each.
        #[arg(long, conflicts_with = "explain")]
        all: bool,
        /// Show what each clause leaves over, and of what.
        #[arg(long)]
        explain: bool,
        #[command(flatten)]
        format: Format,
    },
    /// Give an object one more tag; make one index of several images, or a tag for each image of an index.
    #[command(after_help = "Examples:\n  ocicle tag images#v1 latest\n  \
        ocicle tag images#v1//platform=linux/arm64 v1-arm64 --only\n  \
        ocicle tag --merge images#v1-amd64 other#v1-arm64 v1\n  ocicle tag --split images#v1")]
    Tag(Tag),
    /// Say what an image runs on, in the index it is in.
    #[command(after_help = "Examples:\n  ocicle platform images#v1//pos=1 linux/arm/v7\n  \
        ocicle platform images#v1 --from-config\n  ocicle platform images#v1 linux/arm64 --config")]
    Platform(PlatformArgs),
    /// Describe a tree of indexes, or make one from a description.
    #[command(
        subcommand,
        after_help = "Examples:\n  ocicle tree export --deep images#v1 > v1.toml\n  ocicle tree apply --dry-run v1.toml images"
    )]
    Tree(TreeCommand),
    /// Remove a tag; blobs stay until `gc`.
    #[command(visible_alias = "untag", after_help = "Example:\n  ocicle rm images#v1")]
    Rm {
        /// Layout and tag.
        #[arg(value_name = "REF")]
        reference: String,
        #[command(flatten)]
        edit: Edit,
    },
    /// Copy images from one store to another: directories and archives.
    #[command(
        after_help = "Examples:\n  ocicle copy images#v1 oci-archive:v1.tar\n  ocicle copy docker-archive:saved.tar oci:images\n  \
        ocicle copy images#v1//platform=linux/arm64 docker-archive:arm.tar#example/app:1"
    )]
    Copy(Copy),
    /// Remove the blobs that nothing leads to.
    #[command(after_help = "Example:\n  ocicle gc --dry-run images\n\n\
        Waits for edits of ocicle that are at work. Let no other program write to the layout meanwhile.")]
    Gc {
        /// The layout.
        #[arg(value_name = "STORE")]
        reference: String,
        #[command(flatten)]
        format: Format,
        #[command(flatten)]
        edit: Edit,
    },
    /// Unpack an image into a bundle that a runtime can start.
    #[command(
        after_help = "Examples:\n  ocicle unpack images#v1 bundle && runc run --bundle bundle test\n  \
        ocicle unpack --rootless images#v1 bundle\n  \
        mount -t overlay overlay -o \"$(ocicle unpack --format overlayfs images#v1 bundle)\" bundle/rootfs\n  \
        ocicle unpack --restore bundle"
    )]
    Unpack {
        /// The image.
        #[arg(value_name = "REF", required_unless_present = "restore")]
        reference: Option<String>,
        /// The bundle: a directory, made if it is not there.
        #[arg(required_unless_present = "restore")]
        bundle: Option<PathBuf>,
        /// Instead, give the files of a bundle that was unpacked in a sandbox the owners, modes, attributes, devices and links
        /// that it could not hold.
        #[arg(
            long,
            value_name = "BUNDLE",
            conflicts_with_all = ["reference", "bundle", "format", "userxattr", "start_from", "keep_dirlinks"]
        )]
        restore: Option<PathBuf>,
        /// How the bundle is laid out, and who shall be able to repack it.
        #[arg(long, visible_alias = "bundle-format", value_enum, default_value_t, value_name = "NAME")]
        format: BundleFormat,
        /// Have overlayfs keep its marks in `user.overlay.`, as a mount in a user namespace needs it.
        #[arg(long)]
        userxattr: bool,
        #[command(flatten)]
        owners: Owners,
        #[command(flatten)]
        layers: LayerArgs,
        #[command(flatten)]
        defaults: Defaults,
    },
    /// Make what changed in a bundle a new layer of its image.
    #[command(after_help = "Examples:\n  ocicle repack bundle images#v2\n  \
        ocicle repack --compress zstd bundle images")]
    Repack(Repack),
    /// Change what an image says about itself: how to run it, labels, annotations, platform.
    #[command(
        after_help = "Examples:\n  ocicle config images#v1 --env LANG=C.UTF-8 --cmd /bin/sh --cmd -l\n  \
        ocicle config images#v1 --clear labels --label a=b --tag v2"
    )]
    Config(Box<Config>),
    /// Set and remove annotations of an image or index, or of the entry that leads to it.
    #[command(
        after_help = "Examples:\n  ocicle annotate images#v1 org.opencontainers.image.title='A title'\n  \
        ocicle annotate --descriptor images#v1//platform=linux/arm64 example.note=x --remove example.old"
    )]
    Annotate(Annotate),
    /// Put a file or directory into an image, or hide one, as a new layer.
    #[command(after_help = "Examples:\n  ocicle insert images#v1 app /opt/app\n  \
        ocicle insert images#v1 --opaque public /srv/www --tag v2\n  ocicle insert images#v1 --whiteout /etc/motd")]
    Insert(Insert),
    /// List the files of an image, with the layer each is from.
    #[command(after_help = "Examples:\n  ocicle files images#v1 /etc\n  ocicle files --layer 3 images#v1")]
    Files(ListFiles),
    /// Print a file of an image.
    #[command(after_help = "Example:\n  ocicle cat images#v1 /etc/os-release")]
    Cat(Cat),
    /// Say what each layer did to a path.
    #[command(after_help = "Example:\n  ocicle why images#v1 /usr/bin/perl")]
    Why(Why),
    /// Compare two images, or an image with a bundle or directory.
    #[command(
        after_help = "Examples:\n  ocicle diff images#v1 images#v2\n  ocicle diff --semantic images#v1 other#v1\n  \
        ocicle diff images#v1 bundle"
    )]
    Diff(Diff),
    /// Find files in all layers, also those that a later layer hides. All that is asked must hold.
    #[command(
        after_help = "Examples:\n  ocicle find images#v1 --secret\n  ocicle find images#v1 --name '*.pyc' --larger 1MB"
    )]
    Find(Find),
    /// Say which bytes of an image nobody sees: overwritten, removed, there twice.
    #[command(
        after_help = "Examples:\n  ocicle waste images#v1\n  ocicle waste images#v1 --fail-above 5%\n  \
        ocicle waste images#v1 --metric dive --dive-ci .dive-ci"
    )]
    Waste(Waste),
    /// Write all files of an image as one tar, or into a directory.
    #[command(
        after_help = "Examples:\n  ocicle export images#v1 | tar -tv\n  ocicle export images#v1 rootfs.tar"
    )]
    Export(Export),
    /// Make one layer of several.
    #[command(after_help = "Examples:\n  ocicle squash images#v1 --tag v1-flat\n  \
        ocicle squash images#v1 --from sha256:1f2e3d4c")]
    Squash(Box<Squash>),
    /// Put the layers of an image onto another base.
    #[command(after_help = "Examples:\n  ocicle rebase app#v1 --onto debian#12.2 --old-base debian#12.1\n  \
        ocicle rebase app#v1 --onto debian#12.2 --tag v2\n\n\
        Blobs stay as they are. A path that both the new base and the upper layers change is a conflict.")]
    Rebase(Box<Rebase>),
    /// Leave out layers, or change their order, where that is safe.
    #[command(
        subcommand,
        after_help = "Examples:\n  ocicle layers drop images#v1 2\n  ocicle layers reorder images#v1 2 1 3"
    )]
    Layers(LayersCommand),
    /// Print the manifest of an image's files, straight from its layers, as mtree(5).
    #[command(
        args_conflicts_with_subcommands = true,
        subcommand_negates_reqs = true,
        after_help = "Examples:\n  ocicle mtree images#v1\n  ocicle mtree --dialect bsd images#v1 | mtree -p bundle/rootfs\n  \
            ocicle mtree check bundle/rootfs.mtree bundle/rootfs"
    )]
    Mtree {
        /// The image.
        #[arg(value_name = "REF", required = true)]
        reference: Option<String>,
        /// Whose flavour of the format.
        #[arg(long, value_name = "NAME", default_value_t = Dialect::Native,
            value_parser = PossibleValuesParser::new(Dialect::ALL.map(Dialect::name)).try_map(|name| name.parse::<Dialect>()))]
        dialect: Dialect,
        #[command(flatten)]
        owners: Owners,
        #[command(subcommand)]
        command: Option<Mtree>,
    },
    /// Single steps of the other commands.
    #[command(subcommand)]
    Raw(Raw),
    /// Verify everything a layout holds: documents, blobs, layers.
    #[command(after_help = "Example:\n  ocicle check images")]
    Check {
        /// The layout.
        #[arg(value_name = "STORE")]
        reference: String,
        #[command(flatten)]
        format: Format,
    },
    /// Answer to umoci's command line.
    #[command(
        disable_help_flag = true,
        after_help = "Example:\n  ocicle umoci unpack --image images:v1 bundle\n\n\
            A link of the name umoci to this program does the same."
    )]
    Umoci {
        /// What would stand after `umoci`.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        words: Vec<String>,
    },
    /// Print a script that completes this command's arguments in a shell.
    #[command(after_help = "Example:\n  ocicle completions bash > /etc/bash_completion.d/ocicle")]
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// Print a manual page, in the language of man(7).
    #[command(after_help = "Example:\n  ocicle man repack | man -l -")]
    Man {
        /// The command it is about, such as `raw unpack`; of ocicle itself by default.
        command: Vec<String>,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum BundleFormat {
    /// ocicle, which then need not read what has not changed.
    #[default]
    Native,
    /// umoci and ocicle.
    Umoci,
    /// ocicle, with a directory for each layer, for overlayfs: prints the options to mount them with.
    Overlayfs,
}

/// How files of an image lie on a disk of this machine.
#[derive(Debug, ClapArgs)]
pub(crate) struct Owners {
    /// Users of the image are those of the host: `0:100000:65536` makes 0 to 65535 of the image 100000 and up.
    #[arg(long, value_name = "IMAGE:HOST[:COUNT]")]
    pub(crate) uid_map: Vec<IdRange>,
    /// The same for groups.
    #[arg(long, value_name = "IMAGE:HOST[:COUNT]")]
    pub(crate) gid_map: Vec<IdRange>,
    /// Work as an ordinary user: all files are that user's; what they should be is recorded in extended attributes.
    #[arg(long)]
    pub(crate) rootless: bool,
}

/// What every command that edits can do.
#[derive(Debug, ClapArgs)]
pub(crate) struct Edit {
    /// Say what would be done, and change nothing.
    #[arg(short = 'n', long)]
    pub(crate) dry_run: bool,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Repack {
    /// The bundle.
    pub(crate) bundle: PathBuf,
    /// Layout and tag for the result; without a tag, the one the bundle was unpacked from. Anything more specific than a tag is
    /// changed in place.
    #[arg(value_name = "REF")]
    pub(crate) reference: String,
    /// Compression of the new layer.
    #[arg(long, value_enum, default_value_t, value_name = "HOW")]
    pub(crate) compress: Compress,
    /// Read every file, instead of trusting what the system says about unchanged ones.
    #[arg(long)]
    pub(crate) verify: bool,
    /// Leave out what changed at or below this path of the image.
    #[arg(long, value_name = "PATH")]
    pub(crate) mask_path: Vec<String>,
    /// Keep what changed in the volumes of the image; it is left out otherwise.
    #[arg(long)]
    pub(crate) no_mask_volumes: bool,
    /// Make the bundle remember the new image, so that the next repack adds to that.
    #[arg(long)]
    pub(crate) refresh_bundle: bool,
    #[command(flatten)]
    pub(crate) defaults: Defaults,
    #[command(flatten)]
    pub(crate) follow: Follow,
    #[command(flatten)]
    pub(crate) edit: Edit,
    #[command(flatten)]
    pub(crate) history: HistoryArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum Compress {
    /// As the image's last layer.
    #[default]
    Auto,
    /// A plain tar.
    None,
    /// gzip.
    Gzip,
    /// zstd.
    Zstd,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Insert {
    /// The image.
    #[arg(value_name = "REF")]
    pub(crate) reference: String,
    /// What to put in: a directory with all that is in it, or a file, link or device as it is.
    #[arg(required_unless_present = "whiteout", conflicts_with = "whiteout")]
    pub(crate) source: Option<PathBuf>,
    /// Where in the image.
    #[arg(required_unless_present = "whiteout")]
    pub(crate) target: Option<String>,
    /// Hide this path of the image instead.
    #[arg(long, value_name = "PATH")]
    pub(crate) whiteout: Option<String>,
    /// Hide what the image has in the target directory already.
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

#[derive(Debug, Subcommand)]
pub(crate) enum Mtree {
    /// Compare a directory with a manifest: one line for each difference.
    #[command(after_help = "Example:\n  ocicle mtree check bundle/rootfs.mtree bundle/rootfs")]
    Check {
        /// The manifest, in any dialect; `-` for standard input.
        manifest: PathBuf,
        /// The directory.
        directory: PathBuf,
        #[command(flatten)]
        format: Format,
    },
}
