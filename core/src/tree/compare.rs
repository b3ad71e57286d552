//! Comparison of two trees.

use super::{Content, Inode, InodeId, Tree};
use crate::name::EntryPath;

/// A path that differs between two trees.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(clippy::exhaustive_structs, reason = "a plain value")]
pub struct PathDiff {
    /// The path.
    pub path: EntryPath,
    /// The inode in the first tree.
    pub before: Option<InodeId>,
    /// The inode in the second tree.
    pub after: Option<InodeId>,
    /// The properties that differ; empty if the path is in only one tree.
    pub properties: Vec<Property>,
}

/// A property in which inodes can differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[allow(clippy::exhaustive_enums, reason = "all that an inode has")]
pub enum Property {
    /// File, directory, link …
    Type,
    /// Content of a file, target of a link, or numbers of a device.
    Content,
    /// Mode.
    Mode,
    /// Owner or group.
    Owner,
    /// Extended attributes.
    Xattrs,
    /// Time of last change of the content.
    Time,
    /// The number of names.
    Links,
}

impl Property {
    /// Returns the name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Type => "type",
            Self::Content => "content",
            Self::Mode => "mode",
            Self::Owner => "owner",
            Self::Xattrs => "xattrs",
            Self::Time => "time",
            Self::Links => "links",
        }
    }
}

/// Reports every path that differs, in the order of the trees, including everything below a directory that
/// only one tree has.
pub fn between(before: &Tree, after: &Tree, tell: &mut dyn FnMut(PathDiff)) {
    pair(before, after, &EntryPath::root(), Some(Tree::ROOT), Some(Tree::ROOT), tell);
}

/// Depth is bounded: see [`super::merge`].
fn pair(
    before: &Tree,
    after: &Tree,
    path: &EntryPath,
    old: Option<InodeId>,
    new: Option<InodeId>,
    tell: &mut dyn FnMut(PathDiff),
) {
    let properties = match (old, new) {
        (Some(old), Some(new)) => properties(before.inode(old), after.inode(new)),
        _ => Vec::new(),
    };
    if old.is_none() || new.is_none() || !properties.is_empty() {
        tell(PathDiff { path: path.clone(), before: old, after: new, properties });
    }
    let entries = |tree: &'_ Tree, id: Option<InodeId>| -> Vec<_> {
        let entries = id.and_then(|id| tree.entries(id)).into_iter().flatten();
        entries.map(|(name, id)| (name.clone(), *id)).collect()
    };
    let (mut left, mut right) =
        (entries(before, old).into_iter().peekable(), entries(after, new).into_iter().peekable());
    loop {
        let (name, old, new) = match (left.peek(), right.peek()) {
            (None, None) => break,
            (Some((a, _)), Some((b, _))) if a == b => {
                (a.clone(), left.next().map(|(_, id)| id), right.next().map(|(_, id)| id))
            }
            (Some((a, _)), b) if b.is_none_or(|(b, _)| a < b) => {
                (a.clone(), left.next().map(|(_, id)| id), None)
            }
            (_, Some((b, _))) => (b.clone(), None, right.next().map(|(_, id)| id)),
            (Some(_), None) => break, // the arm before has it
        };
        pair(before, after, &path.join(name.as_name()), old, new, tell);
    }
}

fn properties(before: &Inode, after: &Inode) -> Vec<Property> {
    let content = match (&before.content, &after.content) {
        (Content::Dir(_), Content::Dir(_)) => None,
        (a, b) if std::mem::discriminant(a) != std::mem::discriminant(b) => Some(Property::Type),
        (a, b) => (a != b).then_some(Property::Content),
    };
    let (a, b) = (&before.attrs, &after.attrs);
    let rest = [
        (Property::Mode, a.mode != b.mode),
        (Property::Owner, (a.uid, a.gid) != (b.uid, b.gid)),
        (Property::Xattrs, a.xattrs != b.xattrs),
        (Property::Time, a.mtime != b.mtime),
        (Property::Links, before.nlink != after.nlink),
    ];
    content
        .into_iter()
        .chain(rest.into_iter().filter(|(_, differs)| *differs).map(|(property, _)| property))
        .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests may")]

    use super::between;
    use crate::tree::testing::{Item, dir, file, link, symlink, tree};

    fn told(before: &[Item], after: &[Item]) -> Vec<String> {
        let mut lines = Vec::new();
        between(&tree(&[before]).unwrap(), &tree(&[after]).unwrap(), &mut |diff| {
            let sign = match (diff.before, diff.after) {
                (None, _) => "+",
                (_, None) => "-",
                _ => "~",
            };
            let properties: Vec<_> = diff.properties.iter().map(|property| property.name()).collect();
            lines.push(format!("{sign}/{} {}", diff.path, properties.join(",")).trim_end().to_owned());
        });
        lines
    }

    #[test]
    fn every_differing_path_is_reported() {
        let before = [
            dir("d"),
            file("d/a", "1"),
            dir("gone"),
            file("gone/x", "x"),
            symlink("l", "d"),
            file("t", "t"),
            file("u", "u"),
        ];
        let after = [
            dir("d"),
            file("d/a", "2"),
            file("d/b", "b"),
            symlink("l", "e"),
            dir("t"),
            file("t/in", ""),
            file("u", "u"),
            link("v", "u"),
        ];
        assert_eq!(
            told(&before, &after),
            [
                "~/d/a content",
                "+/d/b",
                "-/gone",
                "-/gone/x",
                "~/l content",
                "~/t type,mode",
                "+/t/in",
                "~/u links",
                "+/v"
            ]
        );
        assert_eq!(told(&before, &before), [""; 0]);
    }
}
