//! `waste`.

mod dive;

use std::{path::PathBuf, process::ExitCode};

use clap::{Args, ValueEnum};
use ocicle::image::waste::{self, dive::DiveNumbers};

use self::dive::{Gate, Rules};
use crate::{
    args::{Format, size::Threshold},
    context::Context,
    failure::{Failure, unless_different},
    stream,
};

/// List the bytes of an image that are stored but hidden: overwritten, removed, duplicated.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  ocicle waste images#v1\n  ocicle waste images#v1 --fail-above 5%\n  \
    ocicle waste images#v1 --metric dive --dive-ci .dive-ci")]
pub(crate) struct Waste {
    /// The image.
    #[arg(value_name = "REF")]
    reference: String,
    /// Exit with 5 if more than this is hidden: bytes, such as `20MB` or `16MiB`, or a share of the stored
    /// bytes, such as `5%`.
    #[arg(long, value_name = "SIZE|PERCENT", conflicts_with = "metric")]
    fail_above: Option<Threshold>,
    /// Count as another tool does, and apply its rules; exit with 5 if one fails.
    #[arg(long, value_enum, value_name = "TOOL")]
    metric: Option<Metric>,
    /// The rules for `--metric dive`; if the file does not exist, the defaults of dive.
    #[arg(long, value_name = "FILE", requires = "metric", default_value = ".dive-ci")]
    dive_ci: PathBuf,
    #[command(flatten)]
    format: Format,
}

/// The tool whose numbers are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Metric {
    /// dive.
    Dive,
}

impl Waste {
    pub(crate) fn run(&self, context: &Context) -> Result<ExitCode, Failure> {
        let (place, image) = context.open_image(&self.reference)?;
        if self.metric.is_some() {
            let rules = Rules::read(&self.dive_ci)?;
            let store = context.watched(&place.repository, "reading layers", Some(image.size()));
            let gate = Gate::new(DiveNumbers::new(&store, &image)?, &rules);
            context.report(&gate, &self.format)?;
            return Ok(unless_different(gate.fails()));
        }
        let found = waste::Waste::new(&context.look(&place, &image)?, &image);
        context.report(&found, &self.format)?;
        let too_much = match self.fail_above {
            None => false,
            Some(Threshold::Bytes(most)) => found.total.hidden > most,
            Some(Threshold::Percent(most)) => (1.0 - found.efficiency) * 100.0 > most,
        };
        if too_much {
            stream::message("more bytes are hidden than --fail-above allows");
        }
        Ok(unless_different(too_much))
    }
}
