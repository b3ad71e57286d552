//! Programs of others that tests hold ours against.

use std::path::PathBuf;

/// The path of a program. If it is not installed, the test that asked should return: it says so and gives `None`,
/// or, where `OCICLE_REQUIRE_TOOLS` is set (as in CI), fails.
///
/// # Panics
/// If the program is missing and `OCICLE_REQUIRE_TOOLS` is set.
#[must_use]
pub fn require(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).map(|dir| dir.join(program)).find(|file| file.is_file());
    if found.is_none() {
        assert!(
            std::env::var_os("OCICLE_REQUIRE_TOOLS").is_none(),
            "OCICLE_REQUIRE_TOOLS is set, but {program} is not installed"
        );
        println!("not run: {program} is not installed");
    }
    found
}
