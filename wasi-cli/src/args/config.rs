//! What an image says about itself.

use clap::{Args as ClapArgs, ValueEnum};

use super::{Edit, HealthArgs, HistoryArgs, Target};

#[derive(Debug, ClapArgs)]
pub(crate) struct Config {
    /// The image.
    #[arg(value_name = "REF")]
    pub(crate) reference: String,
    #[command(flatten)]
    pub(crate) result: Target,
    /// Remove all values of a kind, before anything is set.
    #[arg(long, value_enum, value_name = "WHAT")]
    pub(crate) clear: Vec<Clear>,
    /// User and group: names or numbers.
    #[arg(long, value_name = "USER[:GROUP]")]
    pub(crate) user: Option<String>,
    /// Current directory.
    #[arg(long, value_name = "PATH")]
    pub(crate) workdir: Option<String>,
    /// The entry point, a word each; replaces the old one.
    #[arg(long, value_name = "WORD", allow_hyphen_values = true)]
    pub(crate) entrypoint: Vec<String>,
    /// The command, a word each; replaces the old one.
    #[arg(long, value_name = "WORD", allow_hyphen_values = true)]
    pub(crate) cmd: Vec<String>,
    /// Set a variable.
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
    /// Signal that asks the container to stop.
    #[arg(long, value_name = "SIGNAL")]
    pub(crate) stop_signal: Option<String>,
    /// Who made the image.
    #[arg(long, value_name = "NAME")]
    pub(crate) author: Option<String>,
    /// When the image was made, RFC 3339.
    #[arg(long, value_name = "DATE")]
    pub(crate) created: Option<String>,
    /// Operating system.
    #[arg(long, value_name = "NAME")]
    pub(crate) os: Option<String>,
    /// Version of the operating system.
    #[arg(long, value_name = "VERSION")]
    pub(crate) os_version: Option<String>,
    /// A feature of the operating system the image needs; replaces the old ones.
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
