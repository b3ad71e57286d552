//! `Config.User`: `user`, `uid`, `user:group`, `uid:gid` … (image-spec, config.md), looked up in the image's
//! own files.

use std::io::Read;

use crate::{
    bundle::files,
    error::{Error, Result},
    fs::{Dir, open_file_in_root},
    limits::Limits,
    name::{EntryPath, Name},
};

/// The users and groups of an image: its `/etc/passwd` and `/etc/group`. The default is that they are not
/// known.
#[derive(Debug, Clone, Default)]
pub struct Users {
    passwd: String,
    group: String,
    /// Whether a name that is not in them is an error.
    complete: bool,
}

/// The user that a process runs as.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct User {
    pub(super) uid: u32,
    pub(super) gid: u32,
    /// Supplementary groups, in the order of `/etc/group`.
    pub(super) groups: Vec<u32>,
    /// Unknown if the image's users are.
    pub(super) home: Option<String>,
    /// Whether it is the user that was asked for, and not root in its place.
    pub(super) known: bool,
}

impl Users {
    /// Reads them from a root file system; links are followed inside it only. A file that is not there is
    /// empty.
    ///
    /// # Errors
    /// [`Error::Limit`] for a file of more than [`Limits::document`] bytes; [`Error::Io`].
    pub fn read<D: Dir>(root: &D, limits: &Limits) -> Result<Self> {
        Self::open(limits, |path| open_file_in_root(root, path, limits))
    }

    /// Reads them from the files that `open` returns.
    pub(in crate::bundle) fn open<F: Read>(
        limits: &Limits,
        mut open: impl FnMut(&EntryPath) -> Result<Option<F>>,
    ) -> Result<Self> {
        let mut text = |name| {
            let path = EntryPath::root().join(Name::literal("etc")).join(Name::literal(name));
            let Some(file) = open(&path)? else { return Ok(String::new()) };
            let text = files::read(file, &format!("rootfs/{path}"), limits)?;
            Ok::<_, Error>(String::from_utf8_lossy(&text).into_owned())
        };
        Ok(Self { passwd: text("passwd")?, group: text("group")?, complete: true })
    }

    /// Accepts names that are not in the files, which may be in a layer that was left out.
    #[must_use]
    pub fn partial(self) -> Self {
        Self { complete: false, ..self }
    }

    /// Resolves a user. A number needs no entry; a name does. Without a group, the group is that of the
    /// user's entry, and the groups that list the user are supplementary.
    pub(super) fn resolve(&self, spec: &str) -> Result<User> {
        let (user, group) = match spec.split_once(':') {
            Some((user, group)) => (user, Some(group).filter(|group| !group.is_empty())),
            None => (spec, None),
        };
        let wanted = number("user", if user.is_empty() { "0" } else { user })?;
        let entry = self.passwd.lines().filter_map(Passwd::parse).find(|entry| match wanted {
            Some(uid) => entry.uid == uid,
            None => entry.name == user,
        });
        let unknown = |file: &str, name: &str| match self.complete {
            true => {
                let reason = format!("User: {name:?} is neither a number nor in the image's /{file}");
                Err(Error::document("image config", reason))
            }
            false => Ok(User { uid: 0, gid: 0, groups: Vec::new(), home: None, known: false }),
        };
        let uid = match (wanted, &entry) {
            (Some(uid), _) => uid,
            (None, Some(entry)) => entry.uid,
            (None, None) => return unknown("etc/passwd", user),
        };
        let home = match &entry {
            Some(entry) if !entry.home.is_empty() => Some(entry.home.to_owned()),
            None if !self.complete => None,
            _ => Some("/".to_owned()),
        };
        let mut groups = self.group.lines().filter_map(Group::parse);
        let (gid, groups) = match (group, &entry) {
            (Some(group), _) => {
                let gid = match number("group", group)? {
                    Some(gid) => gid,
                    None => match groups.find(|known| known.name == group) {
                        Some(known) => known.gid,
                        None => return unknown("etc/group", group),
                    },
                };
                (gid, Vec::new())
            }
            (None, Some(entry)) => {
                let mut more: Vec<u32> = Vec::new();
                for known in
                    groups.filter(|known| known.members.split(',').any(|member| member == entry.name))
                {
                    if known.gid != entry.gid && !more.contains(&known.gid) {
                        more.push(known.gid);
                    }
                }
                (entry.gid, more)
            }
            (None, None) => (0, Vec::new()),
        };
        Ok(User { uid, gid, groups, home, known: true })
    }
}

/// Parses a decimal id; `None` for a name. A number is never a name, and 4294967295 never an id (POSIX uses
/// it for "no change").
fn number(what: &str, text: &str) -> Result<Option<u32>> {
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(None);
    }
    match text.parse() {
        Ok(id) if id != u32::MAX => Ok(Some(id)),
        _ => Err(Error::document(
            "image config",
            format!("User: {what} {text} is not between 0 and 4294967294"),
        )),
    }
}

struct Passwd<'a> {
    name: &'a str,
    uid: u32,
    gid: u32,
    home: &'a str,
}

impl<'a> Passwd<'a> {
    /// `name:password:uid:gid:gecos:home:shell` (passwd(5)); other lines are skipped.
    fn parse(line: &'a str) -> Option<Self> {
        let mut fields = line.split(':');
        let name = fields.next().filter(|name| !name.is_empty())?;
        let uid = fields.nth(1)?.parse().ok()?;
        let gid = fields.next()?.parse().ok()?;
        let home = fields.nth(1).unwrap_or("");
        Some(Self { name, uid, gid, home })
    }
}

struct Group<'a> {
    name: &'a str,
    gid: u32,
    members: &'a str,
}

impl<'a> Group<'a> {
    /// `name:password:gid:members` (group(5)).
    fn parse(line: &'a str) -> Option<Self> {
        let mut fields = line.split(':');
        let name = fields.next().filter(|name| !name.is_empty())?;
        let gid = fields.nth(1)?.parse().ok()?;
        Some(Self { name, gid, members: fields.next().unwrap_or("") })
    }
}
