//! Edits of images. They stay in memory until the store is written as an archive.

use std::collections::BTreeMap;

use js_sys::{Array, Uint8Array};
use ocicle::{
    attrs::Time,
    fs::{AttrChange, Dir as _, DirPosix as _, FileType, mem::MemDir},
    graph::rewrite::Destination,
    image::{
        self,
        config::{ConfigChanges, edit_config},
        edit::append_layer,
        insert::{LowerContent, send_directory},
    },
    layer::{clamp::Clamp, writer::LayerWriter},
    name::EntryPath,
    spec::History,
};
use serde::Deserialize;
use wasm_bindgen::prelude::*;

use crate::{
    failure::{Failure, Result},
    store::{Store, selector},
};

/// `EditOptions` in TypeScript; times are seconds and nanoseconds.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct EditOptions {
    tag: Option<String>,
    created: (i64, u32),
}

/// A new file, without its content. `NewFile` in TypeScript.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct NewFile {
    path: String,
    mode: u32,
    uid: u32,
    gid: u32,
    mtime: (i64, u32),
}

#[wasm_bindgen]
impl Store {
    /// Changes the config of an image, as `ocicle config`; returns the new digest.
    pub fn configure(&self, fragment: Option<String>, edit: &str, options: &str) -> Result<String> {
        let changes: ConfigChanges = serde_json::from_str(edit).map_err(Failure::misuse)?;
        let options: EditOptions = serde_json::from_str(options).map_err(Failure::misuse)?;
        let edits = changes.edits();
        if edits.is_empty() && options.tag.is_none() {
            return Err(Failure::misuse("nothing to change"));
        }
        let history = options.history("config").without_layer();
        self.edit(fragment.as_deref(), &options, &|image| {
            edit_config(&self.repository, image, &edits, Some(&history))
        })
    }

    /// Adds a layer with files, as `ocicle insert` of a directory that belongs to `0:0` with mode 0755;
    /// returns the new digest. `files` is JSON; `contents` has their bytes in the same order.
    pub fn insert(
        &self,
        fragment: Option<String>,
        target: &str,
        files: &str,
        contents: &Array,
        options: &str,
    ) -> Result<String> {
        let files: Vec<NewFile> = serde_json::from_str(files).map_err(Failure::misuse)?;
        let options: EditOptions = serde_json::from_str(options).map_err(Failure::misuse)?;
        let target =
            EntryPath::clean(target.as_bytes(), self.repository.limits()).map_err(Failure::misuse)?;
        let latest = options.created();
        let directory = self.directory(&files, contents, latest)?;
        let limits = self.repository.limits();
        let base = self.repository.image(&selector(fragment.as_deref())?)?;
        let mut writer = LayerWriter::new(&self.repository, base.last_compression())?;
        send_directory(
            &directory,
            &target,
            LowerContent::Keep,
            limits,
            &mut Clamp { sink: &mut writer, latest },
        )?;
        let layer = writer.finish()?;
        let history = options.history("insert");
        self.edit(fragment.as_deref(), &options, &|image| {
            append_layer(&self.repository, image, &layer, Some(&history))
        })
    }
}

impl Store {
    fn edit(
        &self,
        fragment: Option<&str>,
        options: &EditOptions,
        // Not generic: the module has the code of edits once.
        edit: &dyn Fn(&image::Image) -> ocicle::Result<image::Image>,
    ) -> Result<String> {
        let to = match &options.tag {
            Some(tag) => Destination::tag(tag.parse()?),
            None => Destination::in_place(),
        };
        let done = self.repository.edit(&selector(fragment)?, &to, edit)?;
        Ok(done.resolution.target().digest.to_string())
    }

    fn directory(&self, files: &[NewFile], contents: &Array, time: Time) -> Result<MemDir> {
        let mut found = BTreeMap::new();
        for (file, content) in files.iter().zip(contents.iter()) {
            let path =
                EntryPath::clean(file.path.as_bytes(), self.repository.limits()).map_err(Failure::misuse)?;
            if found.insert(path, (file, Uint8Array::new(&content).to_vec())).is_some() {
                return Err(Failure::misuse(format!("{}: listed twice", file.path)));
            }
        }
        let mut attrs = BTreeMap::new();
        attrs.extend(found.iter().map(|(path, (file, _))| (path.clone(), *file)));
        let root = MemDir::from_files(found.into_iter().map(|(path, (_, content))| (path, content)))?;
        set(&root, &EntryPath::root(), &attrs, time).map_err(ocicle::Error::io("set attributes"))?;
        Ok(root)
    }
}

/// Sets the attributes of everything in a directory, then those of the directory, whose time the former
/// changes.
fn set(
    dir: &MemDir,
    at: &EntryPath,
    files: &BTreeMap<EntryPath, &NewFile>,
    time: Time,
) -> std::io::Result<()> {
    for name in dir.names()? {
        let (name, path) = (name.as_name(), at.join(name.as_name()));
        if dir.metadata(name)?.file_type == FileType::Dir {
            set(&dir.open_dir(name)?, &path, files, time)?;
        } else if let Some(file) = files.get(&path) {
            let change = AttrChange::default()
                .owner(file.uid, file.gid)
                .mode(file.mode & 0o7777)
                .mtime(time_of(file.mtime));
            dir.set_attrs(name, &change)?;
        }
    }
    dir.set_self_attrs(&AttrChange::default().mtime(time))
}

fn time_of((seconds, nanoseconds): (i64, u32)) -> Time {
    Time { seconds, nanoseconds }
}

impl EditOptions {
    fn created(&self) -> Time {
        time_of(self.created)
    }

    fn history(&self, command: &str) -> History {
        History::default()
            .with_created(self.created().to_string())
            .with_created_by(format!("ocicle {command}"))
    }
}
