//! The hosts that run the command: this system, and WASI in two runtimes. One command line
//! for all.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use ocicle::fs::Support;

use crate::{ocicle as native, tools};

/// The host that the command runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "tests name all")]
pub enum Host {
    /// This system.
    Native,
    /// wasmtime, the reference of the sandboxes.
    Wasmtime,
    /// Node's WASI.
    Node,
}

/// The time that new images and layers get in every call.
pub const NOW: &str = "1700000000";

impl Host {
    /// The sandboxes.
    pub const SANDBOXES: [Self; 2] = [Self::Wasmtime, Self::Node];

    /// Returns every host that is available, this system first. The list is short if a runtime is missing;
    /// see [`tools::require`].
    ///
    /// # Panics
    /// If one is missing and tools are required.
    #[must_use]
    pub fn all() -> Vec<Self> {
        [Self::Native].into_iter().chain(Self::sandboxes()).collect()
    }

    /// Returns the sandboxes that are available; see [`Host::all`].
    ///
    /// # Panics
    /// If one is missing and tools are required.
    #[must_use]
    pub fn sandboxes() -> Vec<Self> {
        Self::SANDBOXES.into_iter().filter(|host| host.sandbox().is_some()).collect()
    }

    /// Returns its name, fit for a directory.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Native => "native",
            Self::Wasmtime => "wasmtime",
            Self::Node => "node",
        }
    }

    /// Returns what its file system supports; on this system, for root.
    #[must_use]
    pub const fn support(self) -> Support {
        match self {
            Self::Native => Support::ALL,
            Self::Wasmtime | Self::Node => {
                let mut support = Support::NONE;
                support.times = Support::ALL.times;
                support
            }
        }
    }

    /// Returns a call with `directory` as current directory. A sandbox sees that directory, and nothing else.
    #[must_use]
    pub fn call(self, directory: &Path) -> Call {
        let mut call = self.bare(directory);
        call.preopens.push(Preopen::of(directory, "."));
        call
    }

    /// Returns a call that sees only the directories opened for it; on this system, everything.
    #[must_use]
    pub fn bare(self, directory: &Path) -> Call {
        Call {
            host: self,
            directory: directory.into(),
            preopens: Vec::new(),
            variables: Vec::new(),
            max_memory: None,
        }
    }

    /// Runs a command line in a directory.
    ///
    /// # Panics
    /// If it cannot be started.
    #[must_use]
    pub fn run(self, directory: &Path, arguments: &[&str]) -> Answer {
        self.call(directory).run(arguments)
    }

    /// Runs a command line in a directory; it must succeed. Returns its standard output.
    ///
    /// # Panics
    /// If it fails.
    pub fn done(self, directory: &Path, arguments: &[&str]) -> String {
        let answer = self.run(directory, arguments);
        assert_eq!(answer.code, Some(0), "{}: {arguments:?}: {}", self.name(), answer.error);
        String::from_utf8(answer.output).unwrap()
    }

    /// Returns the runner and the module.
    fn sandbox(self) -> Option<(PathBuf, PathBuf)> {
        let runner = match self {
            Self::Native => return None,
            Self::Wasmtime => "OCICLE_WASI_WASMTIME",
            Self::Node => "OCICLE_WASI_NODE",
        };
        Some((tools::variable(runner)?, tools::variable("OCICLE_WASI")?))
    }
}

/// A directory for a sandbox.
#[derive(Debug, Clone)]
struct Preopen {
    host: PathBuf,
    guest: String,
    read_only: bool,
}

impl Preopen {
    fn of(host: &Path, guest: &str) -> Self {
        Self { host: host.into(), guest: guest.into(), read_only: false }
    }

    fn argument(&self) -> OsString {
        let mut argument = self.host.clone().into_os_string();
        argument.push(format!("::{}{}", self.guest, if self.read_only { "::ro" } else { "" }));
        argument
    }
}

