//! The JSON of an image: its documents verbatim, and its history with the layers.

use ocicle::{
    digest::Digest,
    image::{Artifact, Image},
    spec::{Descriptor, History, MediaType},
};
use serde::{Serialize, Serializer, ser::Error as _};
use serde_json::value::RawValue;

use crate::{Report, Versioned};

#[derive(Serialize)]
struct Stat<'a> {
    /// The descriptor that the image was opened with.
    descriptor: &'a Descriptor,
    manifest: Verbatim<'a>,
    config: Verbatim<'a>,
    history: Vec<HistoryRow<'a>>,
}

/// A JSON document as it is.
struct Verbatim<'a>(&'a [u8]);

impl Serialize for Verbatim<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text: &RawValue = serde_json::from_slice(self.0).map_err(S::Error::custom)?;
        text.serialize(serializer)
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct HistoryRow<'a> {
    /// The layer that it made; `null` for a change of metadata only.
    layer: Option<&'a Descriptor>,
    diff_id: Option<&'a Digest>,
    #[serde(flatten)]
    entry: &'a History,
}

impl Report for Image {
    fn shape(&self) -> impl Serialize {
        let history = self.history().map(|(entry, layer)| HistoryRow {
            layer: layer.map(|(layer, _)| layer),
            diff_id: layer.map(|(_, diff_id)| diff_id),
            entry,
        });
        Versioned::first(Stat {
            descriptor: &self.descriptor,
            manifest: Verbatim(self.manifest.bytes()),
            config: Verbatim(self.config.bytes()),
            history: history.collect(),
        })
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ArtifactStat<'a> {
    /// The descriptor that the artifact was opened with.
    descriptor: &'a Descriptor,
    artifact_type: &'a MediaType,
    manifest: Verbatim<'a>,
}

impl Report for Artifact {
    fn shape(&self) -> impl Serialize {
        Versioned::first(ArtifactStat {
            descriptor: &self.descriptor,
            artifact_type: self.artifact_type(),
            manifest: Verbatim(self.manifest.bytes()),
        })
    }
}
