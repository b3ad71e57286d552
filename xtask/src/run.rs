//! Runs other programs.

use std::{
    path::PathBuf,
    process::{Command, Stdio},
};

/// A result with an error message for the developer.
pub(crate) type Result<T> = std::result::Result<T, String>;

/// Runs a command that prints for itself; fails unless it succeeds.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    println!("  $ {}", line(command));
    let status = command.status().map_err(|e| format!("cannot start `{}`: {e}", line(command)))?;
    if status.success() { Ok(()) } else { Err(format!("`{}`: {status}", line(command))) }
}

/// Runs a command and returns its standard output; fails unless it succeeds.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(|e| format!("cannot start `{}`: {e}", line(command)))?;
    if !output.status.success() {
        let errors = String::from_utf8_lossy(&output.stderr);
        return Err(format!("`{}`: {}\n{}", line(command), output.status, errors.trim_end()));
    }
    String::from_utf8(output.stdout).map_err(|e| format!("`{}` printed: {e}", line(command)))
}

/// Returns the path of an installed program, on the `PATH` or in a directory of system programs.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    std::env::split_paths(&search_path()).map(|dir| dir.join(program)).find(|file| file.is_file())
}

/// Returns the `PATH` with the directories of system programs appended.
pub(crate) fn search_path() -> std::ffi::OsString {
    let mut path = std::env::var_os("PATH").unwrap_or_default();
    for dir in ["/usr/sbin", "/sbin"] {
        path.push(":");
        path.push(dir);
    }
    path
}

/// Adds the file's name to the error of an operation on it.
pub(crate) fn at<T>(path: &std::path::Path, result: std::io::Result<T>) -> Result<T> {
    result.map_err(|e| format!("{}: {e}", path.display()))
}

fn line(command: &Command) -> String {
    let mut line = command.get_program().to_string_lossy().into_owned();
    for argument in command.get_args() {
        line.push(' ');
        line.push_str(&argument.to_string_lossy());
    }
    line
}
