//! One pass over the indexes of a store, the deepest first: entries are changed, and then the indexes above
//! them.

use std::collections::HashMap;

use super::{
    Hop, hop_to,
    referrers::{Referrers, copy_for, is_about},
    replace_slot,
};
use crate::{
    digest::Digest,
    error::{Error, Result},
    graph::cosign,
    spec::{Descriptor, Entries, Index, Raw},
    store::{Repository, Store, put_document},
};

/// Changes one entry of an index.
pub(super) type EditSlot<'a> = &'a dyn Fn(&mut Entries<'_>, usize) -> Result<()>;
/// A changed index: its descriptor and its bytes.
type Content = (Descriptor, Vec<u8>);

/// One edit, which is applied to every index that is visited.
pub(super) struct Pass<'a, S> {
    pub(super) repository: &'a Repository<S>,
    /// The object that is replaced.
    pub(super) old: &'a Digest,
    /// Its replacement with its bytes; `None` if only the entry is edited.
    pub(super) new: Option<(&'a Descriptor, &'a [u8])>,
    /// Changes an entry of the object.
    pub(super) edit: EditSlot<'a>,
    pub(super) referrers: Referrers,
    /// The referrers that were found.
    pub(super) found: Vec<Descriptor>,
    /// The indexes off the path, by their old digest, [`Task::everywhere`] and whether its reach is below.
    pub(super) done: HashMap<(Digest, bool, bool), Option<Content>>,
    pub(super) visited: usize,
}

/// The work in one entry and below it.
#[derive(Clone, Copy)]
pub(super) struct Task<'a> {
    /// The rest of the path to the one place; empty off the path.
    pub(super) way: &'a [Hop],
    /// Whether every entry of the object is changed, and not only the one at the end of the path.
    pub(super) everywhere: bool,
    /// The extent in which referrers are treated as `referrers` says; elsewhere they are only found.
    pub(super) reach: Reach,
}

/// The extent of a task.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    Nowhere,
    /// The entry itself.
    Entry,
    /// The entry and everything below it.
    Below,
}

impl<S: Store> Pass<'_, S> {
    /// Processes the entries of an index; `task` returns the work for each. Returns the new index, and the
    /// rest of the path with its new digests and positions.
    pub(super) fn index<'t>(
        &mut self,
        index: &Raw<Index>,
        depth: usize,
        task: &dyn Fn(usize) -> Task<'t>,
    ) -> Result<(Raw<Index>, Vec<Hop>)> {
        if depth > self.repository.limits().depth {
            let limit = self.repository.limits().depth as u64;
            return Err(Error::limit("indexes below index.json", "depth", limit));
        }
        let (new, on_way) = index.edit_entries(|new| self.entries(index, new, depth, task))?;
        let hops = match on_way {
            Some((position, below)) => std::iter::once(hop_to(&new, position)?).chain(below).collect(),
            None => Vec::new(),
        };
        Ok((new, hops))
    }

    /// Processes the entries of `index`, which are to be `new`; `task` returns the work for each. Returns the
    /// new position of the entry on the path, and the rest of the path below it.
    fn entries<'t>(
        &mut self,
        index: &Raw<Index>,
        new: &mut Entries<'_>,
        depth: usize,
        task: &dyn Fn(usize) -> Task<'t>,
    ) -> Result<Option<(usize, Vec<Hop>)>> {
        let mut copies = Vec::new();
        let (mut removed, mut on_way) = (0, None);
        for (position, entry) in index.view().manifests.iter().enumerate() {
            self.visited += 1;
            if self.visited > self.repository.limits().descriptors {
                let limit = self.repository.limits().descriptors as u64;
                return Err(Error::limit("descriptors in the store", "descriptors", limit));
            }
            let (now, task) = (position - removed, task(position));
            let is_place = matches!(task.way, [_]);
            if is_place || (task.everywhere && entry.digest == *self.old) {
                (self.edit)(new, now)?;
            } else if self.new.is_some() && self.is_about(entry, depth, task)? {
                self.found.push(entry.clone());
                match self.referrers {
                    Referrers::Copy if task.reach != Reach::Nowhere => copies.push(now),
                    Referrers::Drop if task.reach != Reach::Nowhere => {
                        new.remove(now)?;
                        removed += 1;
                        // Those seen so far stand before it.
                        continue;
                    }
                    _ => {}
                }
            }
            if is_place {
                on_way = Some((now, Vec::new()));
            } else if entry.media_type.is_index() && entry.digest != *self.old {
                let (below, hops) = self.below(entry, depth, task)?;
                if let Some((content, bytes)) = below {
                    replace_slot(new, now, &content, &bytes)?;
                }
                if !task.way.is_empty() {
                    on_way = Some((now, hops));
                }
            } else if !task.way.is_empty() {
                let digest = &entry.digest;
                return Err(Error::NotFound(format!(
                    "descriptor path: {digest} is not an index above the object"
                )));
            }
        }
        for position in copies {
            if let Some(about) = self.new {
                copy_for(self.repository, new, position, about)?;
            }
        }
        Ok(on_way)
    }

    fn is_about(&self, entry: &Descriptor, depth: usize, task: Task<'_>) -> Result<bool> {
        // Only entries of `index.json` have tags.
        if depth == 0 && cosign::about(entry).as_ref() == Some(self.old) {
            return Ok(true);
        }
        match is_about(self.repository, entry, self.old) {
            Err(_) if self.is_beside(task) => Ok(false),
            found => found,
        }
    }

    /// Returns whether nothing is to be changed here; damaged objects are then tolerated.
    fn is_beside(&self, task: Task<'_>) -> bool {
        task.way.is_empty()
            && !task.everywhere
            && (self.referrers == Referrers::Keep || task.reach == Reach::Nowhere)
    }

    /// Returns the index of an entry, changed; `None` if it is unchanged or absent.
    fn below(
        &mut self,
        entry: &Descriptor,
        depth: usize,
        task: Task<'_>,
    ) -> Result<(Option<Content>, Vec<Hop>)> {
        let reach = if task.reach == Reach::Below { Reach::Below } else { Reach::Nowhere };
        let task = Task { reach, ..task };
        let key = (entry.digest.clone(), task.everywhere, reach == Reach::Below);
        if task.way.is_empty()
            && let Some(done) = self.done.get(&key)
        {
            return Ok((done.clone(), Vec::new()));
        }
        let index: Raw<Index> = match self.repository.document(entry) {
            Err(Error::MissingBlob(_)) if task.way.is_empty() => return Ok((None, Vec::new())),
            Err(_) if self.is_beside(task) => return Ok((None, Vec::new())),
            index => index?,
        };
        let rest = task.way.get(1..).unwrap_or_default();
        if let Some(next) = rest.first() {
            super::check_slot(&index, next)?;
        }
        let of_entry = |position| Task {
            way: if rest.first().is_some_and(|hop| hop.position == position) { rest } else { &[] },
            ..task
        };
        let (new, hops) = self.index(&index, depth + 1, &of_entry)?;
        let changed = match new.bytes() == index.bytes() {
            true => None,
            false => {
                Some((put_document(self.repository.store(), &new, &entry.media_type)?, new.bytes().to_vec()))
            }
        };
        if task.way.is_empty() {
            self.done.insert(key, changed.clone());
        }
        Ok((changed, hops))
    }
}
