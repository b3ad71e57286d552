//! Edits of whole documents. Each returns a new document and keeps what it does not concern: unknown fields,
//! the order of the fields, the white space. Positions count from 0.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::value::RawValue;

use super::{
    Descriptor, Document, History, ImageConfig, Index, Manifest, MediaType, Platform, Raw, json::Object,
};
use crate::{digest::Digest, error::Result};

impl<T: Document> Raw<T> {
    /// Sets annotations of the document itself, or removes them (`None`). Empty `annotations` are removed,
    /// too.
    pub(crate) fn annotate_self(&self, changes: &[(&str, Option<&str>)]) -> Result<Self> {
        self.edit(T::KIND, |document| annotate(document, changes))
    }

    /// Points `subject` at another object, as [`Entries::retarget`](super::Entries::retarget) does with an
    /// entry.
    pub(crate) fn set_subject(&self, new: &Descriptor, bytes: &[u8]) -> Result<Self> {
        self.edit(T::KIND, |document| document.edit_object("subject", |slot| retarget(slot, new, bytes)))
    }
}

impl Raw<Index> {
    /// Sets an annotation of an entry, or removes it (`None`). Empty `annotations` are removed, too.
    ///
    /// # Errors
    /// [`crate::Error::NotFound`] past the end; [`crate::Error::Document`] if the result is not valid.
    pub fn annotate(&self, pos: usize, key: &str, value: Option<&str>) -> Result<Self> {
        Ok(self.edit_entries(|entries| entries.annotate(pos, &[(key, value)]))?.0)
    }

    /// Adds an entry at the end.
    ///
    /// # Errors
    /// [`crate::Error::Document`] if the descriptor is not valid.
    pub fn push(&self, entry: &Descriptor) -> Result<Self> {
        Ok(self.edit_entries(|entries| entries.push(entry))?.0)
    }

    /// Removes an entry; those behind it move forward.
    ///
    /// # Errors
    /// [`crate::Error::NotFound`] past the end; [`crate::Error::Document`] if the result is not valid.
    pub fn remove(&self, pos: usize) -> Result<Self> {
        Ok(self.edit_entries(|entries| entries.remove(pos))?.0)
    }

    /// Sets the platform of an entry. Fields of `platform` that are not set are removed, unknown ones stay.
    ///
    /// # Errors
    /// [`crate::Error::NotFound`] past the end; [`crate::Error::Document`] if the result is not valid.
    pub fn set_platform(&self, pos: usize, platform: &Platform) -> Result<Self> {
        Ok(self.edit_entries(|entries| entries.set_platform(pos, platform))?.0)
    }
}

impl Raw<Manifest> {
    /// Points the manifest at another config, as `retarget` does with an entry.
    ///
    /// # Errors
    /// [`crate::Error::Mismatch`] if `bytes` are to be embedded and `new` does not describe them.
    pub fn set_config(&self, new: &Descriptor, bytes: &[u8]) -> Result<Self> {
        self.edit(Manifest::KIND, |manifest| {
            manifest.edit_object("config", |slot| retarget(slot, new, bytes))
        })
    }

    /// Adds a layer on top.
    ///
    /// # Errors
    /// [`crate::Error::Document`] if the descriptor is not valid.
    pub fn push_layer(&self, layer: &Descriptor) -> Result<Self> {
        self.edit(Manifest::KIND, |manifest| manifest.edit_array("layers", |layers| layers.push(layer)))
    }

    /// Points a layer at another blob, and removes annotations. What was embedded is not embedded again.
    ///
    /// # Errors
    /// [`crate::Error::NotFound`] past the end; [`crate::Error::Document`] if the result is not valid.
    pub(crate) fn set_layer(&self, pos: usize, new: &Descriptor, outdated: &[&str]) -> Result<Self> {
        let removed = outdated.iter().map(|key| (*key, None)).collect::<Vec<_>>();
        let edit = |slot: &mut Object| {
            slot.remove("data");
            retarget(slot, new, b"")?;
            annotate(slot, &removed)
        };
        self.edit(Manifest::KIND, |manifest| {
            manifest.edit_array("layers", |layers| layers.edit_object(pos, edit))
        })
    }

