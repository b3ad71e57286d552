//! `ocicle find`: files of all layers by name, size, mode, or because they look like a secret; also those that a later layer hides.

mod secret;

use std::io::Read;

use serde::Serialize;

pub use self::secret::{Secret, looks_like};
use super::{Image, look::shown};
use crate::{
    attrs::Attrs,
    digest::Digest,
    error::{Error, Result},
    layer::{Change, ChangeSink, Entry, EntryKind, reader::read_layer},
    name::EntryPath,
    store::{BlobRead, Repository},
    tree::{
        Tree,
        merge::Merge,
        provenance::{ChangeKind, Provenance},
    },
};

/// What to look for. Everything that is asked must hold; nothing asked finds everything.
#[derive(Debug, Clone, Default)]
#[allow(clippy::exhaustive_structs, reason = "made with `..Query::default()`")]
pub struct Query {
    /// A pattern with `*`, `?`, `[…]` and `{…}`: for the last name, or, if there is a slash in it, for the whole path without
    /// the slash before it, where `**` stands for any number of directories.
    pub name: Option<String>,
    /// Only files with more bytes than this.
    pub larger: Option<u64>,
    /// Only files that run with the rights of their owner or group, whoever starts them (setuid, setgid).
    pub setuid: bool,
    /// Only files that look like keys, passwords or tokens. See [`looks_like`].
    pub secret: bool,
}

/// What `ocicle find` shows. Sizes are bytes, modes octal, paths as [`super::look::Files`] has them.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Finds {
    /// In the order of the layers.
    pub found: Vec<Find>,
}

/// An entry of a layer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Find {
    /// The path as the layer has it, from the root, with a slash before it.
    pub path: String,
    /// The layer, from 1.
    pub layer: usize,
    /// Its blob.
    pub digest: Digest,
    /// `file`, `dir`, `link`, `hardlink`, `char`, `block` or `fifo`.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// Octal, such as `4755`.
    pub mode: String,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Bytes.
    pub size: u64,
    /// What kind of secret it looks like.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<Secret>,
    /// The layer, from 1, that hides it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hidden_by: Option<usize>,
    /// How: `replaced`, `removed`, or `attributes` for the same content once more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hidden_how: Option<&'static str>,
}

impl Finds {
    /// Reads and verifies all layers.
    ///
    /// # Errors
    /// Those of [`apply_layers`](super::layers::apply_layers).
    pub fn new<S: BlobRead>(repository: &Repository<S>, image: &Image, query: &Query) -> Result<Self> {
        let mut merge = Merge::new(Tree::new(), Provenance::new(), repository.limits());
        let mut hits = Vec::new();
        let mut files = 0;
        for (layer, (blob, diff_id)) in image.layers().enumerate() {
            let mut sink = Finder { merge: &mut merge, query, layer, files, hits: &mut hits };
            read_layer(repository, blob, diff_id, &mut sink)?;
            files = sink.files;
            merge.next_layer()?;
        }
        let (tree, provenance) = merge.finish()?;
        let blobs: Vec<_> = image.layers().map(|(blob, _)| &blob.digest).collect();
        let found = hits.into_iter().filter_map(|hit| {
            let digest = (*blobs.get(hit.layer)?).clone();
            Some(hit.into_find(digest, &tree, &provenance))
        });
        Ok(Self { found: found.collect() })
    }
}

/// Looks at what goes on to the merge.
struct Finder<'a> {
    merge: &'a mut Merge<Provenance>,
    query: &'a Query,
    layer: usize,
    /// Files of all layers so far.
    files: usize,
    hits: &'a mut Vec<Hit>,
}

/// Of an entry that meets the query.
struct Hit {
    layer: usize,
    path: EntryPath,
    attrs: Attrs,
    entry_kind: EntryKind,
    /// For a file: the how many-th of all layers.
    file: Option<usize>,
    secret: Option<Secret>,
}

impl ChangeSink for Finder<'_> {
    fn put(&mut self, change: &Change, body: &mut dyn Read) -> Result<()> {
        let Change::Put(entry) = change else { return self.merge.put(change, body) };
        let file = matches!(entry.kind, EntryKind::File { .. }).then_some(self.files);
        self.files += usize::from(file.is_some());
        if !self.query.admits(entry) {
            return self.merge.put(change, body);
        }
        let secret = match (self.query.secret, file) {
            (false, _) => {
                self.merge.put(change, body)?;
                None
            }
            (true, None) => return self.merge.put(change, body),
            (true, Some(_)) => {
                let mut head = Vec::new();
                (&mut *body).take(secret::HEAD).read_to_end(&mut head).map_err(Error::io("read layer"))?;
                self.merge.put(change, &mut (&head[..]).chain(body))?;
                let Some(secret) = looks_like(&entry.path, &head) else { return Ok(()) };
                Some(secret)
            }
        };
        let Entry { path, attrs, kind } = entry.clone();
        self.hits.push(Hit { layer: self.layer, path, attrs, entry_kind: kind, file, secret });
        Ok(())
    }
}

impl Query {
    /// Whether an entry has the name, the size and the mode.
    fn admits(&self, entry: &Entry) -> bool {
        let size = match entry.kind {
            EntryKind::File { size } => Some(size),
            _ => None,
        };
        let name = self.name.as_ref().is_none_or(|pattern| {
            let path = entry.path.as_bytes();
            let last = path.rsplit(|&byte| byte == b'/').next().unwrap_or_default();
            fast_glob::glob_match(pattern.as_bytes(), if pattern.contains('/') { path } else { last })
        });
        name && self.larger.is_none_or(|than| size.is_some_and(|size| size > than))
            && (!self.setuid || size.is_some() && entry.attrs.mode & 0o6000 != 0)
    }
}

