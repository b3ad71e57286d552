//! What differs between native and WASI. No other file of the command has a `cfg` for a system.

use std::{
    io,
    path::{Path, PathBuf},
};

/// As many links as Linux follows for one path.
const MAX_LINKS: usize = 40;

/// Whether this is a sandbox, which sees only the directories that it is given.
pub(crate) const IS_SANDBOX: bool = cfg!(target_os = "wasi");

pub(crate) use imp::{Bar, SystemDir, create_private_dir, ids, open_dir, platform, real_path, why_refused};

/// The path of what links at a path lead to; the path itself where there is no link.
pub(crate) fn follow(path: &Path) -> io::Result<PathBuf> {
    let mut at = path.to_owned();
    for _ in 0..MAX_LINKS {
        match std::fs::read_link(&at) {
            Ok(target) => at = at.parent().unwrap_or(Path::new("")).join(target),
            // No link, or nothing at all: whoever opens it says so.
            Err(_) => return Ok(at),
        }
    }
    Err(io::Error::other(format!("more than {MAX_LINKS} links lead on from it")))
}

#[cfg(unix)]
mod imp {
    use std::{
        env::consts,
        fs::{self, DirBuilder},
        io::{self, IsTerminal as _},
        os::unix::fs::DirBuilderExt as _,
        path::{Path, PathBuf},
    };

    use cap_std::{ambient_authority, fs::Dir};
    use indicatif::{ProgressBar, ProgressStyle};

    /// A directory of this system.
    pub(crate) type SystemDir = ocicle::fs::host::HostDir;

    pub(crate) fn open_dir(path: &Path) -> io::Result<SystemDir> {
        Ok(SystemDir::new(Dir::open_ambient_dir(path, ambient_authority())?))
    }

    /// Makes a directory for its owner alone.
    pub(crate) fn create_private_dir(path: &Path) -> io::Result<()> {
        DirBuilder::new().mode(0o700).create(path)
    }

    /// The path without links in it.
    pub(crate) fn real_path(path: &Path) -> io::Result<PathBuf> {
        fs::canonicalize(path)
    }

    /// User and group of this process, if there are such.
    pub(crate) fn ids() -> Option<(u32, u32)> {
        Some((rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw()))
    }

    /// The platform of this machine, if it can be known, as `OS/ARCHITECTURE`.
    pub(crate) fn platform() -> Option<String> {
        Some(format!("{}/{}", consts::OS, consts::ARCH))
    }

    /// What to add to an error of the system, where its words leave one in the dark.
    pub(crate) fn why_refused(_message: &str) -> Option<&'static str> {
        None
    }

    /// A progress bar on standard error.
    pub(crate) struct Bar(ProgressBar);

    impl Bar {
        /// A bar, if standard error is a terminal.
        pub(crate) fn new(doing: &'static str, total: Option<u64>) -> Option<Self> {
            if !io::stderr().is_terminal() {
                return None;
            }
            let (bar, template) = match total {
                Some(total) => (
                    ProgressBar::new(total),
                    "{msg} [{bar:30}] {decimal_bytes}/{decimal_total_bytes} {decimal_bytes_per_sec} {eta}",
                ),
                None => {
                    (ProgressBar::new_spinner(), "{spinner} {msg} {decimal_bytes} {decimal_bytes_per_sec}")
                }
            };
            // The style first: a message draws.
            if let Ok(style) = ProgressStyle::with_template(template) {
                bar.set_style(style.progress_chars("=> "));
            }
            bar.set_message(doing);
            Some(Self(bar))
        }

        pub(crate) fn add(&self, bytes: u64) {
            self.0.inc(bytes);
        }
    }
}

#[cfg(target_os = "wasi")]
mod imp {
    use std::{
        fs::{self, File},
        io,
        path::{Path, PathBuf},
    };

    /// A directory of this system.
    pub(crate) type SystemDir = ocicle::fs::wasi::WasiDir;

    pub(crate) fn open_dir(path: &Path) -> io::Result<SystemDir> {
        Ok(SystemDir::new(File::open(path)?.into()))
    }

    /// Makes a directory: there are no modes.
    pub(crate) fn create_private_dir(path: &Path) -> io::Result<()> {
        fs::create_dir(path)
    }

    /// The path of what links at a path lead to: there is no realpath.
    pub(crate) fn real_path(path: &Path) -> io::Result<PathBuf> {
        super::follow(path)
    }

    /// User and group of this process, if there are such.
    pub(crate) fn ids() -> Option<(u32, u32)> {
        None
    }

    /// The platform of this machine, if it can be known, as `OS/ARCHITECTURE`.
    pub(crate) fn platform() -> Option<String> {
        None
    }

    /// What to add to an error of the system, where its words leave one in the dark: of `ENOTCAPABLE` and `EPERM`.
    pub(crate) fn why_refused(message: &str) -> Option<&'static str> {
        if message.contains(" (os error 76)") {
            Some(
                "; a sandbox sees only the directories that it is given: \
                 give it the one this is in (wasmtime: --dir DIRECTORY)",
            )
        } else if message.contains(" (os error 63)") {
            Some("; this sandbox is given the directory for reading only, or the path leads out of it")
        } else {
            None
        }
    }

    /// A progress bar: there is none.
    pub(crate) enum Bar {}

    impl Bar {
        pub(crate) fn new(_: &'static str, _: Option<u64>) -> Option<Self> {
            None
        }

        pub(crate) fn add(&self, _: u64) {
            match *self {}
        }
    }
}