    /// Removes all layers above the lowest `count`.
    ///
    /// # Errors
    /// [`crate::Error::Document`] if the result is not valid.
    pub(crate) fn keep_layers(&self, count: usize) -> Result<Self> {
        let all = self.view().layers.len();
        self.edit(Manifest::KIND, |manifest| {
            manifest
                .edit_array("layers", |layers| (count..all).rev().try_for_each(|layer| layers.remove(layer)))
        })
    }

    /// Returns the layers, as they are written.
    pub(crate) fn raw_layers(&self) -> Result<Vec<Box<RawValue>>> {
        #[derive(serde::Deserialize)]
        struct Layers {
            layers: Option<Vec<Box<RawValue>>>,
        }
        let parsed: Layers = serde_json::from_slice(self.bytes())
            .map_err(|error| crate::Error::document(Manifest::KIND, error.to_string()))?;
        Ok(parsed.layers.unwrap_or_default())
    }

    /// Replaces the layers by others, as they are written.
    pub(crate) fn set_layers(&self, layers: &[Box<RawValue>]) -> Result<Self> {
        self.edit(Manifest::KIND, |manifest| manifest.set("layers", layers))
    }
}

impl Raw<ImageConfig> {
    /// Returns the entries of the history, as they are written.
    pub(crate) fn raw_history(&self) -> Result<Vec<Box<RawValue>>> {
        #[derive(serde::Deserialize)]
        struct Entries {
            history: Option<Vec<Box<RawValue>>>,
        }
        let parsed: Entries = serde_json::from_slice(self.bytes())
            .map_err(|error| crate::Error::document(ImageConfig::KIND, error.to_string()))?;
        Ok(parsed.history.unwrap_or_default())
    }

    /// Replaces the layers and the history by others; the history as it is written.
    pub(crate) fn set_layers(&self, diff_ids: &[&Digest], history: &[Box<RawValue>]) -> Result<Self> {
        self.edit(ImageConfig::KIND, |config| {
            config.edit_object("rootfs", |rootfs| rootfs.set("diff_ids", diff_ids))?;
            config.set("history", history)
        })
    }
}

impl Raw<Index> {
    /// Replaces Docker's media types by OCI's: its own, and those of its entries.
    ///
    /// # Errors
    /// [`crate::Error::Document`] if the result is not valid.
    pub(crate) fn with_oci_types(&self) -> Result<Self> {
        let media_type = self.view().media_type.as_ref().map(MediaType::to_oci);
        let types = self.view().manifests.iter().map(|entry| entry.media_type.to_oci()).collect::<Vec<_>>();
        self.edit(Index::KIND, |index| {
            set_own_type(index, media_type.as_ref())?;
            set_types(index, "manifests", &types)
        })
    }
}

impl Raw<Manifest> {
    /// Replaces Docker's media types by OCI's: its own, and those of config and layers.
    ///
    /// # Errors
    /// [`crate::Error::Document`] if the result is not valid.
    pub(crate) fn with_oci_types(&self) -> Result<Self> {
        let media_type = self.view().media_type.as_ref().map(MediaType::to_oci);
        let config = self.view().config.media_type.to_oci();
        let layers = self.view().layers.iter().map(|layer| layer.media_type.to_oci()).collect::<Vec<_>>();
        self.edit(Manifest::KIND, |manifest| {
            set_own_type(manifest, media_type.as_ref())?;
            manifest.edit_object("config", |slot| slot.set("mediaType", &config))?;
            set_types(manifest, "layers", &layers)
        })
    }
}

/// Sets the document's own media type, if it states one.
fn set_own_type(document: &mut Object, media_type: Option<&MediaType>) -> Result<()> {
    media_type.map_or(Ok(()), |media_type| document.set("mediaType", media_type))
}

fn set_types(document: &mut Object, key: &str, types: &[MediaType]) -> Result<()> {
    document.edit_array(key, |slots| {
        (0..).zip(types).try_for_each(|(pos, new)| slots.edit_object(pos, |slot| slot.set("mediaType", new)))
    })
}

