//! The document of a table, parsed entry by entry. Only the changes are kept.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{self, DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor},
};

use super::entry::{self, TocEntry};
use crate::{
    error::{Error, Result},
    layer::Change,
    limits::Limits,
};

/// The version of both formats.
const VERSION: u64 = 1;

/// Returns the changes that a table lists.
pub(super) fn changes(json: &[u8], what: &str, limits: &Limits) -> Result<Vec<Change>> {
    let mut entries =
        Entries { what, limits, changes: Vec::new(), failed: None, read: 0, size: 0, in_file: false };
    let mut deserializer = serde_json::Deserializer::from_slice(json);
    let read = Document(&mut entries).deserialize(&mut deserializer).and_then(|version| {
        deserializer.end()?;
        Ok(version)
    });
    if let Some(error) = entries.failed {
        return Err(error);
    }
    match read.map_err(|error| Error::layer(what, error.to_string()))? {
        VERSION => Ok(entries.changes),
        other => Err(Error::Unsupported(format!("{what}: unknown version {other}"))),
    }
}

/// The entries read so far.
struct Entries<'a> {
    what: &'a str,
    limits: &'a Limits,
    changes: Vec<Change>,
    /// An [`Error`], which serde would turn into text.
    failed: Option<Error>,
    read: u64,
    /// Bytes of all files.
    size: u64,
    /// Whether the previous entry is a file or a chunk of one.
    in_file: bool,
}

impl Entries<'_> {
    fn push(&mut self, entry: &TocEntry<'_>) -> Result<()> {
        self.read += 1;
        if self.read > self.limits.entries {
            return Err(self.limit("entries", self.limits.entries));
        }
        let bad = |reason: String| {
            let name: String = entry.name.chars().take(300).collect();
            Error::layer(format!("{}, entry {name:?}", self.what), reason)
        };
        if entry.is_chunk() {
            return if self.in_file { Ok(()) } else { Err(bad("chunk without a file".into())) };
        }
        self.in_file = entry.is_file();
        self.size = self.size.saturating_add(if self.in_file { entry.size } else { 0 });
        if self.size > self.limits.layer_size {
            return Err(self.limit("layer_size", self.limits.layer_size));
        }
        self.changes.extend(entry::change(entry, self.limits).map_err(bad)?);
        Ok(())
    }

    fn limit(&self, name: &'static str, limit: u64) -> Error {
        Error::limit(self.what, name, limit)
    }
}

/// The whole document; deserializes to its version.
struct Document<'a, 'b>(&'a mut Entries<'b>);

#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "lowercase")]
enum Key {
    Version,
    Entries,
    #[serde(other)]
    Other,
}

impl<'de> DeserializeSeed<'de> for Document<'_, '_> {
    type Value = u64;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<u64, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Document<'_, '_> {
    type Value = u64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a table of contents")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<u64, M::Error> {
        let (mut version, mut entries) = (None, None);
        while let Some(key) = map.next_key()? {
            match key {
                Key::Version if version.is_some() => return Err(de::Error::duplicate_field("version")),
                Key::Version => version = Some(map.next_value()?),
                Key::Entries if entries.is_some() => return Err(de::Error::duplicate_field("entries")),
                Key::Entries => entries = Some(map.next_value_seed(&mut *self.0)?),
                Key::Other => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        entries.ok_or_else(|| de::Error::missing_field("entries"))?;
        version.ok_or_else(|| de::Error::missing_field("version"))
    }
}

impl<'de> DeserializeSeed<'de> for &mut Entries<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for &mut Entries<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of entries")
    }

    /// Go writes `null` for a list that was never made.
    fn visit_unit<E: de::Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while let Some(entry) = list.next_element()? {
            if let Err(error) = self.push(&entry) {
                let text = error.to_string();
                self.failed = Some(error);
                return Err(de::Error::custom(text));
            }
        }
        Ok(())
    }
}
