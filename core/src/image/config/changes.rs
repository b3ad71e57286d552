//! A set of edits by field.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};

use super::{Clear, ConfigEdit, Health, Text, Words};

/// The edits of `ocicle config`, by field. The command's options and the objects of the JavaScript package
/// are converted to it.
///
/// ```
/// use ocicle::image::config::{ConfigChanges, ConfigEdit};
///
/// let changes: ConfigChanges = serde_json::from_str(r#"{ "ports": ["80"], "env": { "A": "b" } }"#)?;
/// assert_eq!(changes.edits(), [ConfigEdit::Env("A".into(), "b".into()), ConfigEdit::Port("80".into())]);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
#[allow(clippy::exhaustive_structs, reason = "made with struct update syntax")]
#[allow(missing_docs, reason = "the names of image-spec, config.md")]
pub struct ConfigChanges {
    /// The values to remove, before all other edits.
    pub clear: Vec<Clear>,
    pub author: Option<String>,
    pub created: Option<String>,
    pub os: Option<String>,
    pub os_version: Option<String>,
    pub architecture: Option<String>,
    pub variant: Option<String>,
    pub user: Option<String>,
    pub working_dir: Option<String>,
    pub stop_signal: Option<String>,
    pub entrypoint: Option<Vec<String>>,
    pub cmd: Option<Vec<String>>,
    pub os_features: Option<Vec<String>>,
    /// Names and values, in the order in which new ones are added.
    #[serde(deserialize_with = "pairs")]
    pub env: Vec<(String, String)>,
    #[serde(deserialize_with = "pairs")]
    pub labels: Vec<(String, String)>,
    /// Annotations of the manifest.
    #[serde(deserialize_with = "pairs")]
    pub annotations: Vec<(String, String)>,
    pub ports: Vec<String>,
    pub volumes: Vec<String>,
    #[serde(skip)]
    pub health: Vec<Health>,
}

impl ConfigChanges {
    /// Returns the edits in the order in which they are applied.
    #[must_use]
    pub fn edits(self) -> Vec<ConfigEdit> {
        let cleared = self.clear.into_iter().map(ConfigEdit::Clear);
        let texts = [
            (Text::Author, self.author),
            (Text::Created, self.created),
            (Text::Os, self.os),
            (Text::OsVersion, self.os_version),
            (Text::Architecture, self.architecture),
            (Text::Variant, self.variant),
            (Text::User, self.user),
            (Text::WorkingDir, self.working_dir),
            (Text::StopSignal, self.stop_signal),
        ];
        let texts = texts.into_iter().filter_map(|(field, text)| Some(ConfigEdit::Set(field, text?)));
        let words = [
            (Words::Entrypoint, self.entrypoint),
            (Words::Cmd, self.cmd),
            (Words::OsFeatures, self.os_features),
        ];
        let words = words.into_iter().filter_map(|(field, words)| Some(ConfigEdit::Words(field, words?)));
        let pairs = |pairs: Vec<_>, edit: fn(String, String) -> ConfigEdit| {
            pairs.into_iter().map(move |(name, value)| edit(name, value))
        };
        cleared
            .chain(texts)
            .chain(words)
            .chain(pairs(self.env, ConfigEdit::Env))
            .chain(pairs(self.labels, ConfigEdit::Label))
            .chain(pairs(self.annotations, ConfigEdit::Annotation))
            .chain(self.ports.into_iter().map(ConfigEdit::Port))
            .chain(self.volumes.into_iter().map(ConfigEdit::Volume))
            .chain(self.health.into_iter().map(ConfigEdit::Health))
            .collect()
    }
}

/// Reads an object of strings in its own order.
fn pairs<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<(String, String)>, D::Error> {
    struct Pairs;
    impl<'de> Visitor<'de> for Pairs {
        type Value = Vec<(String, String)>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object of strings")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut pairs = Vec::new();
            while let Some(pair) = map.next_entry()? {
                pairs.push(pair);
            }
            Ok(pairs)
        }
    }
    deserializer.deserialize_map(Pairs)
}
