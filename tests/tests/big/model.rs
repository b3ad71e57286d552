//! The final files, and what happens to the contents of files, computed in a simple way: a layer is read as a
//! whole, then its markers are applied, then its entries.

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    hash::{DefaultHasher, Hasher as _},
    io::Read as _,
};

use serde_json::{Value, json};
use tar::EntryType;

use super::layers::Layer;

/// An entry of an archive.
struct Item {
    path: String,
    kind: EntryType,
    size: u64,
    content: u64,
    target: String,
}

fn read(layer: &Layer) -> Vec<Item> {
    let mut items = Vec::new();
    let mut buffer = vec![0; 1 << 20];
    for entry in layer.open().entries().unwrap() {
        let mut entry = entry.unwrap();
        let text = |path: Option<std::borrow::Cow<'_, std::path::Path>>| {
            path.map_or(String::new(), |path| path.to_str().unwrap().trim_end_matches('/').to_owned())
        };
        let (path, target) = (text(entry.path().ok()), text(entry.link_name().unwrap()));
        let (kind, size) = (entry.header().entry_type(), entry.size());
        let mut hasher = DefaultHasher::new();
        loop {
            match entry.read(&mut buffer).unwrap() {
                0 => break,
                count => hasher.write(&buffer[..count]),
            }
        }
        items.push(Item { path, kind, size, content: hasher.finish(), target });
    }
    items
}

/// The content of a file in a layer.
struct Stored {
    layer: usize,
    /// Its first name.
    path: String,
    size: u64,
    content: u64,
    /// The names it has now.
    names: BTreeSet<String>,
    fate: Option<Fate>,
}

/// The way in which a content lost its last name.
struct Fate {
    layer: usize,
    last_name: String,
    what: &'static str,
}

/// A path that exists.
struct There {
    /// The layer, from 0, that put it.
    layer: usize,
    is_dir: bool,
    /// The content, if it is a file.
    stored: Option<usize>,
}

/// The paths that exist, and those that existed.
pub(crate) struct Model {
    there: BTreeMap<String, There>,
    stored: Vec<Stored>,
}

impl Model {
    pub(crate) fn new(layers: &[Layer]) -> Self {
        let mut model = Self { there: BTreeMap::new(), stored: Vec::new() };
        for (number, layer) in layers.iter().enumerate() {
            model.layer(number, read(layer));
        }
        model
    }

    /// Checks that `ocicle waste --json` agrees with this model.
    pub(crate) fn assert_waste(&self, found: &Value, layers: &[Layer]) {
        let mut total = BTreeMap::from([("hiddenCompressed", 0)]);
        for (number, layer) in layers.iter().enumerate() {
            let mut sums = self.sums(number);
            sums.insert("hiddenCompressed", sums["hidden"] * layer.size / sums["stored"].max(1));
            let ours = &found["layers"][number];
            assert_eq!((&ours["layer"], &ours["size"]), (&json!(number + 1), &json!(layer.size)));
            for (what, bytes) in sums {
                assert_eq!(ours[what], bytes, "{what} of layer {number}");
                if what != "files" {
                    *total.entry(what).or_default() += bytes;
                }
            }
        }
        assert_eq!(found["layers"].as_array().unwrap().len(), layers.len());
        for (what, bytes) in &total {
            assert_eq!(found[what], *bytes, "{what}");
            assert!(*bytes > 0, "an image without {what} shows little");
        }
        assert_eq!(found["efficiency"], total["visible"] as f64 / total["stored"] as f64);

        let rows = found["paths"].as_array().unwrap();
        assert!(rows.is_sorted_by(|a, b| a["hidden"].as_u64() >= b["hidden"].as_u64()));
        let ours: BTreeMap<&str, &Value> =
            rows.iter().map(|row| (row["path"].as_str().unwrap(), row)).collect();
        let theirs = self.paths();
        for (path, row) in &theirs {
            assert_eq!(ours.get(path.as_str()), Some(&row), "{path}");
        }
        assert_eq!(rows.len(), theirs.len());
    }

    /// Checks that the layers in `ocicle files --json` agree with this model.
    pub(crate) fn assert_layers(&self, found: &Value) {
        let rows = found["files"].as_array().unwrap().iter().filter(|row| row["path"] != "/");
        let ours: BTreeMap<&str, &Value> =
            rows.map(|row| (&row["path"].as_str().unwrap()[1..], &row["layer"])).collect();
        for (path, there) in &self.there {
            assert_eq!(ours.get(path.as_str()), Some(&&json!(there.layer + 1)), "{path}");
        }
        assert_eq!(ours.len(), self.there.len());
    }

