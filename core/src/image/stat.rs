//! What an image is, for people and for scripts.

use std::fmt;

use serde::Serialize;
use serde_json::value::RawValue;

use super::Image;
use crate::{
    digest::Digest,
    error::{Error, Result},
    spec::{Descriptor, History},
    text::{self, human_size, printable},
};

/// `ocicle stat`, schema version 1. Sizes are bytes, as stored.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Stat<'a> {
    schema_version: u32,
    /// What led to the manifest.
    pub descriptor: &'a Descriptor,
    /// The manifest, verbatim.
    pub manifest: &'a RawValue,
    /// The config, verbatim.
    pub config: &'a RawValue,
    /// The history, with the layer each entry made.
    pub history: Vec<HistoryRow<'a>>,
    #[serde(skip)]
    image: &'a Image,
}

/// One history entry and its layer.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct HistoryRow<'a> {
    /// The layer it made; `null` for a change of metadata only.
    pub layer: Option<&'a Descriptor>,
    /// The digest of the layer, uncompressed.
    pub diff_id: Option<&'a Digest>,
    /// The entry.
    #[serde(flatten)]
    pub entry: &'a History,
}

impl<'a> Stat<'a> {
    /// Describes an image.
    ///
    /// # Errors
    /// [`Error::Document`] never for an image that [`Image::open`] gave; the documents are parsed already.
    pub fn new(image: &'a Image) -> Result<Self> {
        let verbatim = |what: &str, bytes: &'a [u8]| {
            serde_json::from_slice(bytes).map_err(|error| Error::document(what, error.to_string()))
        };
        Ok(Self {
            schema_version: 1,
            descriptor: &image.descriptor,
            manifest: verbatim("manifest", image.manifest.bytes())?,
            config: verbatim("config", image.config.bytes())?,
            history: image
                .history()
                .map(|(entry, layer)| HistoryRow {
                    layer: layer.map(|(layer, _)| layer),
                    diff_id: layer.map(|(_, diff_id)| diff_id),
                    entry,
                })
                .collect(),
            image,
        })
    }
}

impl Stat<'_> {
    /// What manifest and config say that is not empty, a name and a value each.
    fn facts(&self) -> Vec<(&'static str, String)> {
        let config = self.image.config.view();
        let run = config.config.clone().unwrap_or_default();
        let mut facts = vec![
            ("Manifest", self.descriptor.digest.to_string()),
            ("Media type", self.descriptor.media_type.to_string()),
            ("Platform", config.platform().to_string()),
            ("Created", config.created.clone().unwrap_or_default()),
            ("Author", config.author.clone().unwrap_or_default()),
            ("User", run.user.unwrap_or_default()),
            ("Entrypoint", words(run.entrypoint)),
            ("Cmd", words(run.cmd)),
            ("Working dir", run.working_dir.unwrap_or_default()),
            ("Stop signal", run.stop_signal.unwrap_or_default()),
        ];
        facts.extend(run.env.into_iter().flatten().map(|variable| ("Env", variable)));
        facts.extend(run.exposed_ports.into_iter().flatten().map(|(port, _)| ("Port", port)));
        facts.extend(run.volumes.into_iter().flatten().map(|(volume, _)| ("Volume", volume)));
        facts
            .extend(run.labels.into_iter().flatten().map(|(key, value)| ("Label", format!("{key}={value}"))));
        facts.retain(|(_, value)| !value.is_empty());
        facts
    }
}

impl fmt::Display for Stat<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, value) in self.facts() {
            writeln!(f, "{name:<12} {}", printable(&value))?;
        }
        let layers = &self.image.manifest.view().layers;
        writeln!(f, "{:<12} {} ({})", "Layers", layers.len(), human_size(self.image.size()))?;
        for layer in layers {
            writeln!(f, "  {:>9}  {}", human_size(layer.size), layer.digest)?;
        }
        if !self.history.is_empty() {
            writeln!(f, "History")?;
        }
        for row in &self.history {
            let size = row.layer.map_or_else(|| "-".into(), |layer| human_size(layer.size));
            let created = row.entry.created.as_deref().unwrap_or("-");
            writeln!(f, "  {size:>9}  {}  {}", printable(created), printable(row.made_by()))?;
        }
        Ok(())
    }
}

impl text::Report for Stat<'_> {
    /// Name and value of each fact, as in the table; then `Layer`, digest, bytes for each layer; then `History`, digest of the
    /// layer, time, command for each entry.
    fn plain(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        for (name, value) in self.facts() {
            writeln!(out, "{name}\t{}", printable(&value))?;
        }
        for layer in &self.image.manifest.view().layers {
            writeln!(out, "Layer\t{}\t{}", layer.digest, layer.size)?;
        }
        for row in &self.history {
            let layer = row.layer.map_or("-", |layer| layer.digest.as_str());
            let created = row.entry.created.as_deref().unwrap_or("-");
            writeln!(out, "History\t{layer}\t{}\t{}", printable(created), printable(row.made_by()))?;
        }
        Ok(())
    }
}

impl HistoryRow<'_> {
    fn made_by(&self) -> &str {
        self.entry.created_by.as_deref().or(self.entry.comment.as_deref()).unwrap_or("-")
    }
}

/// The words of a command, each in quotes.
fn words(words: Option<Vec<String>>) -> String {
    words.into_iter().flatten().map(|word| format!("{word:?}")).collect::<Vec<_>>().join(" ")
}
