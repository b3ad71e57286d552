//! The `ocicle` command under test.

use std::{
    env,
    ffi::OsStr,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use serde_json::Value;

/// Returns a reference: `LAYOUT#FRAGMENT`.
#[must_use]
pub fn at(layout: &Path, fragment: &str) -> String {
    format!("{}#{fragment}", layout.display())
}

/// Returns a path as an argument.
///
/// # Panics
/// If it is not UTF-8.
#[must_use]
pub fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Returns the binary: `OCICLE_BIN`, or the one that `cargo build` put beside the tests.
///
/// # Panics
/// If it is missing.
#[must_use]
pub fn binary() -> PathBuf {
    if let Some(path) = env::var_os("OCICLE_BIN") {
        return path.into();
    }
    let test = env::current_exe().unwrap();
    let beside = test.ancestors().nth(2).unwrap().join("ocicle");
    assert!(beside.is_file(), "{} not found: run `cargo build -p ocicle-cli` first", beside.display());
    beside
}

/// Returns the command, without this process's settings.
#[must_use]
pub fn command() -> Command {
    let mut command = Command::new(binary());
    command.env_remove("SOURCE_DATE_EPOCH").env("OCICLE_CACHE", "").stdin(Stdio::null());
    command
}

/// Runs it.
///
/// # Panics
/// If it cannot be started.
pub fn try_ocicle<I: IntoIterator<Item: AsRef<OsStr>>>(args: I) -> Output {
    command().args(args).output().unwrap()
}

/// Runs it; it must succeed. Returns its standard output.
///
/// # Panics
/// If it fails.
pub fn ocicle<I: IntoIterator<Item: AsRef<OsStr>>>(args: I) -> String {
    let output = try_ocicle(args);
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "ocicle: {}\n{error}", output.status);
    String::from_utf8(output.stdout).unwrap()
}

/// Runs it with `--json` after the arguments; it must succeed. Returns the document.
///
/// # Panics
/// If it fails or prints no JSON.
#[must_use]
pub fn json(args: &[&str]) -> Value {
    serde_json::from_str(&ocicle(args.iter().chain(&["--json"]))).unwrap()
}

/// Returns what `ocicle stat --json` prints about an image.
///
/// # Panics
/// If it fails.
#[must_use]
pub fn stat(image: &str) -> Value {
    json(&["stat", image])
}

/// Returns the descriptors of an image's layers.
///
/// # Panics
/// If `ocicle stat` fails.
#[must_use]
pub fn layers(image: &str) -> Vec<Value> {
    stat(image)["manifest"]["layers"].as_array().unwrap().clone()
}

/// Runs it; it must fail with this exit code. Returns its standard error.
///
/// # Panics
/// If it does not.
pub fn fails<I: IntoIterator<Item: AsRef<OsStr>>>(code: i32, args: I) -> String {
    let output = try_ocicle(args);
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(code), "{error}{}", String::from_utf8_lossy(&output.stdout));
    error
}

/// Returns the command as an ordinary user, uid and gid [`USER`], who may write in `home` only. Needs root.
///
/// # Panics
/// If `home` cannot be given to that user.
#[must_use]
pub fn command_of_user(home: &Path) -> Command {
    use std::os::unix::{fs::chown, process::CommandExt as _};
    // That user may not have access to the build directory.
    let copy = home.join("ocicle");
    if !copy.exists() {
        // Not by ourselves: a process that another thread starts meanwhile would hold the copy open for
        // writing.
        crate::tools::run("cp", [binary().as_path(), copy.as_path()]);
    }
    chown(home, Some(USER), Some(USER)).unwrap();
    let mut command = Command::new(copy);
    command.env_remove("SOURCE_DATE_EPOCH").stdin(Stdio::null()).current_dir(home).uid(USER).gid(USER);
    command
}

/// The id of an ordinary user and group.
pub const USER: u32 = 54_321;

/// Runs it as an ordinary user, in `home`; it must succeed. Returns its standard output.
///
/// # Panics
/// If it fails.
pub fn ocicle_of_user<I: IntoIterator<Item: AsRef<OsStr>>>(home: &Path, args: I) -> String {
    let output = command_of_user(home).args(args).output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "ocicle as a user: {}\n{error}", output.status);
    String::from_utf8(output.stdout).unwrap()
}
