//! Programs that tests compare with. A test that misses one says so, and never passes silently.

use std::{
    env,
    ffi::OsStr,
    fs::OpenOptions,
    io::Write as _,
    path::PathBuf,
    process::{Command, Output, Stdio},
    thread,
};

/// Returns the path of a program. If it is missing, says so and returns `None`, and the test should return;
/// or fails, where `OCICLE_REQUIRE_TOOLS` is set, as in `cargo xtask test`.
///
/// # Panics
/// If the program is missing and required.
#[must_use]
pub fn require(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    // Some are in directories that only root has on its `PATH`.
    let places = env::split_paths(&path).chain(["/usr/sbin", "/sbin"].map(PathBuf::from));
    let found = places.map(|dir| dir.join(program)).find(|file| file.is_file());
    if found.is_none() {
        missing(&format!("{program} is not installed"));
    }
    found
}

/// Returns whether all of these programs are installed; see [`require`].
///
/// # Panics
/// If one is missing and required.
#[must_use]
pub fn have(programs: &[&str]) -> bool {
    programs.iter().all(|program| require(program).is_some())
}

/// Returns whether the test runs as root; see [`require`].
///
/// # Panics
/// If it does not, and tools are required.
#[must_use]
pub fn root() -> bool {
    rustix::process::geteuid().is_root() || missing("this test needs root")
}

/// Returns whether the kernel mounts overlayfs here, over directories among the system's temporary ones; see
/// [`require`].
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

/// Returns the file that an environment variable names, which `cargo xtask test` sets; see [`require`].
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

/// Says that a test does not run, and why, and returns `false`; see [`not_run`].
///
/// # Panics
/// If tools are required.
pub fn missing(what: &str) -> bool {
    assert!(env::var_os("OCICLE_REQUIRE_TOOLS").is_none(), "{what}, and OCICLE_REQUIRE_TOOLS is set");
    not_run(what);
    false
}

/// Says on standard error that the current test does not run, and why. Appends it to the file that
/// `OCICLE_NOT_RUN` names as well: test runners hide the output of tests that pass.
///
/// # Panics
/// If the file cannot be written.
pub fn not_run(why: &str) {
    eprintln!("NOT RUN: {why}");
    if let Some(list) = env::var_os("OCICLE_NOT_RUN") {
        let test = thread::current().name().unwrap_or("a test").to_owned();
        let mut list = OpenOptions::new().create(true).append(true).open(list).unwrap();
        // In one call: tests run side by side.
        list.write_all(format!("{test}\t{why}\n").as_bytes()).unwrap();
    }
}

/// Runs a program that must succeed, and returns its standard output.
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

/// Runs a program.
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