    fn layer(&mut self, number: usize, items: Vec<Item>) {
        let is_marker = |item: &Item| item.path.rsplit('/').next().unwrap().starts_with(".wh.");
        let (markers, items): (Vec<Item>, Vec<Item>) = items.into_iter().partition(is_marker);
        for Item { path, .. } in markers {
            let (dir, name) = path.rsplit_once('/').unwrap_or(("", &path));
            match name {
                ".wh..wh..opq" => self.remove_below(number, dir),
                _ => self.remove(number, format!("{dir}/{}", &name[4..]).trim_start_matches('/'), "removed"),
            }
        }
        for item in items {
            self.put(number, item);
        }
        // What has a successor in the same layer was not removed but replaced.
        for at in 0..self.stored.len() {
            let Some(Fate { layer, last_name, .. }) = &self.stored[at].fate else { continue };
            if let (true, Some(next)) = (*layer == number, self.there.get(last_name)) {
                let same = next.stored.is_some_and(|next| {
                    let (old, next) = (&self.stored[at], &self.stored[next]);
                    (old.size, old.content) == (next.size, next.content)
                });
                self.stored[at].fate.as_mut().unwrap().what =
                    if same { "metadataOnly" } else { "overwritten" };
            }
        }
    }

    fn put(&mut self, number: usize, item: Item) {
        let Item { path, kind, size, content, target } = item;
        let is_dir = kind == EntryType::Directory;
        match self.there.get_mut(&path) {
            Some(there) if there.is_dir && is_dir => {
                there.layer = number;
                return;
            }
            Some(_) => self.remove(number, &path, "overwritten"),
            None => {}
        }
        let stored = match kind {
            EntryType::Regular => {
                let (path, names) = (path.clone(), BTreeSet::new());
                self.stored.push(Stored { layer: number, path, size, content, names, fate: None });
                Some(self.stored.len() - 1)
            }
            EntryType::Link => self.there[&target].stored,
            _ => None,
        };
        let mut layer = number;
        if let Some(stored) = stored {
            // One more name does not put it again.
            layer = self.stored[stored].layer;
            self.stored[stored].names.insert(path.clone());
        }
        self.there.insert(path, There { layer, is_dir, stored });
    }

    fn remove_below(&mut self, number: usize, dir: &str) {
        let prefix = format!("{dir}/");
        let below = self.there.range(prefix.clone()..).map(|(path, _)| path);
        let below: Vec<String> = below.take_while(|path| path.starts_with(&prefix)).cloned().collect();
        for path in below {
            self.forget(number, &path, "removedWithDirectory");
        }
    }

    fn remove(&mut self, number: usize, path: &str, what: &'static str) {
        self.remove_below(number, path);
        self.forget(number, path, what);
    }

    fn forget(&mut self, layer: usize, path: &str, what: &'static str) {
        let there = self.there.remove(path).unwrap();
        if let Some(stored) = there.stored {
            let stored = &mut self.stored[stored];
            stored.names.remove(path);
            if stored.names.is_empty() {
                stored.fate = Some(Fate { layer, last_name: path.into(), what });
            }
        }
    }

    /// Returns the bytes of a layer by what happened to them.
    fn sums(&self, layer: usize) -> BTreeMap<&'static str, u64> {
        let names = [
            "files",
            "stored",
            "visible",
            "hidden",
            "overwritten",
            "metadataOnly",
            "removed",
            "removedWithDirectory",
            "duplicate",
        ];
        let mut sums: BTreeMap<_, u64> = names.map(|name| (name, 0)).into();
        let mut seen = HashSet::new();
        for stored in &self.stored {
            let mut add = |what| {
                if stored.layer == layer {
                    *sums.get_mut(what).unwrap() += if what == "files" { 1 } else { stored.size };
                }
            };
            add("files");
            add("stored");
            match &stored.fate {
                Some(fate) => {
                    add("hidden");
                    add(fate.what);
                }
                None => {
                    add("visible");
                    if !seen.insert((stored.size, stored.content)) {
                        add("duplicate");
                    }
                }
            }
        }
        sums
    }

    fn paths(&self) -> BTreeMap<String, Value> {
        let mut rows: BTreeMap<String, (u64, u64, BTreeSet<usize>)> = BTreeMap::new();
        for stored in self.stored.iter().filter(|stored| stored.fate.is_some() && stored.size > 0) {
            let (hidden, times, layers) = rows.entry(format!("/{}", stored.path)).or_default();
            *hidden += stored.size;
            *times += 1;
            layers.insert(stored.layer + 1);
        }
        let row = |(path, (hidden, times, layers)): (String, _)| {
            let row = json!({ "path": path, "hidden": hidden, "times": times, "layers": layers });
            (path, row)
        };
        rows.into_iter().map(row).collect()
    }
}
