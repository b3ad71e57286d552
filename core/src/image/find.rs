//! Finding files in all layers by name, size or mode, or because they look like a secret; also those that an
//! upper layer hides.

mod secret;

use std::io::Read;

pub use self::secret::{Secret, looks_like};
use super::Image;
use crate::{
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

/// The conditions of a search. An entry must meet all that are set; the default finds everything.
#[derive(Debug, Clone, Default)]
#[allow(clippy::exhaustive_structs, reason = "made with `..FindQuery::default()`")]
pub struct FindQuery {
    /// A pattern with `*`, `?`, `[…]` and `{…}`: for the last name, or, if it has a slash, for the whole path
    /// without the leading slash, where `**` matches any number of directories.
    pub name: Option<String>,
    /// Whether the pattern ignores case.
    pub ignore_case: bool,
    /// Only files with more bytes than this.
    pub larger: Option<u64>,
    /// Whether to find only files that run with the rights of their owner or group (setuid, setgid).
    pub setuid: bool,
    /// Whether to find only files that look like keys, passwords or tokens. See [`looks_like`].
    pub secret: bool,
}

/// An entry of a layer that meets a [`FindQuery`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct FoundEntry {
    /// The number of the layer, from 1.
    pub layer: usize,
    /// The digest of the layer's blob.
    pub digest: Digest,
    /// The entry as the layer has it.
    pub entry: Entry,
    /// The kind of secret that it looks like, if [`FindQuery::secret`] is set.
    pub secret: Option<Secret>,
    /// The upper layer that hides it, if one does.
    pub hidden: Option<HiddenBy>,
}

/// The layer that hides an entry of a layer below it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct HiddenBy {
    /// The number of the layer, from 1.
    pub layer: usize,
    /// [`ChangeKind::Replaced`], [`ChangeKind::Removed`], or [`ChangeKind::Attributes`] if the layer stores
    /// the same content again.
    pub kind: ChangeKind,
}

/// Finds entries in all layers, in the order of the layers. Reads and verifies all of them.
///
/// # Errors
/// Those of [`apply_layers`](super::layers::apply_layers).
pub fn find<S: BlobRead>(
    repository: &Repository<S>,
    image: &Image,
    query: &FindQuery,
) -> Result<Vec<FoundEntry>> {
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
        Some(hit.into_found(digest, &tree, &provenance))
    });
    Ok(found.collect())
}

/// A sink that examines the changes and passes them on to the merge.
struct Finder<'a> {
    merge: &'a mut Merge<Provenance>,
    query: &'a FindQuery,
    layer: usize,
    /// Files of all layers so far.
    files: usize,
    hits: &'a mut Vec<Hit>,
}

/// An entry that meets the query.
struct Hit {
    layer: usize,
    entry: Entry,
    /// For a file: its zero-based position among the files of all layers.
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
        self.hits.push(Hit { layer: self.layer, entry: entry.clone(), file, secret });
        Ok(())
    }
}

impl FindQuery {
    /// Returns whether the pattern matches the name of a path; without a pattern, every name does.
    #[must_use]
    pub fn admits_name(&self, path: &EntryPath) -> bool {
        let Some(pattern) = &self.name else { return true };
        let path = path.as_bytes();
        let last = path.rsplit(|&byte| byte == b'/').next().unwrap_or_default();
        let name = if pattern.contains('/') { path } else { last };
        match self.ignore_case {
            true => fast_glob::glob_match(folded(pattern.as_bytes()), folded(name)),
            false => fast_glob::glob_match(pattern.as_bytes(), name),
        }
    }

    /// Returns whether an entry has the name, the size and the mode.
    fn admits(&self, entry: &Entry) -> bool {
        let size = match entry.kind {
            EntryKind::File { size } => Some(size),
            _ => None,
        };
        self.admits_name(&entry.path)
            && self.larger.is_none_or(|than| size.is_some_and(|size| size > than))
            && (!self.setuid || size.is_some() && entry.attrs.mode & 0o6000 != 0)
    }
}

