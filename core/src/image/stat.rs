//! What an image is, for people and for scripts.

use std::fmt;

use serde::Serialize;
use serde_json::value::RawValue;

use super::Image;
use crate::{
    digest::Digest,
    error::{Error, Result},
    spec::{Descriptor, History},
    text::{human_size, printable},
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

impl fmt::Display for Stat<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut line = |key: &str, value: &str| -> fmt::Result {
            if value.is_empty() { Ok(()) } else { writeln!(f, "{key:<12} {}", printable(value)) }
        };
        let config = self.image.config.view();
        line("Manifest", self.descriptor.digest.as_str())?;
        line("Media type", self.descriptor.media_type.as_str())?;
        line("Platform", &config.platform().to_string())?;
        line("Created", config.created.as_deref().unwrap_or(""))?;
        line("Author", config.author.as_deref().unwrap_or(""))?;
        let run = config.config.clone().unwrap_or_default();
        line("User", run.user.as_deref().unwrap_or(""))?;
        line("Entrypoint", &words(run.entrypoint.as_deref()))?;
        line("Cmd", &words(run.cmd.as_deref()))?;
        line("Working dir", run.working_dir.as_deref().unwrap_or(""))?;
        line("Stop signal", run.stop_signal.as_deref().unwrap_or(""))?;
        for variable in run.env.iter().flatten() {
            line("Env", variable)?;
        }
        for port in run.exposed_ports.iter().flatten() {
            line("Port", port.0)?;
        }
        for volume in run.volumes.iter().flatten() {
            line("Volume", volume.0)?;
        }
        for (key, value) in run.labels.iter().flatten() {
            line("Label", &format!("{key}={value}"))?;
        }
        let layers = &self.image.manifest.view().layers;
        line("Layers", &format!("{} ({})", layers.len(), human_size(self.image.size())))?;
        for layer in layers {
            writeln!(f, "  {:>9}  {}", human_size(layer.size), layer.digest)?;
        }
        if !self.history.is_empty() {
            writeln!(f, "History")?;
        }
        for row in &self.history {
            let size = row.layer.map_or_else(|| "-".into(), |layer| human_size(layer.size));
            let created = row.entry.created.as_deref().unwrap_or("-");
            let by = row.entry.created_by.as_deref().or(row.entry.comment.as_deref()).unwrap_or("-");
            writeln!(f, "  {size:>9}  {created}  {}", printable(by))?;
        }
        Ok(())
    }
}

fn words(words: Option<&[String]>) -> String {
    words
        .map(|words| words.iter().map(|word| format!("{word:?}")).collect::<Vec<_>>().join(" "))
        .unwrap_or_default()
}
