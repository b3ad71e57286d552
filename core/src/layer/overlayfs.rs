//! The marks of overlayfs for whiteouts and opaque directories, and the conversion of an upper directory to
//! changes.
//!
//! A whiteout is a character device 0:0, or a marked empty file in a marked directory; a directory that hides
//! lower ones is marked opaque. The marks are extended attributes in a [`Namespace`], which depends on the
//! mount option `userxattr`, and where overlayfs also keeps other data. Attributes of an image that look like
//! marks are escaped.
//!
//! Source: Linux, Documentation/filesystems/overlayfs.rst, "whiteouts and opaque directories", "Nesting
//! overlayfs mounts", "Permission model" (`userxattr`), "redirect_dir", "Metadata only copy up".

mod upper;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

pub use self::upper::FromUpper;
use crate::attrs::Xattrs;

/// The namespace of the extended attributes of overlayfs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[allow(clippy::exhaustive_enums, reason = "the two that overlayfs knows")]
pub enum Namespace {
    /// `trusted.overlay.`: for mounts by root of the host.
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

    /// Returns the full name of a mark, such as `trusted.overlay.opaque` for `opaque`.
    fn name(self, mark: &[u8]) -> Arc<[u8]> {
        [self.prefix(), mark].concat().into()
    }

    /// Returns the value of a mark.
    fn mark<'a>(self, xattrs: &'a Xattrs, mark: &[u8]) -> Option<&'a [u8]> {
        if xattrs.is_empty() {
            return None;
        }
        xattrs.get(&self.name(mark)).map(|value| &**value)
    }

    /// Marks a directory opaque: its entries in lower layers are hidden.
    pub(crate) fn set_opaque(self, xattrs: &mut Xattrs) {
        xattrs.insert(self.name(b"opaque"), b"y"[..].into());
    }

    /// Escapes attributes of an image, so that overlayfs shows them: `trusted.overlay.X` becomes
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

    /// Reverses [`Namespace::escape`], leaving out the attributes of overlayfs itself.
    #[must_use]
    pub fn unescape(self, xattrs: &Xattrs) -> Xattrs {
        let unescaped = |name: &[u8]| match name.strip_prefix(self.prefix()) {
            Some(rest) => rest.strip_prefix(ESCAPE).map(|rest| self.name(rest)),
            None => Some(name.into()),
        };
        xattrs.iter().filter_map(|(name, value)| Some((unescaped(name)?, value.clone()))).collect()
    }

    /// Returns the attributes that overlayfs keeps for itself.
    pub(crate) fn notes(self, xattrs: &Xattrs) -> Xattrs {
        let is_note =
            |name: &[u8]| name.strip_prefix(self.prefix()).is_some_and(|rest| !rest.starts_with(ESCAPE));
        xattrs.iter().filter(|(name, _)| is_note(name)).map(|(n, v)| (n.clone(), v.clone())).collect()
    }
}
