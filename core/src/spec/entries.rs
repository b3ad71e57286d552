//! The entries of an index during several edits.

use super::{
    Descriptor, Document as _, Index, Platform, Raw,
    edit::{annotate, retarget, set_platform},
    json::{Array, Object},
};
use crate::error::{Error, Result};

/// The entries of an index, as they are written and as they are parsed. An edit costs as much as its entry;
/// the document is written and checked once, when all are done: see [`Raw::edit_entries`]. Positions count
/// from 0; past the end is [`Error::NotFound`].
pub(crate) struct Entries<'a> {
    index: &'a Raw<Index>,
    /// The texts, once one was needed.
    texts: Option<Array>,
    views: Vec<Descriptor>,
}

impl Raw<Index> {
    /// Edits entries. What the edits do not touch stays as it is.
    ///
    /// # Errors
    /// [`Error::Document`] if the result is not valid; what `edit` returns.
    pub(crate) fn edit_entries<T>(
        &self,
        edit: impl FnOnce(&mut Entries<'_>) -> Result<T>,
    ) -> Result<(Self, T)> {
        let mut entries = Entries::of(self);
        let done = edit(&mut entries)?;
        let Some(texts) = entries.texts else { return Ok((self.clone(), done)) };
        let edited = self.edit(Index::KIND, |index| {
            index.edit_array(MANIFESTS, |manifests| {
                *manifests = texts;
                Ok(())
            })
        })?;
        Ok((edited, done))
    }
}

const MANIFESTS: &str = "manifests";

impl<'a> Entries<'a> {
    /// Returns the entries of an index.
    pub(crate) fn of(index: &'a Raw<Index>) -> Self {
        Self { index, texts: None, views: index.view().manifests.clone() }
    }

    /// Returns the entries as they are now.
    pub(crate) fn views(&self) -> &[Descriptor] {
        &self.views
    }

    /// Adds an entry at the end, and returns its position.
    pub(crate) fn push(&mut self, entry: &Descriptor) -> Result<usize> {
        self.texts()?.push(entry)?;
        self.views.push(entry.clone());
        Ok(self.views.len() - 1)
    }

    /// Adds an exact copy of an entry at the end, and returns its position.
    pub(crate) fn duplicate(&mut self, pos: usize) -> Result<usize> {
        self.texts()?.duplicate(pos)?;
        self.views.extend(self.views.get(pos).cloned());
        Ok(self.views.len() - 1)
    }

    /// Adds an exact copy of an entry of another index at the end, and returns its position.
    pub(crate) fn push_from(&mut self, other: &mut Entries<'_>, pos: usize) -> Result<usize> {
        self.texts()?.push_from(other.texts()?, pos)?;
        self.views.extend(other.views.get(pos).cloned());
        Ok(self.views.len() - 1)
    }

    /// Replaces an entry by the last one.
    pub(crate) fn replace_by_last(&mut self, pos: usize) -> Result<()> {
        let last = self.views.len().saturating_sub(1);
        self.texts()?.copy(last, pos)?;
        self.views.swap(last, pos);
        self.remove(last)
    }

    /// Removes an entry; those behind it move forward.
    pub(crate) fn remove(&mut self, pos: usize) -> Result<()> {
        self.texts()?.remove(pos)?;
        self.views.remove(pos);
        Ok(())
    }

    /// Sets an annotation, or removes it (`None`). Empty `annotations` are removed, too.
    pub(crate) fn annotate(&mut self, pos: usize, changes: &[(&str, Option<&str>)]) -> Result<()> {
        self.edit(pos, |entry| annotate(entry, changes))
    }

    /// Points an entry at other content: `digest`, `size` and `mediaType` become those of `new`. Content that
    /// was embedded (`data`) is embedded again, from `bytes`; `urls` are removed, since they lead to the old
    /// content; the other fields stay. The other fields of `new` are ignored.
    ///
    /// # Errors
    /// [`Error::Mismatch`] if `bytes` are to be embedded and `new` does not describe them.
    pub(crate) fn retarget(&mut self, pos: usize, new: &Descriptor, bytes: &[u8]) -> Result<()> {
        self.edit(pos, |entry| retarget(entry, new, bytes))
    }

    /// Sets the platform. Fields of `platform` that are not set are removed, unknown ones stay.
    pub(crate) fn set_platform(&mut self, pos: usize, platform: &Platform) -> Result<()> {
        self.edit(pos, |entry| entry.edit_object("platform", |object| set_platform(object, platform)))
    }

    fn edit(&mut self, pos: usize, edit: impl FnOnce(&mut Object) -> Result<()>) -> Result<()> {
        let texts = self.texts()?;
        texts.edit_object(pos, edit)?;
        let view = serde_json::from_str(texts.get(pos)?)
            .map_err(|error| Error::document(Index::KIND, format!("not a valid entry: {error}")))?;
        self.views[pos] = view;
        Ok(())
    }

    fn texts(&mut self) -> Result<&mut Array> {
        let texts = match self.texts.take() {
            Some(texts) => texts,
            None => {
                let index = Object::parse(Index::KIND, self.index.bytes())?;
                let manifests = index.get(MANIFESTS).filter(|text| *text != "null").unwrap_or("[]");
                Array::parse(&format!("{}: {MANIFESTS}", Index::KIND), manifests.as_bytes())?
            }
        };
        Ok(self.texts.insert(texts))
    }
}
