//! Tools of others that tests run. What is missing is said, never passed over in silence.

use std::{
    env,
    ffi::OsStr,
    path::PathBuf,
    process::{Command, Output, Stdio},
};

/// The path of a program. If it is not there, the test that asked should return: this says so and gives `None`, or, where
/// `OCICLE_REQUIRE_TOOLS` is set, as in `cargo xtask test`, fails.
///
/// # Panics
/// If the program is missing and required.
#[must_use]
pub fn require(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    // Some are kept where only root looks.
    let places = env::split_paths(&path).chain(["/usr/sbin", "/sbin"].map(PathBuf::from));
    let found = places.map(|dir| dir.join(program)).find(|file| file.is_file());
    if found.is_none() {
        missing(&format!("{program} is not installed"));
    }
    found
}

/// Whether all of these programs are there; see [`require`].
///
/// # Panics
/// If one is missing and required.
#[must_use]
pub fn have(programs: &[&str]) -> bool {
    programs.iter().all(|program| require(program).is_some())
}

/// Whether the test runs as root. See [`require`].
///
/// # Panics
/// If it does not, and tools are required.
#[must_use]
pub fn root() -> bool {
    rustix::process::geteuid().is_root() || missing("this test needs root")
}

/// Whether the kernel mounts overlayfs here, over directories of the system's place for temporary ones. See [`require`].
///
/// # Panics
/// If it does not, and tools are required.
#[must_use]
pub fn overlayfs() -> bool {
    if !root() || !have(&["mount", "umount"]) {
        return false;
    }
    let temp = crate::temp::TempDir::new().unwrap();
    for name in ["lower", "upper", "work", "all"] {
        std::fs::create_dir(temp.path().join(name)).unwrap();
    }
    let at = temp.path().display();
    let options = format!("lowerdir={at}/lower,upperdir={at}/upper,workdir={at}/work");
    let all = temp.path().join("all");
    let mount = ["-t", "overlay", "overlay", "-o", &options].map(OsStr::new).into_iter();
    if !try_run("mount", mount.chain([all.as_os_str()])).status.success() {
        return missing("no overlayfs can be mounted");
    }
    run("umount", [&all]);
    true
}

/// The file that a variable names, which `cargo xtask test` sets. See [`require`].
///
/// # Panics
/// If it is not set, and tools are required.
#[must_use]
pub fn variable(name: &str) -> Option<PathBuf> {
    let file = env::var_os(name).map(PathBuf::from);
    if file.is_none() {
        missing(&format!("{name} is not set; `cargo xtask test` sets it"));
    }
    file
}

/// Says that a test does not run, and why; gives `false`.
///
/// # Panics
/// If tools are required.
pub fn missing(what: &str) -> bool {
    assert!(env::var_os("OCICLE_REQUIRE_TOOLS").is_none(), "{what}, and OCICLE_REQUIRE_TOOLS is set");
    eprintln!("NOT RUN: {what}");
    false
}

/// Runs a tool that must succeed, and gives its standard output.
///
/// # Panics
/// If it fails.
pub fn run<I: IntoIterator<Item: AsRef<OsStr>>>(tool: &str, args: I) -> Vec<u8> {
    let output = try_run(tool, args);
    assert!(
        output.status.success(),
        "{tool}: {}\n{}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    output.stdout
}

/// Runs a tool.
///
/// # Panics
/// If it cannot be started.
pub fn try_run<I: IntoIterator<Item: AsRef<OsStr>>>(tool: &str, args: I) -> Output {
    Command::new(tool)
        .args(args)
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|error| panic!("{tool}: {error}"))
}