impl Hit {
    fn into_found(self, digest: Digest, tree: &Tree, provenance: &Provenance) -> FoundEntry {
        let Self { layer, entry, file, secret } = self;
        let stored = file.and_then(|file| provenance.stored().get(file));
        let hidden = match (stored, &entry.kind) {
            (Some(stored), _) => stored.hidden.as_ref().map(|hidden| (hidden.layer, hidden.kind)),
            // Anything but a file is matched by its path alone.
            (None, EntryKind::Dir) => {
                hidden_later(&entry.path, layer, provenance).filter(|_| tree.get(&entry.path).is_none())
            }
            (None, _) => hidden_later(&entry.path, layer, provenance),
        };
        let hidden = hidden.map(|(layer, kind)| HiddenBy {
            layer: layer + 1,
            kind: match kind {
                ChangeKind::Added | ChangeKind::Linked => ChangeKind::Replaced,
                other => other,
            },
        });
        FoundEntry { layer: layer + 1, digest, entry, secret, hidden }
    }
}

/// Returns a name in lower case.
fn folded(name: &[u8]) -> Vec<u8> {
    std::str::from_utf8(name)
        .map_or_else(|_| name.to_ascii_lowercase(), |text| text.to_lowercase().into_bytes())
}

/// Returns the lowest layer above that changes the path.
fn hidden_later(path: &EntryPath, layer: usize, provenance: &Provenance) -> Option<(usize, ChangeKind)> {
    let changes = provenance.changes();
    let above = changes.partition_point(|change| change.layer <= layer);
    let change = changes.get(above..)?.iter().find(|change| change.path == *path)?;
    Some((change.layer, change.kind))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests may")]

    use super::{FindQuery, FoundEntry, find};
    use crate::{
        image::testing::image,
        limits::Limits,
        name::EntryPath,
        store::Repository,
        tree::testing::{Item, dir, file, link, remove, symlink},
    };

    const KEY: &str =
        "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAA\n-----END OPENSSH PRIVATE KEY-----\n";

    fn lines(query: &FindQuery) -> Vec<String> {
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
        let found = find(&store, &image, query).unwrap();
        let layers = &image.manifest.view().layers;
        assert!(found.iter().all(|found| found.digest == layers[found.layer - 1].digest));
        let line = |FoundEntry { layer, entry, secret, hidden, .. }: &FoundEntry| {
            let secret = secret.as_ref().map_or("", super::Secret::name);
            let hidden = hidden.map_or("there".into(), |by| format!("{} by {}", by.kind.name(), by.layer));
            format!("{layer} {} {secret}: {hidden}", entry.path)
        };
        found.iter().map(line).collect()
    }

    fn named(pattern: &str) -> FindQuery {
        FindQuery { name: Some(pattern.into()), ..FindQuery::default() }
    }

    #[test]
    fn hidden_secrets_are_found() {
        let query = FindQuery { secret: true, ..FindQuery::default() };
        assert_eq!(lines(&query), ["1 root/.ssh/id_x private key: removed by 2"]);
    }

    #[test]
    fn patterns_can_ignore_case() {
        let query = |name: &str, ignore_case| FindQuery { ignore_case, ..named(name) };
        assert_eq!(lines(&query("TOOL.*", false)), Vec::<String>::new());
        assert_eq!(lines(&query("TOOL.*", true)), ["1 tool.py : removed by 3", "2 tool.py : there"]);
        let admits = |pattern: &str, name: &[u8]| {
            query(pattern, true).admits_name(&EntryPath::clean(name, &Limits::default()).unwrap())
        };
        assert!(admits("*ünï*", "a/ÜNÏ.txt".as_bytes()) && admits("LATIN-*", b"latin-\xe9"));
        assert!(admits("A/**/*.Txt", b"a/b/c.TXT") && !admits("\\[X]", b"x") && admits("\\[X]", b"[x]"));
    }

    #[test]
    fn names_are_patterns() {
        assert_eq!(
            lines(&named("*py")),
            ["1 tool.py : removed by 3", "1 py : removed by 3", "2 tool.py : there"]
        );
        assert_eq!(lines(&named("again")), ["1 again : removed by 3"]);
        assert_eq!(lines(&named("root/*")), ["1 root/.ssh : removed by 2"]);
        assert_eq!(lines(&named("**/id_?")), ["1 root/.ssh/id_x : removed by 2"]);
        assert_eq!(lines(&named("root")), ["1 root : there", "3 root : there"]);
        assert_eq!(lines(&named("nothing")), Vec::<String>::new());
    }

    #[test]
    fn entries_must_meet_all_conditions() {
        let large = FindQuery { larger: Some(1999), ..FindQuery::default() };
        assert_eq!(lines(&large), ["1 big : attributes by 2", "2 big : there"]);
        assert_eq!(lines(&FindQuery { larger: Some(2000), ..FindQuery::default() }), Vec::<String>::new());
        assert_eq!(lines(&FindQuery { setuid: true, ..large }), Vec::<String>::new());
    }
}
