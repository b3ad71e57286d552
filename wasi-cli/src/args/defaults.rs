//! The owner and mode of new files, where the file system stores neither.

use std::io::Read;

use clap::Args as ClapArgs;
use ocicle::{
    fs::FileType,
    layer::{Change, ChangeSink, EntryKind},
    tree::emulated,
};

/// The owner and mode of new files where the file system stores neither, as in a WASI sandbox. `insert` uses
/// them natively as well, so that a job gives the same image in a sandbox and outside.
#[derive(Debug, Default, ClapArgs)]
#[command(next_help_heading = "As in a sandbox")]
pub(crate) struct Defaults {
    /// Owner of new files, where the file system stores none, and of all that `insert` adds [default: 0:0].
    #[arg(long, value_name = "UID[:GID]", value_parser = owner)]
    pub(crate) default_owner: Option<(u32, u32)>,
    /// Mode of new files, in octal, where the file system stores none, and of all that `insert` adds;
    /// directories get an execute bit for each read bit [default: 0644].
    #[arg(long, value_name = "MODE", value_parser = mode)]
    pub(crate) default_mode: Option<u32>,
}

impl Defaults {
    pub(crate) fn get(&self) -> emulated::Defaults {
        emulated::Defaults {
            owner: self.default_owner.unwrap_or_default(),
            mode: self.default_mode.unwrap_or(0o644),
        }
    }

    /// Returns whether one of them was given.
    pub(crate) fn are_given(&self) -> bool {
        self.default_owner.is_some() || self.default_mode.is_some()
    }
}

/// A sink that passes entries on as a sandbox sees them: with default owners and modes, and without extended
/// attributes.
pub(crate) struct WithDefaults<'a> {
    pub(crate) sink: &'a mut dyn ChangeSink,
    pub(crate) defaults: emulated::Defaults,
}

impl ChangeSink for WithDefaults<'_> {
    fn put(&mut self, change: &Change, body: &mut dyn Read) -> ocicle::Result<()> {
        let Change::Put(entry) = change else { return self.sink.put(change, body) };
        let mut entry = entry.clone();
        (entry.attrs.uid, entry.attrs.gid) = self.defaults.owner;
        entry.attrs.xattrs.clear();
        match entry.kind {
            EntryKind::File { .. } => entry.attrs.mode = self.defaults.mode_of(FileType::File),
            EntryKind::Dir => entry.attrs.mode = self.defaults.mode_of(FileType::Dir),
            _ => {}
        }
        self.sink.put(&Change::Put(entry), body)
    }
}

fn owner(text: &str) -> Result<(u32, u32), String> {
    let (uid, gid) = text.split_once(':').unwrap_or((text, text));
    match (uid.parse(), gid.parse()) {
        (Ok(uid), Ok(gid)) => Ok((uid, gid)),
        _ => Err("expected numbers: UID[:GID]".into()),
    }
}

fn mode(text: &str) -> Result<u32, String> {
    u32::from_str_radix(text, 8)
        .ok()
        .filter(|mode| *mode <= 0o7777)
        .ok_or_else(|| "expected an octal number up to 7777".into())
}

#[cfg(test)]
mod tests {
    use super::{Defaults, mode, owner};

    #[test]
    fn defaults_are_those_of_a_sandbox() {
        let none = Defaults::default();
        assert_eq!((none.get().owner, none.get().mode), ((0, 0), 0o644));
        assert!(!none.are_given());
        let owner = Defaults { default_owner: Some((5, 6)), ..none };
        assert_eq!((owner.are_given(), owner.get().owner, owner.get().mode), (true, (5, 6), 0o644));
    }

    #[test]
    fn numbers_are_read() {
        assert_eq!((owner("5:6"), owner("7"), mode("0644")), (Ok((5, 6)), Ok((7, 7)), Ok(0o644)));
        for wrong in ["", "a", "1:", ":1", "-1:0", "1:2:3"] {
            assert!(owner(wrong).is_err(), "{wrong}");
        }
        for wrong in ["", "8", "10000", "-1", "u=rw"] {
            assert!(mode(wrong).is_err(), "{wrong}");
        }
    }
}