impl Hit {
    fn into_find(self, digest: Digest, tree: &Tree, provenance: &Provenance) -> Find {
        let Self { layer, path, attrs, entry_kind, file, secret } = self;
        let (kind, size) = match entry_kind {
            EntryKind::File { size } => ("file", size),
            EntryKind::Dir => ("dir", 0),
            EntryKind::Symlink { .. } => ("link", 0),
            EntryKind::HardLink { .. } => ("hardlink", 0),
            EntryKind::Char { .. } => ("char", 0),
            EntryKind::Block { .. } => ("block", 0),
            EntryKind::Fifo => ("fifo", 0),
        };
        let stored = file.and_then(|file| provenance.stored().get(file));
        let hidden = match (stored, &entry_kind) {
            (Some(stored), _) => stored.hidden.as_ref().map(|hidden| (hidden.layer, hidden.kind)),
            // What is no file is known by its path alone.
            (None, EntryKind::Dir) => {
                hidden_later(&path, layer, provenance).filter(|_| tree.get(&path).is_none())
            }
            (None, _) => hidden_later(&path, layer, provenance),
        };
        Find {
            path: shown(&path),
            layer: layer + 1,
            digest,
            kind,
            mode: format!("{:04o}", attrs.mode),
            uid: attrs.uid,
            gid: attrs.gid,
            size,
            secret,
            hidden_by: hidden.map(|(layer, _)| layer + 1),
            hidden_how: hidden.map(|(_, kind)| match kind {
                ChangeKind::Removed => "removed",
                ChangeKind::Attributes => "attributes",
                ChangeKind::Replaced | ChangeKind::Added | ChangeKind::Linked => "replaced",
            }),
        }
    }
}

/// The first layer above that does something to the path.
fn hidden_later(path: &EntryPath, layer: usize, provenance: &Provenance) -> Option<(usize, ChangeKind)> {
    let changes = provenance.changes();
    let above = changes.partition_point(|change| change.layer <= layer);
    let change = changes.get(above..)?.iter().find(|change| change.path == *path)?;
    Some((change.layer, change.kind))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests may")]

    use super::{Finds, Query};
    use crate::{
        image::testing::image,
        store::Repository,
        tree::testing::{Item, dir, file, link, remove, symlink},
    };

    const KEY: &str =
        "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAA\n-----END OPENSSH PRIVATE KEY-----\n";

    fn find(query: &Query) -> Vec<String> {
        let layers: &[&[Item]] = &[
            &[
                dir("root"),
                dir("root/.ssh"),
                file("root/.ssh/id_x", KEY),
                file("big", &"x".repeat(2000)),
                file("tool.py", "print(1)"),
                symlink("py", "tool.py"),
                link("again", "tool.py"),
            ],
            &[remove("root"), file("tool.py", "print(2)"), file("big", &"x".repeat(2000))],
            &[remove("py"), remove("again"), dir("root")],
        ];
        let store = Repository::in_memory().unwrap();
        let image = image(&store, layers);
        let finds = Finds::new(&store, &image, query).unwrap();
        assert!(
            finds.found.iter().all(|find| find.digest == image.manifest.view().layers[find.layer - 1].digest)
        );
        let line = |find: &super::Find| {
            let secret = find.secret.as_ref().map_or("", super::Secret::name);
            let hidden =
                find.hidden_by.map_or("there".into(), |by| format!("{} by {by}", find.hidden_how.unwrap()));
            format!("{} {} {} {secret}: {hidden}", find.layer, find.kind, find.path)
        };
        finds.found.iter().map(line).collect()
    }

    fn named(pattern: &str) -> Query {
        Query { name: Some(pattern.into()), ..Query::default() }
    }

    #[test]
    fn hidden_secrets_are_found() {
        let query = Query { secret: true, ..Query::default() };
        assert_eq!(find(&query), ["1 file /root/.ssh/id_x private key: removed by 2"]);
    }

    #[test]
    fn names_are_patterns() {
        assert_eq!(
            find(&named("*py")),
            ["1 file /tool.py : removed by 3", "1 link /py : removed by 3", "2 file /tool.py : there"]
        );
        assert_eq!(find(&named("again")), ["1 hardlink /again : removed by 3"]);
        assert_eq!(find(&named("root/*")), ["1 dir /root/.ssh : removed by 2"]);
        assert_eq!(find(&named("**/id_?")), ["1 file /root/.ssh/id_x : removed by 2"]);
        assert_eq!(find(&named("root")), ["1 dir /root : there", "3 dir /root : there"]);
        assert_eq!(find(&named("nothing")), Vec::<String>::new());
    }

    #[test]
    fn all_that_is_asked_must_hold() {
        let large = Query { larger: Some(1999), ..Query::default() };
        assert_eq!(find(&large), ["1 file /big : attributes by 2", "2 file /big : there"]);
        assert_eq!(find(&Query { larger: Some(2000), ..Query::default() }), Vec::<String>::new());
        assert_eq!(find(&Query { setuid: true, ..large }), Vec::<String>::new());
    }
}
