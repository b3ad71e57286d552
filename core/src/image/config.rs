//! Lossless edits of an image's config and manifest: fields that are not edited are kept byte for byte.

mod changes;
mod health;

use serde::Deserialize;

pub use self::{changes::ConfigChanges, health::Health};
use super::{Image, edit::with_config, history::matched};
use crate::{
    error::{Error, Result},
    spec::{
        History, Raw, is_date_time,
        json::{Array, Object},
    },
    store::{Repository, Store},
};

/// One edit of a config or manifest. Applied in order.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConfigEdit {
    /// Sets a text. An empty variant removes it.
    Set(Text, String),
    /// Sets a list of words.
    Words(Words, Vec<String>),
    /// Sets a variable of the environment, in its place or at the end: name and value.
    Env(String, String),
    /// Sets a label: name and value.
    Label(String, String),
    /// Sets an annotation of the manifest: name and value.
    Annotation(String, String),
    /// Adds a port, such as `80/tcp`.
    Port(String),
    /// Adds a volume.
    Volume(String),
    /// Sets a field of the health check.
    Health(Health),
    /// Removes all values of a kind.
    Clear(Clear),
}

/// Fields that hold a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names of image-spec, config.md")]
#[non_exhaustive]
pub enum Text {
    Author,
    Created,
    Architecture,
    Os,
    OsVersion,
    Variant,
    User,
    WorkingDir,
    StopSignal,
}

/// Fields that hold words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names of image-spec, config.md")]
#[non_exhaustive]
pub enum Words {
    Entrypoint,
    Cmd,
    OsFeatures,
}

/// Fields that can be cleared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs, reason = "the names of image-spec, config.md")]
#[non_exhaustive]
pub enum Clear {
    Labels,
    Annotations,
    Ports,
    Env,
    Volumes,
    Cmd,
    Entrypoint,
    Healthcheck,
}

/// Applies edits, and adds a history entry if one is given. Both documents are stored; no index refers to
/// them yet.
///
/// The platform of the image's descriptor is changed with the config, if the two were equal before.
///
/// # Errors
/// [`Error::Misuse`] for an invalid value; [`Error::Document`] if a field to be edited has the wrong type;
/// [`Error::Io`] if the store cannot be written.
pub fn edit_config<S: Store>(
    repository: &Repository<S>,
    image: &Image,
    edits: &[ConfigEdit],
    history: Option<&History>,
) -> Result<Image> {
    let mut config =
        image.config.edit("image config", |config| edits.iter().try_for_each(|edit| apply(config, edit)))?;
    if let Some(entry) = history {
        // Readers count the entries that have layers.
        config = matched(config, image.layers().len())?.push_history(entry)?;
    }
    let (before, after) = (image.config.view().platform(), config.view().platform());
    let mut edited = with_config(repository, image, config, |manifest| annotate(&manifest, edits))?;
    if before != after && edited.descriptor.platform.as_ref() == Some(&before) {
        edited.descriptor.platform = Some(after);
    }
    Ok(edited)
}

fn annotate(
    manifest: &Raw<crate::spec::Manifest>,
    edits: &[ConfigEdit],
) -> Result<Raw<crate::spec::Manifest>> {
    manifest.edit("manifest", |manifest| {
        for edit in edits {
            match edit {
                ConfigEdit::Annotation(name, value) => {
                    named("annotation", name)?;
                    manifest.edit_object("annotations", |annotations| annotations.set(name, value))?;
                }
                ConfigEdit::Clear(Clear::Annotations) => drop(manifest.remove("annotations")),
                _ => {}
            }
        }
        Ok(())
    })
}

