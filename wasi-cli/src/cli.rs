//! The list of commands and the global options. Help, completions and man pages are made from it.

use std::{path::PathBuf, process::ExitCode};

use clap::{CommandFactory as _, Parser, Subcommand};

use crate::{
    args::Limit,
    commands::{
        Annotate, Attach, Cat, Check, Completions, Config, Copy, Diff, Discover, Export, Files, Find, Gc,
        Init, Insert, Layers, Login, Logout, Ls, Man, Mtree, New, Platform, Pull, Raw, Rebase, Recompress,
        Repack, Resolve, Rm, Squash, Stat, Tag, Tree, Unpack, Waste, Why,
    },
    context::{Context, Verbosity},
    failure::Failure,
    net::Settings,
    progress::Progress,
    umoci::Umoci,
};

/// Change and inspect OCI container images, without a daemon or a registry.
#[derive(Debug, Parser)]
#[command(name = "ocicle", version, max_term_width = 100, after_help = REFERENCES)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
    /// Print nothing but results and errors.
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    quiet: bool,
    /// Print what was done; given twice, also each blob that is read.
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    verbose: u8,
    /// The form of progress reports for long operations.
    #[arg(long, global = true, value_enum, default_value_t, value_name = "HOW")]
    progress: Progress,
    /// Change a limit on what images may make this command hold or do, such as `ratio=5000` or
    /// `layer_size=4TiB`; may be repeated.
    #[arg(long = "limit", global = true, value_name = "NAME=VALUE")]
    limits: Vec<Limit>,
    /// Also read blobs of layouts from this directory, as `DIR/sha256/…`, and follow links that lead into it.
    #[arg(long, global = true, value_name = "DIR")]
    shared_blob_dir: Option<PathBuf>,
    #[command(flatten)]
    net: Settings,
}

const REFERENCES: &str = "\
References:
  PATH                            the only image of a layout, or the one tagged `latest`
  PATH#v1                         by tag
  PATH#v1//platform=linux/arm64   below that tag, at any depth, by platform
  PATH#digest=sha256:1f2e3d4c     by digest, or a prefix of one
  oci:PATH#…                      the same, with the kind of store: oci, oci-archive, docker-archive
  docker://HOST/REPOSITORY:v1     in a registry; `//platform=…` and `@sha256:…` as well
  https://HOST/PATH/#v1           a layout on a web server, or an archive, PATH.tar

Environment:
  SOURCE_DATE_EPOCH               seconds since 1970: the time recorded in new images and layers
  OCICLE_CACHE                    where indexes of layers are kept; no index is if it is empty
  OCICLE_BLOB_CACHE               where blobs that were fetched are kept; none are if it is not set
  OCICLE_BLOB_CACHE_SIZE          the most bytes there: 4GiB if it is not set

Exit codes: 0 done, 1 failed, 2 usage, 3 reference not found or ambiguous,
4 verification failed, 5 differences found.";

/// The commands, in the order of the help.
#[derive(Debug, Subcommand)]
enum Command {
    Init(Init),
    New(New),
    Ls(Ls),
    Stat(Stat),
    Resolve(Resolve),
    Tag(Tag),
    Platform(Platform),
    Tree(Tree),
    Rm(Rm),
    Copy(Copy),
    Attach(Attach),
    Discover(Discover),
    Pull(Pull),
    Gc(Gc),
    Unpack(Unpack),
    Repack(Repack),
    Config(Box<Config>),
    Annotate(Annotate),
    Insert(Insert),
    Files(Files),
    Cat(Cat),
    Why(Why),
    Diff(Diff),
    Find(Find),
    Waste(Waste),
    Export(Export),
    Squash(Squash),
    Recompress(Recompress),
    Rebase(Rebase),
    Layers(Layers),
    Mtree(Mtree),
    Raw(Raw),
    Check(Check),
    Login(Login),
    Logout(Logout),
    Umoci(Umoci),
    Completions(Completions),
    Man(Man),
}

impl Cli {
    /// Runs the command.
    pub(crate) fn run(&self) -> Result<ExitCode, Failure> {
        let verbosity = match (self.quiet, self.verbose) {
            (true, _) => Verbosity::Quiet,
            (false, 0) => Verbosity::Normal,
            (false, 1) => Verbosity::Verbose,
            (false, _) => Verbosity::Blobs,
        };
        let context = Context::new(Limit::apply(&self.limits), verbosity, self.progress);
        let context = context.connecting(self.net);
        self.command.run(&context.sharing(self.shared_blob_dir.clone()))
    }
}

impl Command {
    fn run(&self, context: &Context) -> Result<ExitCode, Failure> {
        match self {
            Self::Init(init) => init.run(context),
            Self::New(new) => new.run(context),
            Self::Ls(ls) => ls.run(context),
            Self::Stat(stat) => stat.run(context),
            Self::Resolve(resolve) => resolve.run(context),
            Self::Tag(tag) => tag.run(context),
            Self::Platform(platform) => platform.run(context),
            Self::Tree(tree) => tree.run(context),
            Self::Rm(rm) => rm.run(context),
            Self::Copy(copy) => copy.run(context),
            Self::Attach(attach) => attach.run(context),
            Self::Discover(discover) => discover.run(context),
            Self::Pull(pull) => pull.run(context),
            Self::Gc(gc) => gc.run(context),
            Self::Unpack(unpack) => unpack.run(context),
            Self::Repack(repack) => repack.run(context),
            Self::Config(config) => config.run(context),
            Self::Annotate(annotate) => annotate.run(context),
            Self::Insert(insert) => insert.run(context),
            Self::Files(files) => files.run(context),
            Self::Cat(cat) => cat.run(context),
            Self::Why(why) => why.run(context),
            Self::Diff(diff) => diff.run(context),
            Self::Find(find) => find.run(context),
            Self::Waste(waste) => waste.run(context),
            Self::Export(export) => export.run(context),
            Self::Squash(squash) => squash.run(context),
            Self::Recompress(recompress) => recompress.run(context),
            Self::Rebase(rebase) => rebase.run(context),
            Self::Layers(layers) => layers.run(context),
            Self::Mtree(mtree) => mtree.run(context),
            Self::Raw(raw) => raw.run(context),
            Self::Check(check) => check.run(context),
            Self::Login(login) => login.run(context),
            Self::Logout(logout) => logout.run(context),
            Self::Umoci(umoci) => Ok(umoci.run()),
            Self::Completions(completions) => completions.run(context, Cli::command()),
            Self::Man(man) => man.run(context, Cli::command()),
        }
    }
}
