//! The layers of an image, and what GNU tar makes of them.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{BufReader, Read},
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use flate2::read::GzDecoder;
use ocicle_tests::{ocicle::text, tools::run};
use serde_json::Value;
use tar::EntryType;

/// A layer as it is stored.
pub(crate) struct Layer {
    pub(crate) blob: PathBuf,
    pub(crate) size: u64,
    gzip: bool,
}

impl Layer {
    /// Opens its archive.
    pub(crate) fn open(&self) -> tar::Archive<Box<dyn Read>> {
        let file = BufReader::with_capacity(1 << 18, File::open(&self.blob).unwrap());
        tar::Archive::new(if self.gzip { Box::new(GzDecoder::new(file)) } else { Box::new(file) })
    }
}

/// Returns the layers of a tag, the lowest first.
pub(crate) fn of(layout: &Path, tag: &str) -> Vec<Layer> {
    let blob = |descriptor: &Value| {
        layout.join("blobs").join(descriptor["digest"].as_str().unwrap().replace(':', "/"))
    };
    let read = |path: &Path| -> Value { serde_json::from_slice(&fs::read(path).unwrap()).unwrap() };
    let index = read(&layout.join("index.json"));
    let mut entries = index["manifests"].as_array().unwrap().iter();
    let entry =
        entries.find(|entry| entry["annotations"]["org.opencontainers.image.ref.name"] == tag).unwrap();
    let manifest = read(&blob(entry));
    let layers = manifest["layers"].as_array().unwrap().iter().map(|layer| Layer {
        blob: blob(layer),
        size: layer["size"].as_u64().unwrap(),
        gzip: layer["mediaType"].as_str().unwrap().ends_with("gzip"),
    });
    layers.collect()
}

/// Unpacks layers over each other into a new directory. What tar does not know is done here: markers, what
/// takes the place of a directory or the other way round, and times of directories that upper layers only
/// pass through.
pub(crate) fn lay(layers: &[Layer], root: &Path) {
    fs::create_dir(root).unwrap();
    let mut times = BTreeMap::new();
    for layer in layers {
        make_room(layer, root, &mut times);
        run("tar", ["--numeric-owner", "--exclude=.wh.*", "-xpf", text(&layer.blob), "-C", text(root)]);
    }
    for (dir, seconds) in times {
        if let Ok(dir) = File::open(root.join(dir)) {
            dir.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)).unwrap();
        }
    }
}

fn make_room(layer: &Layer, root: &Path, times: &mut BTreeMap<PathBuf, u64>) {
    for entry in layer.open().entries().unwrap() {
        let entry = entry.unwrap();
        let path = entry.path().unwrap().into_owned();
        let name = path.file_name().unwrap().to_str().unwrap();
        let on_disk = root.join(&path);
        let is_dir = entry.header().entry_type() == EntryType::Directory;
        if name == ".wh..wh..opq" {
            for below in fs::read_dir(on_disk.parent().unwrap()).unwrap() {
                remove(&below.unwrap().path());
            }
        } else if let Some(hidden) = name.strip_prefix(".wh.") {
            remove(&on_disk.with_file_name(hidden));
        } else if fs::symlink_metadata(&on_disk).is_ok_and(|there| there.is_dir() != is_dir) {
            remove(&on_disk);
        }
        if is_dir {
            times.insert(path, entry.header().mtime().unwrap());
        } else {
            times.remove(&path);
        }
    }
}

fn remove(path: &Path) {
    match fs::symlink_metadata(path).unwrap().is_dir() {
        true => fs::remove_dir_all(path).unwrap(),
        false => fs::remove_file(path).unwrap(),
    }
}
