//! The modules of a crate, from its source.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use crate::rust_paths::{Named, named, reexported};

/// A module of a crate.
pub(crate) struct Module {
    /// The file's path below the crate's source directory.
    pub(crate) file: PathBuf,
    pub(crate) text: String,
}

/// The modules of a crate by their paths; that of the root is empty.
pub(crate) struct Crate(pub(crate) BTreeMap<Vec<String>, Module>);

impl Crate {
    /// Reads the crate whose source directory is named from the top of the repository.
    pub(crate) fn read(src: &str) -> Self {
        let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(src);
        let mut files = Vec::new();
        add_sources(&src, &mut files);
        let module = |file: PathBuf| {
            let text = fs::read_to_string(&file).unwrap();
            let file = file.strip_prefix(&src).unwrap().to_path_buf();
            (module_of(&file), Module { file, text })
        };
        Self(files.into_iter().map(module).collect())
    }

    /// Returns a crate of files and their text.
    pub(crate) fn of(files: &[(&str, &str)]) -> Self {
        let module = |(file, text): &(&str, &str)| {
            (module_of(Path::new(file)), Module { file: file.into(), text: (*text).into() })
        };
        Self(files.iter().map(module).collect())
    }

    /// Returns the source of the crate's root.
    pub(crate) fn root(&self) -> &str {
        &self.0[&Vec::new()].text
    }

    /// Returns the paths that a module names.
    pub(crate) fn named(&self, module: &[String]) -> Vec<Named> {
        named(&self.0[module].text, module)
    }

    /// Returns where a path leads, through `use` statements of modules for names of their children.
    pub(crate) fn resolve(&self, path: &[String]) -> Vec<String> {
        let mut path = path.to_vec();
        for at in 0..path.len() {
            if self.0.contains_key(&path[..=at]) {
                continue;
            }
            let Some(parent) = self.0.get(&path[..at]) else { break };
            let is_child = |name: &str| self.0.contains_key(&[&path[..at], &[name.to_string()]].concat());
            let paths = reexported(&parent.text, &path[..at], is_child);
            // One step is enough here: what a child re-exports is the child's.
            if let Some(target) = paths.into_iter().find(|target| target.last() == path.get(at)) {
                path = target;
            }
            break;
        }
        path
    }
}

/// Adds every Rust file below a directory.
fn add_sources(dir: &Path, files: &mut Vec<PathBuf>) {
    for path in fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()) {
        if path.is_dir() {
            add_sources(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

/// `fs/mem/file.rs` is `fs::mem::file`; `lib.rs` and `main.rs` are the root.
fn module_of(file: &Path) -> Vec<String> {
    let stem = file.with_extension("");
    let mut module: Vec<_> = stem.iter().map(|part| part.to_str().unwrap().to_string()).collect();
    if module.last().is_some_and(|last| last == "mod")
        || matches!(&module[..], [root] if root == "lib" || root == "main")
    {
        module.pop();
    }
    module
}
