//! The entries of `index.json` and their names, during any number of changes.

use std::collections::HashMap;

use super::RefName;
use crate::{
    error::{Error, Result},
    spec::{Descriptor, Entries, IMAGE_NAME, Index, REF_NAME, Raw, image_name},
    text::printable,
};

/// The entries of `index.json`. A new one is added at the end, and then gets its place.
pub(in crate::graph) struct Roots<'a, 'i> {
    entries: &'a mut Entries<'i>,
    /// The positions of the entries that have a name; but for that of a new entry.
    places: HashMap<(NameKind, String), Vec<usize>>,
}

/// The names by which an entry is found.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum NameKind {
    /// The image name, in full.
    Image,
    /// The image name, as Docker shows it.
    Familiar,
    /// The ref name of an entry with an image name.
    RefOfImage,
    /// The ref name of an entry without an image name.
    Ref,
    /// The digest.
    Digest,
}

impl Roots<'_, '_> {
    /// Edits an index. What the edit does not touch stays as it is.
    pub(in crate::graph) fn edit<T>(
        root: &Raw<Index>,
        edit: impl FnOnce(&mut Roots<'_, '_>) -> Result<T>,
    ) -> Result<(Raw<Index>, T)> {
        root.edit_entries(|entries| {
            let count = entries.views().len();
            let mut roots = Roots { entries, places: HashMap::new() };
            (0..count).for_each(|position| roots.note(position));
            edit(&mut roots)
        })
    }

    /// Adds an entry.
    pub(in crate::graph) fn push(&mut self, entry: &Descriptor) -> Result<()> {
        self.entries.push(entry).map(drop)
    }

    /// Adds an exact copy of an entry.
    pub(super) fn duplicate(&mut self, position: usize) -> Result<()> {
        self.entries.duplicate(position).map(drop)
    }

    /// Adds an exact copy of an entry of another index.
    pub(in crate::graph) fn push_from(&mut self, other: &mut Entries<'_>, position: usize) -> Result<()> {
        self.entries.push_from(other, position).map(drop)
    }

    /// Returns whether there is an equal entry.
    pub(in crate::graph) fn has(&self, entry: &Descriptor) -> bool {
        let views = self.entries.views();
        self.named(NameKind::Digest, Some(entry.digest.as_str())).any(|position| views[position] == *entry)
    }

    /// Sets the tag of the last entry, and puts it in the place of the entry that has the tag, if there is
    /// one. An image name is changed with the tag: two images must not have one name. Returns its position.
    pub(in crate::graph) fn tag_last(&mut self, name: &RefName) -> Result<usize> {
        let last = self.last()?;
        self.forget(last);
        let (views, tag) = (self.entries.views(), Some(name.as_str()));
        let images = self.named(NameKind::Image, tag).chain(self.named(NameKind::Familiar, tag));
        let holder = images.filter(|&position| views[position].ref_name() != tag).min();
        let (ref_name, image_name): (Option<String>, Option<String>) =
            match holder.map(|position| &views[position]) {
                Some(holder) => (holder.ref_name().map(Into::into), holder.image_name().map(Into::into)),
                None => (
                    tag.map(Into::into),
                    views[last].image_name().and_then(|old| image_name::retagged(old, name.as_str())),
                ),
            };
        let names = [(REF_NAME, ref_name.as_deref()), (IMAGE_NAME, image_name.as_deref())];
        self.entries.annotate(last, &names)?;
        self.place_last()
    }

    /// Puts the last entry in the place of the entry that has its names, if there is one. An entry without an
    /// image name has the names of any with its ref name. Returns its position.
    pub(in crate::graph) fn place_last(&mut self) -> Result<usize> {
        let last = self.last()?;
        let new = &self.entries.views()[last];
        let kinds: &[(NameKind, Option<&str>)] = match new.image_name() {
            image @ Some(_) => {
                &[(NameKind::Image, image), (NameKind::Ref, new.ref_name()), (NameKind::Ref, new.tag())]
            }
            None => {
                &[NameKind::Ref, NameKind::RefOfImage, NameKind::Familiar].map(|kind| (kind, new.ref_name()))
            }
        };
        let (holder, is_only) = {
            let mut holders = kinds.iter().flat_map(|&(kind, name)| self.named(kind, name));
            let holder = holders.next();
            (holder, holders.all(|other| Some(other) == holder))
        };
        match holder {
            None => {
                self.note(last);
                Ok(last)
            }
            Some(holder) if is_only => {
                self.forget(holder);
                self.entries.replace_by_last(holder)?;
                self.note(holder);
                Ok(holder)
            }
            Some(_) => Err(Error::document(
                "index.json",
                format!(
                    "the tag {} is used more than once\nhint: use a whole name, such as app:1, or remove entries with `ocicle rm`",
                    printable(new.ref_name().unwrap_or_default())
                ),
            )),
        }
    }

    fn last(&self) -> Result<usize> {
        let count = self.entries.views().len();
        count.checked_sub(1).ok_or_else(|| Error::NotFound("index.json has no entries".into()))
    }

    fn named(&self, kind: NameKind, name: Option<&str>) -> impl Iterator<Item = usize> {
        let found = name.and_then(|name| self.places.get(&(kind, name.to_owned())));
        found.into_iter().flatten().copied()
    }

    fn note(&mut self, position: usize) {
        for name in names_of(&self.entries.views()[position]) {
            self.places.entry(name).or_default().push(position);
        }
    }

    fn forget(&mut self, position: usize) {
        for name in names_of(&self.entries.views()[position]) {
            if let Some(places) = self.places.get_mut(&name) {
                places.retain(|place| *place != position);
            }
        }
    }
}

fn names_of(entry: &Descriptor) -> impl Iterator<Item = (NameKind, String)> {
    let image = entry.image_name();
    let of_ref = if image.is_some() { NameKind::RefOfImage } else { NameKind::Ref };
    let names = [
        (NameKind::Image, image),
        (NameKind::Familiar, image.and(entry.tag())),
        (of_ref, entry.ref_name()),
        (NameKind::Digest, Some(entry.digest.as_str())),
    ];
    names.into_iter().filter_map(|(kind, name)| Some((kind, name?.to_owned())))
}