/// A command line in the making.
#[derive(Debug, Clone)]
pub struct Call {
    host: Host,
    directory: PathBuf,
    preopens: Vec<Preopen>,
    variables: Vec<(String, String)>,
    max_memory: Option<u64>,
}

impl Call {
    /// Opens one more directory, under the name that arguments use.
    #[must_use]
    pub fn open(mut self, directory: &Path, name: &str) -> Self {
        self.preopens.push(Preopen::of(directory, name));
        self
    }

    /// Opens another directory, read-only. Node does not support this.
    #[must_use]
    pub fn open_read_only(mut self, directory: &Path, name: &str) -> Self {
        self.preopens.push(Preopen { read_only: true, ..Preopen::of(directory, name) });
        self
    }

    /// Sets a variable.
    #[must_use]
    pub fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.into(), value.into()));
        self
    }

    /// Limits the linear memory of a sandbox to this many bytes.
    #[must_use]
    pub fn max_memory(mut self, bytes: u64) -> Self {
        self.max_memory = Some(bytes);
        self
    }

    /// Runs it, with nothing to read.
    ///
    /// # Panics
    /// If it cannot be started.
    #[must_use]
    pub fn run(&self, arguments: &[&str]) -> Answer {
        let output = self.command(arguments).stdin(Stdio::null()).output().unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        Answer { code: output.status.code(), output: output.stdout, error }
    }

    /// Returns the process that runs it.
    ///
    /// # Panics
    /// If this place is not there.
    #[must_use]
    pub fn command(&self, arguments: &[&str]) -> Command {
        let settings = [("SOURCE_DATE_EPOCH", NOW), ("OCICLE_CACHE", "")];
        let variables = self.variables.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let variables = settings.into_iter().chain(variables);
        if self.host == Host::Native {
            let mut command = native::command();
            command.current_dir(&self.directory).envs(variables).args(arguments);
            return command;
        }
        let (runner, module) = self.host.sandbox().unwrap();
        let mut command = Command::new(runner);
        for preopen in &self.preopens {
            command.arg("--dir").arg(preopen.argument());
        }
        for (name, value) in variables {
            command.args(["--env", &format!("{name}={value}")]);
        }
        if let Some(bytes) = self.max_memory {
            command.args(["--max-memory", &bytes.to_string()]);
        }
        command.current_dir(&self.directory).arg(module).args(arguments);
        command
    }
}

/// The outcome of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(clippy::exhaustive_structs, reason = "tests read it")]
pub struct Answer {
    /// The exit code; none if it was killed.
    pub code: Option<i32>,
    /// Standard output.
    pub output: Vec<u8>,
    /// Standard error.
    pub error: String,
}

impl Answer {
    /// Standard output as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.output).into_owned()
    }

    /// Describes the first difference; returns `None` if there is none.
    #[must_use]
    pub fn difference(&self, expected: &Self) -> Option<String> {
        let pairs = self.output.iter().zip(&expected.output);
        let shorter = self.output.len().min(expected.output.len());
        let at = pairs.clone().position(|(a, b)| a != b).unwrap_or(shorter);
        (self != expected).then(|| {
            format!(
                "exit code {:?}, expected {:?}\nstandard error {:?}\n      expected {:?}\nstandard output at byte {at} {:?}\n                   expected {:?}",
                self.code,
                expected.code,
                self.error,
                expected.error,
                piece(&self.output, at),
                piece(&expected.output, at),
            )
        })
    }

    /// Fails, and shows where the two part, unless they are the same.
    ///
    /// # Panics
    /// If they are not.
    pub fn assert_same(&self, expected: &Self, what: &str) {
        if let Some(difference) = self.difference(expected) {
            panic!("{what}\n{difference}");
        }
    }
}

fn piece(bytes: &[u8], at: usize) -> String {
    String::from_utf8_lossy(&bytes[at.saturating_sub(60)..bytes.len().min(at + 100)]).into_owned()
}