impl Raw<ImageConfig> {
    /// Removes all diff_ids above the lowest `count`.
    ///
    /// # Errors
    /// [`crate::Error::Document`] if the result is not valid.
    pub(crate) fn keep_layers(&self, count: usize) -> Result<Self> {
        let all = self.view().rootfs.diff_ids.len();
        self.edit(ImageConfig::KIND, |config| {
            config.edit_object("rootfs", |rootfs| {
                rootfs
                    .edit_array("diff_ids", |ids| (count..all).rev().try_for_each(|layer| ids.remove(layer)))
            })
        })
    }

    /// Removes the entries of the history for whose position, from 0, `keep` returns false.
    ///
    /// # Errors
    /// [`crate::Error::Document`] if the result is not valid.
    pub(crate) fn keep_history(&self, keep: impl Fn(usize) -> bool) -> Result<Self> {
        let all = self.view().history.as_ref().map_or(0, Vec::len);
        if all == 0 {
            return Ok(self.clone());
        }
        self.edit(ImageConfig::KIND, |config| {
            config.edit_array("history", |history| {
                (0..all).rev().filter(|&entry| !keep(entry)).try_for_each(|entry| history.remove(entry))
            })
        })
    }

    /// Adds the digest of the uncompressed topmost layer.
    ///
    /// # Errors
    /// [`crate::Error::Document`] if the result is not valid.
    pub fn push_layer(&self, diff_id: &Digest) -> Result<Self> {
        self.edit(ImageConfig::KIND, |config| {
            config.edit_object("rootfs", |rootfs| {
                rootfs.edit_array("diff_ids", |diff_ids| diff_ids.push(diff_id))
            })
        })
    }

    /// Adds an entry to the history.
    ///
    /// # Errors
    /// [`crate::Error::Document`] if the result is not valid.
    pub fn push_history(&self, entry: &History) -> Result<Self> {
        self.edit(ImageConfig::KIND, |config| config.edit_array("history", |history| history.push(entry)))
    }

    /// Sets the time of creation, RFC 3339, which is not checked here.
    ///
    /// # Errors
    /// [`crate::Error::Document`] if the result is not valid.
    pub fn set_created(&self, created: &str) -> Result<Self> {
        self.edit(ImageConfig::KIND, |config| config.set("created", created))
    }
}

pub(super) fn retarget(slot: &mut Object, new: &Descriptor, bytes: &[u8]) -> Result<()> {
    slot.set("mediaType", &new.media_type)?;
    slot.set("digest", &new.digest)?;
    slot.set("size", &new.size)?;
    slot.remove("urls");
    if slot.get("data").is_some_and(|data| data != "null") {
        new.verify("content to embed", bytes)?;
        slot.set("data", &STANDARD.encode(bytes))?;
    }
    Ok(())
}

pub(super) fn annotate(slot: &mut Object, changes: &[(&str, Option<&str>)]) -> Result<()> {
    let mut emptied = false;
    slot.edit_object("annotations", |annotations| {
        for (key, value) in changes {
            match value {
                Some(value) => annotations.set(key, value)?,
                None => emptied |= annotations.remove(key),
            }
        }
        emptied &= annotations.is_empty();
        Ok(())
    })?;
    if emptied {
        slot.remove("annotations");
    }
    Ok(())
}

pub(super) fn set_platform(object: &mut Object, platform: &Platform) -> Result<()> {
    object.set("architecture", &platform.architecture)?;
    object.set("os", &platform.os)?;
    let features = Some(&platform.os_features).filter(|features| !features.is_empty());
    set_or_remove(object, "os.version", platform.os_version.as_ref())?;
    set_or_remove(object, "os.features", features)?;
    set_or_remove(object, "variant", platform.variant.as_ref())
}

fn set_or_remove<T: serde::Serialize>(object: &mut Object, key: &str, value: Option<&T>) -> Result<()> {
    match value {
        Some(value) => object.set(key, value)?,
        None => drop(object.remove(key)),
    }
    Ok(())
}
