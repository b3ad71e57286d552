//! Images made with other tools, by the scripts in `fixtures/`, once for each version of a script.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use ocicle::{digest::Algorithm, hash::digest_of};
use rustix::fs::{FlockOperation, flock};

use crate::temp::TempDir;

/// A minbase Debian by debootstrap and buildah: tags `debian` (gzip) and `zstd`.
pub const DEBIAN: Fixture = Fixture {
    name: "debian",
    script: include_str!("../fixtures/debian.sh"),
    tools: &["debootstrap", "buildah", "tar"],
};

/// Everything a layer can hold, by GNU tar, Python and umoci: tags `odd`, and `gnu` with a layer umoci cannot
/// read.
pub const ODD: Fixture = Fixture {
    name: "odd",
    script: include_str!("../fixtures/odd.sh"),
    tools: &["umoci", "tar", "python3", "setfattr", "setcap", "setfacl"],
};

/// Trees of indexes by buildah, skopeo, umoci and Python: tags `multi`, `single`, `also`, `docker`, `nested`,
/// `attested`, `twice` (two of it), `holes`, and two artifacts without a tag. Beside the layout is another,
/// `sparse`: the index `multi` alone, as skopeo copies it.
pub const NESTED: Fixture = Fixture {
    name: "nested",
    script: include_str!("../fixtures/nested.sh"),
    tools: &["buildah", "skopeo", "umoci", "tar", "python3"],
};

/// A script that makes a layout, and what it needs.
#[derive(Debug)]
#[allow(clippy::exhaustive_structs, reason = "made in this file only")]
pub struct Fixture {
    name: &'static str,
    script: &'static str,
    tools: &'static [&'static str],
}

impl Fixture {
    /// Returns the layout, built now unless it exists; `None`, and a message on standard error, if it cannot
    /// be built. It is shared: tests copy what they change.
    ///
    /// # Panics
    /// If the script fails.
    #[must_use]
    pub fn layout(&self) -> Option<PathBuf> {
        if !crate::tools::root() || !crate::tools::have(self.tools) {
            return None;
        }
        Some(made_once(self.name, self.script, |staging| self.make(staging)))
    }

    /// Returns a temporary directory with a copy of the layout, named `images`; see [`Fixture::layout`].
    ///
    /// # Panics
    /// If the script fails, or the copy.
    #[must_use]
    pub fn images(&self) -> Option<TempDir> {
        let temp = TempDir::new().unwrap();
        fs::rename(copy_of(&self.layout()?, temp.path()), temp.path().join("images")).unwrap();
        Some(temp)
    }

    fn make(&self, staging: &Path) {
        let output = Command::new("sh")
            .args(["-c", self.script, self.name])
            .arg(staging)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "fixture {}: {}\n{}{}",
            self.name,
            output.status,
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
    }
}

/// Returns the directory `layout` that `make` writes into an empty directory, unless it exists from the same
/// `source`.
pub(crate) fn made_once(name: &str, source: &str, make: impl FnOnce(&Path)) -> PathBuf {
    let version = digest_of(Algorithm::Sha256, source.as_bytes());
    let dir = cache().join(format!("{name}-{}", &version.encoded()[..16]));
    fs::create_dir_all(dir.parent().unwrap_or(&dir)).unwrap();
    // Tests run in processes side by side: one makes the fixture, the others wait.
    let lock = fs::File::create(dir.with_extension("lock")).unwrap();
    flock(&lock, FlockOperation::LockExclusive).unwrap();
    let layout = dir.join("layout");
    if !layout.exists() {
        let staging = dir.with_extension("making");
        let _ = fs::remove_dir_all(&staging);
        fs::create_dir_all(&staging).unwrap();
        make(&staging);
        fs::rename(&staging, &dir).unwrap();
    }
    layout
}

/// Copies a layout into `dir`. Blobs are linked, not copied: nothing changes a blob.
///
/// # Panics
/// If the copy cannot be made.
#[must_use]
pub fn copy_of(layout: &Path, dir: &Path) -> PathBuf {
    let copy = dir.join("layout");
    for file in ["index.json", "oci-layout"] {
        fs::create_dir_all(&copy).unwrap();
        fs::copy(layout.join(file), copy.join(file)).unwrap();
    }
    let blobs = Path::new("blobs/sha256");
    fs::create_dir_all(copy.join(blobs)).unwrap();
    for blob in fs::read_dir(layout.join(blobs)).unwrap() {
        let blob = blob.unwrap();
        let to = copy.join(blobs).join(blob.file_name());
        fs::hard_link(blob.path(), &to).or_else(|_| fs::copy(blob.path(), &to).map(drop)).unwrap();
    }
    copy
}

fn cache() -> PathBuf {
    let base = env::var_os("OCICLE_CACHE").map(PathBuf::from).or_else(|| {
        env::var_os("XDG_CACHE_HOME")
            .map(PathBuf::from)
            .or_else(|| env::var_os("HOME").map(|home| Path::new(&home).join(".cache")))
            .map(|cache| cache.join("ocicle"))
    });
    base.unwrap_or_else(env::temp_dir).join("fixtures")
}
