//! The stores and bundles that are worked on, and what must hold for them.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::run::{Result, at, output};

/// A directory with a layout, an archive, a bundle and files, as they are before each try.
pub(crate) struct Stage {
    ocicle: PathBuf,
    dir: PathBuf,
    /// The tags of each store.
    tags: Vec<(&'static str, BTreeSet<String>)>,
}

/// The stores: a layout with several images and garbage, an archive of it, and a layout with one image.
pub(crate) const STORES: [&str; 3] = ["images", "images.tar", "other"];

impl Stage {
    pub(crate) fn set_up(ocicle: PathBuf) -> Result<Self> {
        let dir = std::env::temp_dir().join(format!("ocicle-soak-{}", std::process::id()));
        at(&dir, fs::create_dir(&dir))?;
        let mut stage = Self { ocicle, dir, tags: Vec::new() };
        let work = stage.work();
        at(&work, fs::create_dir(&work))?;
        let source = work.join("source");
        at(&source, fs::create_dir(&source))?;
        for number in 0..40_u32 {
            // Numbers that do not compress well.
            let content: Vec<u8> = (0..12_000_u32)
                .flat_map(|at| (at ^ number).wrapping_mul(2_654_435_761).rotate_left(at % 31).to_le_bytes())
                .collect();
            let file = source.join(format!("file-{number}"));
            at(&file, fs::write(&file, content))?;
        }
        for line in [
            "init images",
            "new images#v1 --platform linux/amd64",
            "insert images#v1 source/file-0 /etc/one",
            "insert images#v1 source /all --tag v2",
            "config images#v1 --label a=b --tag v3",
            "insert images#v1 source/file-1 /garbage --tag garbage",
            "rm images#garbage",
            "init other",
            "copy images#v1 other#old",
            "copy images oci-archive:images.tar",
            "unpack --rootless images#v2 bundle",
        ] {
            stage.ocicle(&words(line))?;
        }
        let changed = work.join("bundle/rootfs/changed");
        at(&changed, fs::write(&changed, "changed"))?;
        for store in STORES {
            let tags = stage.tags(store)?;
            stage.tags.push((store, tags));
        }
        let pristine = stage.dir.join("pristine");
        at(&pristine, fs::rename(&work, &pristine))?;
        Ok(stage)
    }

    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    pub(crate) fn work(&self) -> PathBuf {
        self.dir.join("work")
    }

    /// Puts everything back.
    pub(crate) fn reset(&self) -> Result<()> {
        let work = self.work();
        output(Command::new("rm").arg("-rf").arg(&work))?;
        output(Command::new("cp").arg("-a").arg(self.dir.join("pristine")).arg(&work)).map(drop)
    }

    pub(crate) fn remove(&self) -> Result<()> {
        output(Command::new("rm").arg("-rf").arg(&self.dir)).map(drop)
    }

    /// Returns the command, in the working directory.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(&self.ocicle);
        command.args(args).current_dir(self.work()).env("OCICLE_CACHE", "").stdin(Stdio::null());
        command
    }

    /// Returns a shell that runs a script with the command as its arguments.
    pub(crate) fn shell(&self, script: &str, args: &[&str]) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script, "sh"]).arg(&self.ocicle).args(args);
        command.current_dir(self.work()).env("OCICLE_CACHE", "").stdin(Stdio::null());
        command
    }

    /// Runs the command, which must succeed; returns its standard output.
    pub(crate) fn ocicle(&self, args: &[&str]) -> Result<String> {
        output(&mut self.command(args))
    }

    /// Returns the tags of a store.
    pub(crate) fn tags(&self, store: &str) -> Result<BTreeSet<String>> {
        let listed = self.ocicle(&["ls", "--format", "plain", store])?;
        Ok(listed.lines().filter_map(|line| line.split('\t').nth(1)).map(str::to_owned).collect())
    }

    /// Checks that the stores are valid and have the tags that they had.
    pub(crate) fn check(&self) -> Result<()> {
        for (store, before) in &self.tags {
            self.check_store(store)?;
            let now = self.tags(store)?;
            let lost: Vec<_> = before.difference(&now).collect();
            if !lost.is_empty() {
                return Err(format!("{store} has lost {lost:?}"));
            }
        }
        Ok(())
    }

    /// Checks that everything in a store can be read.
    pub(crate) fn check_store(&self, store: &str) -> Result<()> {
        self.ocicle(&["check", store]).map(drop)
    }

    /// Returns the temporary files and directories that are there.
    pub(crate) fn leftovers(&self) -> Result<Vec<String>> {
        let names = ["-name", ".ocicle-*", "-o", "-name", ".*.ocicle-edit"];
        let found = output(Command::new("find").arg(self.work()).args(names))?;
        Ok(found.lines().map(str::to_owned).collect())
    }
}

/// Splits a command line, which has no quotes.
pub(crate) fn words(line: &str) -> Vec<&str> {
    line.split(' ').collect()
}
