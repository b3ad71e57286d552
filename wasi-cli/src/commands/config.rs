//! `config`.

mod health;

use std::process::ExitCode;

use clap::{Args, ValueEnum};
use ocicle::{
    image::config::{self, ConfigChanges, ConfigEdit, edit_config},
    spec::History,
};

use self::health::HealthArgs;
use crate::{
    args::{Edit, HistoryArgs, Target},
    context::Context,
    dry_run::dry_run,
    failure::Failure,
};

/// Change the config of an image: how to run it, labels, annotations, platform.
#[derive(Debug, Default, Args)]
#[command(after_help = "Examples:\n  ocicle config images#v1 --env LANG=C.UTF-8 --cmd /bin/sh --cmd -l\n  \
    ocicle config images#v1 --clear labels --label a=b --tag v2")]
pub(crate) struct Config {
    /// The image.
    #[arg(value_name = "REF")]
    pub(crate) reference: String,
    #[command(flatten)]
    pub(crate) result: Target,
    /// Remove all values of a kind, before others are set.
    #[arg(long, value_enum, value_name = "WHAT")]
    pub(crate) clear: Vec<Clear>,
    /// User and group, as names or numbers.
    #[arg(long, value_name = "USER[:GROUP]")]
    pub(crate) user: Option<String>,
    /// Working directory.
    #[arg(long, value_name = "PATH")]
    pub(crate) workdir: Option<String>,
    /// A word of the entry point; together they replace the old one.
    #[arg(long, value_name = "WORD", allow_hyphen_values = true)]
    pub(crate) entrypoint: Vec<String>,
    /// A word of the command; together they replace the old one.
    #[arg(long, value_name = "WORD", allow_hyphen_values = true)]
    pub(crate) cmd: Vec<String>,
    /// Set an environment variable.
    #[arg(long, value_name = "NAME=VALUE")]
    pub(crate) env: Vec<String>,
    /// Set a label.
    #[arg(long, value_name = "NAME=VALUE")]
    pub(crate) label: Vec<String>,
    /// Set an annotation of the manifest.
    #[arg(long, value_name = "NAME=VALUE")]
    pub(crate) annotation: Vec<String>,
    /// Add a port.
    #[arg(long, value_name = "PORT[/tcp|/udp]")]
    pub(crate) port: Vec<String>,
    /// Add a volume.
    #[arg(long, value_name = "PATH")]
    pub(crate) volume: Vec<String>,
    /// Signal that stops the container.
    #[arg(long, value_name = "SIGNAL")]
    pub(crate) stop_signal: Option<String>,
    /// Author of the image.
    #[arg(long, value_name = "NAME")]
    pub(crate) author: Option<String>,
    /// Date of the image (RFC 3339).
    #[arg(long, value_name = "DATE")]
    pub(crate) created: Option<String>,
    /// Operating system.
    #[arg(long, value_name = "NAME")]
    pub(crate) os: Option<String>,
    /// Version of the operating system.
    #[arg(long, value_name = "VERSION")]
    pub(crate) os_version: Option<String>,
    /// A feature of the operating system that the image requires; together they replace the old ones.
    #[arg(long, value_name = "NAME")]
    pub(crate) os_feature: Vec<String>,
    /// Architecture.
    #[arg(long, value_name = "NAME")]
    pub(crate) arch: Option<String>,
    /// Variant of the architecture.
    #[arg(long, value_name = "NAME")]
    pub(crate) variant: Option<String>,
    #[command(flatten)]
    pub(crate) edit: Edit,
    #[command(flatten)]
    pub(crate) history: HistoryArgs,
    #[command(flatten)]
    pub(crate) health: HealthArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Clear {
    Labels,
    Annotations,
    Ports,
    Env,
    Volumes,
    Cmd,
    Entrypoint,
    Healthcheck,
}

impl Config {
    pub(crate) fn run(&self, context: &Context) -> Result<ExitCode, Failure> {
        let place = context.open_to_edit(&self.reference, &self.edit)?;
        let edits = self.edits()?;
        if edits.is_empty() && self.result.tag.is_none() {
            return Err(Failure::usage("nothing to change").hint("add an option, such as --env NAME=VALUE"));
        }
        let image = place.image()?;
        let author = self.author.as_deref().or(image.config.view().author.as_deref());
        let history = self.history.entry_by("config", author)?.map(History::without_layer);
        let history = history.as_ref();
        if self.edit.dry_run {
            edit_config(&dry_run(&place.repository), &image, &edits, history)?;
            return Ok(ExitCode::SUCCESS);
        }
        let to = self.result.destination();
        let done = place.edit_image(&to, |image| edit_config(&place.repository, image, &edits, history))?;
        context.replaced(&done.resolution.target().digest, &done.referrers, &to)?;
        Ok(ExitCode::SUCCESS)
    }

    fn edits(&self) -> Result<Vec<ConfigEdit>, Failure> {
        let words = |words: &Vec<String>| (!words.is_empty()).then(|| words.clone());
        let pairs = |option: &str, texts: &[String]| {
            texts.iter().map(|text| pair(option, text)).collect::<Result<Vec<_>, _>>()
        };
        let changes = ConfigChanges {
            clear: self.clear.iter().map(|&what| what.wanted()).collect(),
            author: self.author.clone(),
            created: self.created.clone(),
            os: self.os.clone(),
            os_version: self.os_version.clone(),
            architecture: self.arch.clone(),
            variant: self.variant.clone(),
            user: self.user.clone(),
            working_dir: self.workdir.clone(),
            stop_signal: self.stop_signal.clone(),
            entrypoint: words(&self.entrypoint),
            cmd: words(&self.cmd),
            os_features: words(&self.os_feature),
            env: pairs("--env", &self.env)?,
            labels: pairs("--label", &self.label)?,
            annotations: pairs("--annotation", &self.annotation)?,
            ports: self.port.clone(),
            volumes: self.volume.clone(),
            health: self.health.changes(),
        };
        Ok(changes.edits())
    }
}

impl Clear {
    fn wanted(self) -> config::Clear {
        match self {
            Self::Labels => config::Clear::Labels,
            Self::Annotations => config::Clear::Annotations,
            Self::Ports => config::Clear::Ports,
            Self::Env => config::Clear::Env,
            Self::Volumes => config::Clear::Volumes,
            Self::Cmd => config::Clear::Cmd,
            Self::Entrypoint => config::Clear::Entrypoint,
            Self::Healthcheck => config::Clear::Healthcheck,
        }
    }
}

pub(super) fn pair(option: &str, text: &str) -> Result<(String, String), Failure> {
    match text.split_once('=') {
        Some((name, value)) => Ok((name.into(), value.into())),
        None => Err(Failure::usage(format!("{option} {text:?}: expected NAME=VALUE"))),
    }
}
