//! `config`.

use ocicle::{
    graph::resolve::Want,
    image::{
        Image,
        config::{Clear, ConfigEdit, Text, Words, edit_config},
    },
    limits::Limits,
    spec::History,
};

use crate::{
    args::{self, Args, Config},
    failure::Failure,
    output,
    place::Place,
};

pub(super) fn config(args: &Args, config: &Config, limits: &Limits) -> Result<(), Failure> {
    let place = Place::open(&config.reference, limits)?;
    let edits = edits(config)?;
    if edits.is_empty() && config.result.tag.is_none() {
        return Err(Failure::usage("nothing to change: say what, such as --env NAME=VALUE"));
    }
    let history = config.history.entry("config")?.map(|entry| History { empty_layer: Some(true), ..entry });
    let history = history.as_ref();
    if config.edit.dry_run {
        // All that can be wrong shows in memory.
        let at = place.resolve(Want::Image, limits)?;
        let image = Image::open(&place.store, at.target(), limits)?;
        let scratch = ocicle::store::memory::MemoryStore::new()?;
        edit_config(&scratch, &image, &edits, history)?;
        return Ok(());
    }
    let to = config.result.destination();
    let done = place.edit_image(&to, limits, |image| edit_config(&place.store, image, &edits, history))?;
    output::replaced(args, &done.resolution.target().digest, &done.referrers, &to)
}

/// What was asked for: first what is cleared, then what is set.
fn edits(config: &Config) -> Result<Vec<ConfigEdit>, Failure> {
    let mut edits: Vec<ConfigEdit> =
        config.clear.iter().map(|&what| ConfigEdit::Clear(clear(what))).collect();
    let texts = [
        (Text::Author, &config.author),
        (Text::Created, &config.created),
        (Text::Os, &config.os),
        (Text::OsVersion, &config.os_version),
        (Text::Architecture, &config.arch),
        (Text::Variant, &config.variant),
        (Text::User, &config.user),
        (Text::WorkingDir, &config.workdir),
        (Text::StopSignal, &config.stop_signal),
    ];
    for (field, text) in texts {
        edits.extend(text.iter().map(|text| ConfigEdit::Set(field, text.clone())));
    }
    let words = [
        (Words::Entrypoint, &config.entrypoint),
        (Words::Cmd, &config.cmd),
        (Words::OsFeatures, &config.os_feature),
    ];
    for (field, words) in words {
        if !words.is_empty() {
            edits.push(ConfigEdit::Words(field, words.clone()));
        }
    }
    for text in &config.env {
        let (name, value) = pair("--env", text)?;
        edits.push(ConfigEdit::Env(name, value));
    }
    for text in &config.label {
        let (name, value) = pair("--label", text)?;
        edits.push(ConfigEdit::Label(name, value));
    }
    for text in &config.annotation {
        let (name, value) = pair("--annotation", text)?;
        edits.push(ConfigEdit::Annotation(name, value));
    }
    edits.extend(config.port.iter().cloned().map(ConfigEdit::Port));
    edits.extend(config.volume.iter().cloned().map(ConfigEdit::Volume));
    edits.extend(config.health.edits());
    Ok(edits)
}

pub(super) fn pair(option: &str, text: &str) -> Result<(String, String), Failure> {
    match text.split_once('=') {
        Some((name, value)) => Ok((name.into(), value.into())),
        None => Err(Failure::usage(format!("{option} {text:?}: expected NAME=VALUE"))),
    }
}

fn clear(what: args::Clear) -> Clear {
    match what {
        args::Clear::Labels => Clear::Labels,
        args::Clear::Annotations => Clear::Annotations,
        args::Clear::Ports => Clear::Ports,
        args::Clear::Env => Clear::Env,
        args::Clear::Volumes => Clear::Volumes,
        args::Clear::Cmd => Clear::Cmd,
        args::Clear::Entrypoint => Clear::Entrypoint,
        args::Clear::Healthcheck => Clear::Healthcheck,
    }
}
