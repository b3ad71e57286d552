//! `platform`.

use std::process::ExitCode;

use clap::Args;
use ocicle::{
    Error,
    digest::Digest,
    graph::{annotate::set_platform, resolve::Want, rewrite::Destination},
    image::config::{ConfigEdit, Text, edit_config},
    spec::{self, Index, Raw},
    store::RootIndexExt as _,
};

use crate::{
    args::{Edit, Target},
    context::Context,
    dry_run::dry_run,
    failure::Failure,
    place::Place,
};

/// Set the platform of an image in the index that lists it.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  ocicle platform images#v1//pos=1 linux/arm/v7\n  \
    ocicle platform images#v1 --from-config\n  ocicle platform images#v1 linux/arm64 --config")]
pub(crate) struct Platform {
    /// The image.
    #[arg(value_name = "REF")]
    reference: String,
    /// The platform, such as `linux/arm64` or `linux/arm/v7`.
    #[arg(value_name = "PLATFORM", required_unless_present = "from_config", conflicts_with = "from_config")]
    platform: Option<String>,
    /// Use the platform in the config of the image.
    #[arg(long)]
    from_config: bool,
    /// Also change the config of the image.
    #[arg(long, conflicts_with = "from_config")]
    config: bool,
    #[command(flatten)]
    result: Target,
    #[command(flatten)]
    edit: Edit,
}

impl Platform {
    pub(crate) fn run(&self, context: &Context) -> Result<ExitCode, Failure> {
        let place = context.open_to_edit(&self.reference, &self.edit)?;
        let to = self.result.destination();
        let platform: Option<spec::Platform> = match &self.platform {
            Some(text) => Some(text.parse().map_err(|error| Failure::usage(format!("{error}")))?),
            None => None,
        };
        match &platform {
            Some(platform) if self.config => self.set_in_config(context, &place, platform, &to)?,
            platform => {
                let digest = self.set(context, &place, platform.as_ref(), &to)?;
                context.print_lines([digest])?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }

    /// Sets the platform in the config, and in the index if it has one there.
    fn set_in_config(
        &self,
        context: &Context,
        place: &Place,
        platform: &spec::Platform,
        to: &Destination,
    ) -> Result<(), Failure> {
        let edits = edits(platform);
        if self.edit.dry_run {
            edit_config(&dry_run(&place.repository), &place.image()?, &edits, None)?;
            return Ok(());
        }
        let done = place.edit_image(to, |image| {
            let mut image = edit_config(&place.repository, image, &edits, None)?;
            // The entry may have had another platform.
            if image.descriptor.platform.is_some() {
                image.descriptor.platform = Some(platform.clone());
            }
            Ok(image)
        })?;
        context.replaced(&done.resolution.target().digest, &done.referrers, to)
    }

    /// Sets the platform in the index: `platform`, or else that of the config.
    fn set(
        &self,
        _context: &Context,
        place: &Place,
        platform: Option<&spec::Platform>,
        to: &Destination,
    ) -> Result<Digest, Failure> {
        let mut digest = None;
        let mut with = |root: &Raw<Index>| {
            let at = place.resolve_in(root, Want::Image)?;
            let platform = match platform {
                Some(platform) => platform.clone(),
                None => place.image_at(&at)?.config.view().platform(),
            };
            digest = Some(at.target().digest.clone());
            let repository = &place.repository;
            let done = match self.edit.dry_run {
                true => set_platform(&dry_run(repository), root, &at, &platform, to),
                false => set_platform(repository, root, &at, &platform, to),
            };
            Ok::<_, Failure>(done?.root)
        };
        match self.edit.dry_run {
            true => with(&place.repository.index()?).map(drop)?,
            false => place.repository.store().update(with).map(drop)?,
        }
        Ok(digest.ok_or_else(|| Error::NotFound("nothing was edited".into()))?)
    }
}

fn edits(platform: &spec::Platform) -> Vec<ConfigEdit> {
    let variant = platform.variant.clone().unwrap_or_default();
    let mut edits = vec![
        ConfigEdit::Set(Text::Os, platform.os.clone()),
        ConfigEdit::Set(Text::Architecture, platform.architecture.clone()),
        ConfigEdit::Set(Text::Variant, variant),
    ];
    edits.extend(platform.os_version.iter().map(|version| ConfigEdit::Set(Text::OsVersion, version.clone())));
    edits
}
