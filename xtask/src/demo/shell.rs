//! Shows commands and what they print, and holds them to what they should do.

use std::{
    fs,
    os::unix::fs::{DirBuilderExt as _, symlink},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::run::{Result, at, search_path};

/// A shell in a temporary directory, which is removed on drop.
pub(crate) struct Shell {
    directory: PathBuf,
    keep: bool,
}

impl Shell {
    /// Creates the directory; `ocicle` in it is the given command.
    pub(crate) fn new(command: &Path, keep: bool) -> Result<Self> {
        let directory = std::env::temp_dir().join(format!("ocicle-demo-{}", std::process::id()));
        at(&directory, fs::DirBuilder::new().mode(0o700).create(&directory))?;
        let shell = Self { directory, keep };
        let bin = shell.bin();
        at(&bin, fs::create_dir(&bin))?;
        at(command, symlink(command, bin.join("ocicle")))?;
        Ok(shell)
    }

    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    /// Tells what comes next.
    pub(crate) fn say(&self, text: &str) {
        println!("\n# {text}");
    }

    /// Runs a line that should succeed, and returns its output.
    pub(crate) fn run(&self, line: &str) -> Result<String> {
        self.expect(line, 0)
    }

    /// Runs a line that should succeed and print this.
    pub(crate) fn shows(&self, line: &str, text: &str) -> Result<()> {
        contains(line, &self.run(line)?, text)
    }

    /// Runs a line that should end with this exit code and print this.
    pub(crate) fn fails(&self, line: &str, code: i32, text: &str) -> Result<()> {
        contains(line, &self.expect(line, code)?, text)
    }

    fn expect(&self, line: &str, code: i32) -> Result<String> {
        println!("$ {line}");
        let mut path = self.bin().into_os_string();
        path.push(":");
        path.push(search_path());
        let output = Command::new("sh")
            .args(["-c", &format!("umask 022; exec 2>&1; {line}")])
            .current_dir(&self.directory)
            .env("PATH", path)
            .env_remove("SOURCE_DATE_EPOCH")
            .stdin(Stdio::null())
            .output()
            .map_err(|e| format!("cannot start `sh`: {e}"))?;
        let printed = String::from_utf8_lossy(&output.stdout).into_owned();
        print!("{printed}");
        match output.status.code() {
            Some(got) if got == code => {
                if code != 0 {
                    println!("(exit code {code})");
                }
                Ok(printed)
            }
            _ => Err(format!("`{line}` should end with exit code {code}: {}", output.status)),
        }
    }

    fn bin(&self) -> PathBuf {
        self.directory.join(".bin")
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        if self.keep {
            println!("\n# The files are in {}", self.directory.display());
        } else if let Err(error) = fs::remove_dir_all(&self.directory) {
            eprintln!("xtask: remove {}: {error}", self.directory.display());
        }
    }
}

fn contains(line: &str, printed: &str, text: &str) -> Result<()> {
    if printed.contains(text) { Ok(()) } else { Err(format!("`{line}` should print {text:?}")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_does_something_else_is_an_error() -> Result<()> {
        let shell = Shell::new(Path::new("/bin/true"), false)?;
        assert_eq!(shell.run("ocicle && echo out && echo err >&2")?, "out\nerr\n");
        let ended = shell.run("exit 5");
        assert!(ended.is_err_and(|error| error.contains("should end with exit code 0")));
        shell.fails("echo differs; exit 5", 5, "differs")?;
        assert_eq!(shell.shows("echo this", "that"), Err("`echo this` should print \"that\"".into()));
        let directory = shell.directory().to_path_buf();
        drop(shell);
        assert!(!directory.exists());
        Ok(())
    }
}
