//! How overlayfs spells what a layer hides, and the way back: an upper directory becomes changes.
//!
//! A whiteout is a character device 0:0, or an empty file marked so in a directory marked so; a directory that hides lower
//! ones is marked opaque. The marks are extended attributes of one [`Namespace`], which depends on the mount option
//! `userxattr`. Overlayfs keeps its other notes there, too. Attributes of an image that look like marks are escaped.
//!
//! Source: Linux, Documentation/filesystems/overlayfs.rst, "whiteouts and opaque directories", "Nesting overlayfs mounts",
//! "Permission model" (`userxattr`), "redirect_dir", "Metadata only copy up".

mod upper;

use serde::{Deserialize, Serialize};

pub use self::upper::FromUpper;
use crate::attrs::Xattrs;

/// Where overlayfs keeps its marks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[allow(clippy::exhaustive_enums, reason = "the two that overlayfs knows")]
pub enum Namespace {
    /// `trusted.overlay.`: for mounts by root of the machine.
    #[default]
    Trusted,
    /// `user.overlay.`: for mounts with `userxattr`, as in a user namespace.
    User,
}

const ESCAPE: &[u8] = b"overlay.";

impl Namespace {
    fn prefix(self) -> &'static [u8] {
        match self {
            Self::Trusted => b"trusted.overlay.",
            Self::User => b"user.overlay.",
        }
    }

    /// The full name of a mark, such as `trusted.overlay.opaque` of `opaque`.
    fn name(self, mark: &[u8]) -> Box<[u8]> {
        [self.prefix(), mark].concat().into()
    }

    /// A mark of a set of attributes.
    fn mark<'a>(self, xattrs: &'a Xattrs, mark: &[u8]) -> Option<&'a [u8]> {
        if xattrs.is_empty() {
            return None;
        }
        xattrs.get(&self.name(mark)).map(|value| &**value)
    }

    /// Marks a directory opaque: what lower layers have in it does not show.
    pub(crate) fn set_opaque(self, xattrs: &mut Xattrs) {
        xattrs.insert(self.name(b"opaque"), b"y"[..].into());
    }

    /// Attributes of an image as they lie in a directory that overlayfs shows: `trusted.overlay.X` becomes
    /// `trusted.overlay.overlay.X`.
    ///
    /// ```
    /// use ocicle::{attrs::Xattrs, layer::overlayfs::Namespace};
    ///
    /// let of_image = Xattrs::from([(b"user.overlay.x"[..].into(), b"1"[..].into())]);
    /// let on_disk = Namespace::User.escape(&of_image);
    /// assert!(on_disk.contains_key(&b"user.overlay.overlay.x"[..]));
    /// assert_eq!(Namespace::User.unescape(&on_disk), of_image);
    /// assert_eq!(Namespace::Trusted.escape(&of_image), of_image);
    /// ```
    #[must_use]
    pub fn escape(self, xattrs: &Xattrs) -> Xattrs {
        let escaped = |name: &[u8]| match name.strip_prefix(self.prefix()) {
            Some(rest) => [self.prefix(), ESCAPE, rest].concat().into(),
            None => name.into(),
        };
        xattrs.iter().map(|(name, value)| (escaped(name), value.clone())).collect()
    }

    /// The reverse of [`Namespace::escape`]. What overlayfs keeps for itself is left out.
    #[must_use]
    pub fn unescape(self, xattrs: &Xattrs) -> Xattrs {
        let unescaped = |name: &[u8]| match name.strip_prefix(self.prefix()) {
            Some(rest) => rest.strip_prefix(ESCAPE).map(|rest| self.name(rest)),
            None => Some(name.into()),
        };
        xattrs.iter().filter_map(|(name, value)| Some((unescaped(name)?, value.clone()))).collect()
    }

    /// What overlayfs keeps for itself, among these attributes.
    pub(crate) fn notes(self, xattrs: &Xattrs) -> Xattrs {
        let is_note =
            |name: &[u8]| name.strip_prefix(self.prefix()).is_some_and(|rest| !rest.starts_with(ESCAPE));
        xattrs.iter().filter(|(name, _)| is_note(name)).map(|(n, v)| (n.clone(), v.clone())).collect()
    }
}
