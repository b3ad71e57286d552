//! The differences between native and WASI. No other file of the command has a `cfg` for a system, which a
//! test checks.

use std::{
    io,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

/// The number of links that Linux follows for one path.
const MAX_LINKS: usize = 40;

/// Whether the command runs in a sandbox, which can only open preopened directories.
pub(crate) const IS_SANDBOX: bool = cfg!(target_os = "wasi");

pub(crate) use imp::{
    Bar, HiddenInput, Input, SystemDir, catch_signals, check_caught, create_private_dir, create_private_file,
    end_if_caught, hint, ids, is_pipe, open_dir, platform, raise_file_limit,
};

/// Follows symbolic links in the last component of a path. The result may not exist.
pub(crate) fn follow(path: &Path) -> io::Result<PathBuf> {
    let mut at = path.to_owned();
    for _ in 0..MAX_LINKS {
        match std::fs::read_link(&at) {
            Ok(target) => at = at.parent().unwrap_or(Path::new("")).join(target),
            // Not a link, or missing: opening it reports that.
            Err(_) => return Ok(at),
        }
    }
    Err(io::Error::other(format!("too many levels of symbolic links (limit {MAX_LINKS})")))
}

/// Sleeps, unless a signal is caught.
#[cfg_attr(not(unix), expect(dead_code, reason = "only the network needs it, which a sandbox does not have"))]
pub(crate) fn pause(time: Duration) -> io::Result<()> {
    const STEP: Duration = Duration::from_millis(100);
    let end = Instant::now() + time;
    loop {
        check_caught()?;
        match end.saturating_duration_since(Instant::now()) {
            Duration::ZERO => return Ok(()),
            left => thread::sleep(left.min(STEP)),
        }
    }
}

#[cfg(unix)]
mod imp {
    use std::{
        env::consts,
        fs::{self, DirBuilder, File, OpenOptions},
        io::{self, IsTerminal as _, Read},
        os::{
            fd::AsFd,
            unix::fs::{DirBuilderExt as _, FileTypeExt as _, OpenOptionsExt as _},
        },
        path::Path,
        sync::{
            atomic::{AtomicBool, AtomicI32, Ordering},
            mpsc,
        },
        thread,
        time::Duration,
    };

    use cap_std::{ambient_authority, fs::Dir};
    use indicatif::{ProgressBar, ProgressStyle};
    use ocicle::fs::{Stoppable, host::HostDir};
    use rustix::{
        event::{PollFd, PollFlags, Timespec, poll},
        io::{Errno, retry_on_intr},
        process::{Resource, Rlimit, getrlimit, setrlimit},
        termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr},
    };
    use signal_hook::{
        consts::{SIGHUP, SIGINT, SIGTERM},
        iterator::Signals,
        low_level::emulate_default_handler,
    };

    /// The library's handle to a directory of this system.
    pub(crate) type SystemDir = Stoppable<HostDir>;

    pub(crate) fn open_dir(path: &Path) -> io::Result<SystemDir> {
        let dir = HostDir::new(Dir::open_ambient_dir(path, ambient_authority())?);
        Ok(SystemDir::new(dir, check_caught))
    }

    /// The signal that was caught, or 0.
    static CAUGHT: AtomicI32 = AtomicI32::new(0);
    /// Whether the work was stopped for it.
    static STOPPED: AtomicBool = AtomicBool::new(false);
    /// The time after which a process ends that cannot be stopped, as it waits for a lock or for input.
    const LONGEST: Duration = Duration::from_secs(1);

    /// Lets signals stop the work, like an error: it then removes what is not finished. A second signal ends
    /// the process at once. Signals that the caller of the process ignores stay ignored.
    pub(crate) fn catch_signals() {
        let (ready, set_up) = mpsc::channel::<()>();
        // Without the thread, signals end the process, as by default.
        let _ = thread::Builder::new().name("signals".into()).spawn(move || {
            let wanted = [SIGHUP, SIGINT, SIGTERM].into_iter().filter(|signal| !is_ignored(*signal));
            let Ok(mut signals) = Signals::new(wanted) else { return };
            drop(ready);
            for signal in signals.forever() {
                if CAUGHT.swap(signal, Ordering::Relaxed) == 0 {
                    thread::sleep(LONGEST);
                    if STOPPED.load(Ordering::Relaxed) {
                        continue;
                    }
                }
                let _ = emulate_default_handler(signal);
            }
        });
        let _ = set_up.recv(); // ends with the other end
    }

    /// Ends the process by the signal that stopped its work, if there was one.
    pub(crate) fn end_if_caught() {
        if STOPPED.load(Ordering::Relaxed) {
            let _ = emulate_default_handler(CAUGHT.load(Ordering::Relaxed));
        }
    }

    /// Fails once a signal is caught.
    pub(crate) fn check_caught() -> io::Result<()> {
        if CAUGHT.load(Ordering::Relaxed) == 0 {
            return Ok(());
        }
        STOPPED.store(true, Ordering::Relaxed);
        Err(io::Error::other("stopped by a signal"))
    }

    /// A file or pipe that is read until a signal is caught.
    pub(crate) struct Input<F>(pub(crate) F);

    impl<F: AsFd> Read for Input<F> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let step = Timespec { tv_sec: 0, tv_nsec: 100_000_000 };
            loop {
                check_caught()?;
                match poll(&mut [PollFd::new(&self.0, PollFlags::IN)], Some(&step)) {
                    Ok(0) | Err(Errno::INTR) => {}
                    _ => return Ok(retry_on_intr(|| rustix::io::read(&self.0, &mut *buffer))?),
                }
            }
        }
    }

    fn is_ignored(signal: i32) -> bool {
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
        let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
        mask.is_some_and(|mask| mask >> (signal - 1) & 1 == 1)
    }

    /// Creates a directory that only its owner can use.
    pub(crate) fn create_private_dir(path: &Path) -> io::Result<()> {
        DirBuilder::new().mode(0o700).create(path)
    }

    /// Creates a file that only its owner can use.
    pub(crate) fn create_private_file(path: &Path) -> io::Result<File> {
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
    }

    /// The terminal at standard input, which does not show what is typed until this is dropped.
    pub(crate) struct HiddenInput(Termios);

    impl HiddenInput {
        pub(crate) fn new() -> io::Result<Self> {
            let stdin = io::stdin();
            let before = tcgetattr(&stdin)?;
            let mut hidden = before.clone();
            hidden.local_modes.remove(LocalModes::ECHO);
            hidden.local_modes.insert(LocalModes::ECHONL);
            tcsetattr(&stdin, OptionalActions::Flush, &hidden)?;
            Ok(Self(before))
        }
    }

    impl Drop for HiddenInput {
        fn drop(&mut self) {
            let _ = tcsetattr(io::stdin(), OptionalActions::Flush, &self.0); // the terminal may be gone
        }
    }

    /// Returns whether a path is a pipe, such as `/dev/stdin` or the `<(command)` of a shell can be.
    pub(crate) fn is_pipe(path: &Path) -> bool {
        fs::metadata(path).is_ok_and(|found| found.file_type().is_fifo())
    }

    /// Returns the user and group of this process, if the system has users.
    pub(crate) fn ids() -> Option<(u32, u32)> {
        Some((rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw()))
    }

    /// Allows as many open files as this process may have. The usual limit of 1024 is for programs that use
    /// select(2); a comparison holds a handle of each directory of a path, which can have 2048.
    pub(crate) fn raise_file_limit() {
        let limit = getrlimit(Resource::Nofile);
        // Where it cannot be raised, the usual limit does for usual paths.
        let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit });
    }

    /// Returns the platform of this machine as `OS/ARCHITECTURE`, if it is known.
    pub(crate) fn platform() -> Option<String> {
        Some(format!("{}/{}", consts::OS, consts::ARCH))
    }

    /// Returns a hint for an error of the system.
    pub(crate) fn hint(_message: &str) -> Option<&'static str> {
        None
    }

    /// A progress bar on standard error.
    pub(crate) struct Bar(ProgressBar);

    impl Bar {
        /// Returns a bar, if standard error is a terminal.
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
            // Set the style first, because a message draws the bar.
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
        path::Path,
    };

    /// The library's handle to a directory of this system.
    pub(crate) type SystemDir = ocicle::fs::wasi::WasiDir;

    pub(crate) fn open_dir(path: &Path) -> io::Result<SystemDir> {
        Ok(SystemDir::new(File::open(path)?.into()))
    }

    /// Does nothing: a sandbox has no signals.
    pub(crate) fn catch_signals() {}

    pub(crate) fn end_if_caught() {}

    /// A file or pipe that is read.
    pub(crate) struct Input<F>(pub(crate) F);

    impl<F: io::Read> io::Read for Input<F> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.0.read(buffer)
        }
    }

    /// Never fails: a sandbox has no signals.
    #[expect(clippy::unnecessary_wraps, reason = "other systems fail")]
    pub(crate) fn check_caught() -> io::Result<()> {
        Ok(())
    }

    /// Creates a file. WASI has no modes.
    pub(crate) fn create_private_file(path: &Path) -> io::Result<File> {
        File::create_new(path)
    }

    /// A terminal that does not show what is typed, which a sandbox does not have.
    pub(crate) enum HiddenInput {}

    impl HiddenInput {
        pub(crate) fn new() -> io::Result<Self> {
            Err(io::ErrorKind::Unsupported.into())
        }
    }

    /// Creates a directory. WASI has no modes.
    pub(crate) fn create_private_dir(path: &Path) -> io::Result<()> {
        fs::create_dir(path)
    }

    /// Does nothing: the runtime decides.
    pub(crate) fn raise_file_limit() {}

    /// Returns whether a path is a pipe; a sandbox has none with a name.
    pub(crate) fn is_pipe(_: &Path) -> bool {
        false
    }

    /// Returns the user and group of this process, if the system has users.
    pub(crate) fn ids() -> Option<(u32, u32)> {
        None
    }

    /// Returns the platform of this machine as `OS/ARCHITECTURE`, if it is known.
    pub(crate) fn platform() -> Option<String> {
        None
    }

    /// Returns a hint for an error of the system: for `ENOTCAPABLE` and `EPERM`.
    pub(crate) fn hint(message: &str) -> Option<&'static str> {
        if message.contains(" (os error 76)") {
            Some(
                "a sandbox can only open preopened directories; \
                 preopen the one that contains this path (wasmtime: --dir DIRECTORY)",
            )
        } else if message.contains(" (os error 63)") {
            Some("the directory is preopened read-only, or the path leads out of it")
        } else {
            None
        }
    }

    /// A progress bar, which a sandbox cannot show.
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
