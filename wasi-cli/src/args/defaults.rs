//! The owner and mode of new files, where the file system stores neither.

use clap::Args as ClapArgs;
use ocicle::tree::emulated;

/// The owner and mode of new files where the file system stores neither, as in a WASI sandbox. Without effect
/// elsewhere.
#[derive(Debug, ClapArgs)]
#[command(next_help_heading = "In a sandbox")]
pub(crate) struct Defaults {
    /// Owner of new files, where the file system stores none.
    #[arg(long, value_name = "UID[:GID]", value_parser = owner, default_value = "0:0")]
    pub(crate) default_owner: (u32, u32),
    /// Mode of new files, in octal, where the file system stores none; directories get an execute bit for
    /// each read bit.
    #[arg(long, value_name = "MODE", value_parser = mode, default_value = "0644")]
    pub(crate) default_mode: u32,
}

impl Default for Defaults {
    fn default() -> Self {
        Self { default_owner: (0, 0), default_mode: 0o644 }
    }
}

impl Defaults {
    pub(crate) fn get(&self) -> emulated::Defaults {
        emulated::Defaults { owner: self.default_owner, mode: self.default_mode }
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
    use clap::{Args as _, FromArgMatches as _};

    use super::{Defaults, mode, owner};

    #[test]
    fn defaults_are_those_of_the_options() {
        let options = Defaults::augment_args(clap::Command::new("test"));
        let parsed = Defaults::from_arg_matches(&options.get_matches_from(["test"]));
        let shown = |defaults: &Defaults| format!("{defaults:?}");
        assert_eq!(parsed.as_ref().ok().map(shown), Some(shown(&Defaults::default())));
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
