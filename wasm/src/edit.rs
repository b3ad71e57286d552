//! Changes of an image. They stay in memory until the store is written as an archive.

use std::collections::BTreeMap;

use js_sys::{Array, Uint8Array};
use ocicle::{
    attrs::Time,
    fs::{AttrChange, Dir as _, DirPosix as _, FileType, mem::MemDir},
    graph::rewrite::Destination,
    image::{
        self,
        config::{Clear, ConfigEdit, Text, Words, edit_config},
        edit::append_layer,
        insert::send_directory,
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

/// As `EditOptions` in TypeScript; times are seconds and nanoseconds.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Options {
    tag: Option<String>,
    created: (i64, u32),
}

/// As `ConfigEdit` in TypeScript.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
struct Edit {
    clear: Vec<Clear>,
    author: Option<String>,
    created: Option<String>,
    os: Option<String>,
    os_version: Option<String>,
    architecture: Option<String>,
    variant: Option<String>,
    user: Option<String>,
    working_dir: Option<String>,
    stop_signal: Option<String>,
    entrypoint: Option<Vec<String>>,
    cmd: Option<Vec<String>>,
    os_features: Option<Vec<String>>,
    env: Pairs,
    labels: Pairs,
    annotations: Pairs,
    ports: Vec<String>,
    volumes: Vec<String>,
}

/// An object, in the order it was written.
#[derive(Debug, Default)]
struct Pairs(Vec<(String, String)>);

impl<'de> Deserialize<'de> for Pairs {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Pairs;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object with texts")
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Pairs, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Pairs(pairs))
            }
        }
        deserializer.deserialize_map(Visitor)
    }
}

/// A file to be added; its content comes apart.
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
    /// As `ocicle config`; gives the new digest.
    pub fn configure(&self, fragment: Option<String>, edit: &str, options: &str) -> Result<String> {
        let edit: Edit = serde_json::from_str(edit).map_err(Failure::misuse)?;
        let options: Options = serde_json::from_str(options).map_err(Failure::misuse)?;
        let edits = edit.edits();
        if edits.is_empty() && options.tag.is_none() {
            return Err(Failure::misuse("nothing to change"));
        }
        let history = options.history("config").without_layer();
        self.edit(fragment.as_deref(), &options, |image| {
            edit_config(&self.repository, image, &edits, Some(&history))
        })
    }

    /// As `ocicle insert` of a directory that has these files and belongs to `0:0`, mode 0755; gives the new
    /// digest. `files` is JSON, `contents` their bytes in the same order.
    pub fn insert(
        &self,
        fragment: Option<String>,
        target: &str,
        files: &str,
        contents: &Array,
        options: &str,
    ) -> Result<String> {
        let files: Vec<NewFile> = serde_json::from_str(files).map_err(Failure::misuse)?;
        let options: Options = serde_json::from_str(options).map_err(Failure::misuse)?;
        let target =
            EntryPath::clean(target.as_bytes(), self.repository.limits()).map_err(Failure::misuse)?;
        let latest = options.created();
        let directory = self.directory(&files, contents, latest)?;
        let limits = self.repository.limits();
        let base = self.repository.image(&selector(fragment.as_deref())?)?;
        let mut writer = LayerWriter::new(&self.repository, base.last_compression())?;
        send_directory(&directory, &target, false, &mut Clamp { sink: &mut writer, latest }, limits)?;
        let layer = writer.finish()?;
        let history = options.history("insert");
        self.edit(fragment.as_deref(), &options, |image| {
            append_layer(&self.repository, image, &layer, Some(&history))
        })
    }
}

impl Store {
    fn edit(
        &self,
        fragment: Option<&str>,
        options: &Options,
        edit: impl FnMut(&image::Image) -> ocicle::Result<image::Image>,
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
                return Err(Failure::misuse(format!("{}: there twice", file.path)));
            }
        }
        let attrs: BTreeMap<_, _> = found.iter().map(|(path, (file, _))| (path.clone(), *file)).collect();
        let root = MemDir::from_files(found.into_iter().map(|(path, (_, content))| (path, content)))?;
        set(&root, &EntryPath::root(), &attrs, time).map_err(ocicle::Error::io("set attributes"))?;
        Ok(root)
    }
}

/// Gives all that is in a directory its attributes, and then the directory itself, whose time that would
/// change.
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

impl Options {
    fn created(&self) -> Time {
        time_of(self.created)
    }

    fn history(&self, command: &str) -> History {
        History::default()
            .with_created(self.created().to_string())
            .with_created_by(format!("ocicle {command}"))
    }
}

impl Edit {
    fn edits(self) -> Vec<ConfigEdit> {
        let cleared = self.clear.into_iter().map(ConfigEdit::Clear);
        let texts = [
            (Text::Author, self.author),
            (Text::Created, self.created),
            (Text::Os, self.os),
            (Text::OsVersion, self.os_version),
            (Text::Architecture, self.architecture),
            (Text::Variant, self.variant),
            (Text::User, self.user),
            (Text::WorkingDir, self.working_dir),
            (Text::StopSignal, self.stop_signal),
        ];
        let texts = texts.into_iter().filter_map(|(field, text)| Some(ConfigEdit::Set(field, text?)));
        let words = [
            (Words::Entrypoint, self.entrypoint),
            (Words::Cmd, self.cmd),
            (Words::OsFeatures, self.os_features),
        ];
        let words = words.into_iter().filter_map(|(field, words)| Some(ConfigEdit::Words(field, words?)));
        let pairs = |Pairs(pairs): Pairs, edit: fn(String, String) -> ConfigEdit| {
            pairs.into_iter().map(move |(name, value)| edit(name, value))
        };
        cleared
            .chain(texts)
            .chain(words)
            .chain(pairs(self.env, ConfigEdit::Env))
            .chain(pairs(self.labels, ConfigEdit::Label))
            .chain(pairs(self.annotations, ConfigEdit::Annotation))
            .chain(self.ports.into_iter().map(ConfigEdit::Port))
            .chain(self.volumes.into_iter().map(ConfigEdit::Volume))
            .collect()
    }
}