fn apply(config: &mut Object, edit: &ConfigEdit) -> Result<()> {
    match edit {
        ConfigEdit::Set(field, text) => set(config, *field, text),
        ConfigEdit::Words(Words::OsFeatures, words) => config.set("os.features", words),
        ConfigEdit::Words(Words::Entrypoint, words) => run(config, |run| run.set("Entrypoint", words)),
        ConfigEdit::Words(Words::Cmd, words) => run(config, |run| run.set("Cmd", words)),
        ConfigEdit::Env(name, _) if name.contains('=') => {
            Err(Error::Misuse(format!("variable {name:?}: its name must not have a \"=\"")))
        }
        ConfigEdit::Env(name, value) => {
            named("variable", name)?;
            run(config, |run| run.edit_array("Env", |variables| set_variable(variables, name, value)))
        }
        ConfigEdit::Label(name, value) => {
            named("label", name)?;
            run(config, |run| run.edit_object("Labels", |labels| labels.set(name, value)))
        }
        ConfigEdit::Port(port) => {
            check_port(port)?;
            run(config, |run| run.edit_object("ExposedPorts", |ports| add(ports, port)))
        }
        ConfigEdit::Volume(path) => {
            named("volume", path)?;
            run(config, |run| run.edit_object("Volumes", |volumes| add(volumes, path)))
        }
        ConfigEdit::Health(health) => run(config, |run| health.apply(run)),
        ConfigEdit::Clear(what) => {
            let key = match what {
                Clear::Labels => "Labels",
                Clear::Ports => "ExposedPorts",
                Clear::Env => "Env",
                Clear::Volumes => "Volumes",
                Clear::Cmd => "Cmd",
                Clear::Entrypoint => "Entrypoint",
                Clear::Healthcheck => "Healthcheck",
                Clear::Annotations => return Ok(()), // of the manifest
            };
            run(config, |run| {
                run.remove(key);
                Ok(())
            })
        }
        ConfigEdit::Annotation(..) => Ok(()), // of the manifest
    }
}

fn run(config: &mut Object, edit: impl FnOnce(&mut Object) -> Result<()>) -> Result<()> {
    config.edit_object("config", edit)
}

fn set(config: &mut Object, field: Text, text: &str) -> Result<()> {
    match field {
        Text::Created if !is_date_time(text) => Err(Error::Misuse(format!(
            "created: {text:?}: expected an RFC 3339 date, such as 2026-01-31T12:00:00Z"
        ))),
        Text::Created => config.set("created", text),
        Text::Author => config.set("author", text),
        Text::Architecture => config.set("architecture", text),
        Text::Os => config.set("os", text),
        Text::OsVersion => config.set("os.version", text),
        // Not every platform has a variant.
        Text::Variant if text.is_empty() => {
            config.remove("variant");
            Ok(())
        }
        Text::Variant => config.set("variant", text),
        Text::User => run(config, |run| run.set("User", text)),
        Text::WorkingDir => run(config, |run| run.set("WorkingDir", text)),
        Text::StopSignal => run(config, |run| run.set("StopSignal", text)),
    }
}

fn set_variable(variables: &mut Array, name: &str, value: &str) -> Result<()> {
    let variable = format!("{name}={value}");
    for position in 0..variables.len() {
        let known: String = serde_json::from_str(variables.get(position)?)
            .map_err(|error| Error::document("image config: Env", error.to_string()))?;
        if known.split_once('=').is_some_and(|(known, _)| known == name) {
            return variables.set(position, &variable);
        }
    }
    variables.push(&variable)
}

/// Adds a name to a set. Sets are objects with empty values, as Go encodes them.
fn add(set: &mut Object, name: &str) -> Result<()> {
    match set.get(name) {
        Some(_) => Ok(()),
        None => set.set(name, &serde_json::json!({})),
    }
}

fn named(what: &str, name: &str) -> Result<()> {
    if name.is_empty() { Err(Error::Misuse(format!("a {what} needs a name"))) } else { Ok(()) }
}

/// Checks a port: `port`, `port/tcp`, `port/udp` … (image-spec, config.md, "ExposedPorts").
fn check_port(text: &str) -> Result<()> {
    let (port, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
    let good = port.parse::<u16>().is_ok() && ["tcp", "udp", "sctp"].contains(&protocol);
    if good {
        Ok(())
    } else {
        Err(Error::Misuse(format!("port {text:?}: expected a number, then /tcp or /udp")))
    }
}

#[cfg(test)]
mod tests;
