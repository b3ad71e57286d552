//! One image, and what is in it.

use std::{collections::BTreeSet, sync::Arc};

use js_sys::{Array, Function, Uint8Array};
use ocicle::{
    image::{
        self,
        compare::Compared,
        look::{Files, Look, Why, read_file},
        waste::Waste,
    },
    layer::index::LayerIndex,
    limits::Limits,
    name::EntryPath,
    spec::{Descriptor, Raw},
    tree::{
        mtree::{self, vis},
        provenance::ChangeKind,
    },
};
use serde::{Deserialize, Serialize};
use wasm_bindgen::prelude::*;

use crate::{
    failure::Failure,
    host::{Bytes, OneBlob, Pieces},
    rows::{Area, Open, Query, Sort, Table, View},
    store::{Store, json, report},
};

type Result<T, E = Failure> = std::result::Result<T, E>;

/// A runnable image.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Image {
    image: image::Image,
    look: Option<Look>,
    shown: Option<Rows>,
}

/// The rows that were asked for last.
#[derive(Debug)]
struct Rows {
    wanted: Wanted,
    table: Table,
    view: View,
}

/// As `RowQuery` in TypeScript.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
struct Wanted {
    layer: Option<usize>,
    changes: BTreeSet<ChangeKind>,
    wasted: bool,
    search: Option<String>,
    open: BTreeSet<String>,
    closed: BTreeSet<String>,
    sort: Option<Order>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Order {
    Name,
    Size,
}

#[wasm_bindgen]
impl Image {
    /// An image of another store: descriptor, manifest and config, as [`Image::documents`] gives them.
    pub fn lent(documents: &Array) -> Result<Image> {
        let bytes = |position| Uint8Array::new(&documents.get(position)).to_vec();
        Ok(Self::new(image::Image {
            descriptor: serde_json::from_slice(&bytes(0))?,
            manifest: Raw::parse("manifest", bytes(1), None)?,
            config: Raw::parse("config", bytes(2), None)?,
        }))
    }

    /// What another store needs to know of the image, beside the indexes of its layers.
    pub fn documents(&self) -> Result<Array> {
        let descriptor = json(&self.image.descriptor)?;
        let documents = [descriptor.as_bytes(), self.image.manifest.bytes(), self.image.config.bytes()];
        Ok(documents.into_iter().map(Uint8Array::from).collect())
    }

    /// Of the manifest.
    #[wasm_bindgen(getter)]
    pub fn digest(&self) -> String {
        self.image.descriptor.digest.to_string()
    }

    /// The layers, as JSON: descriptor, diff_id, command.
    pub fn layers(&self) -> Result<String> {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Layer<'a> {
            descriptor: &'a Descriptor,
            diff_id: &'a ocicle::digest::Digest,
            created_by: Option<&'a str>,
        }
        let mut history = self.image.history().filter(|(_, layer)| layer.is_some()).map(|(entry, _)| entry);
        let layers = self.image.layers().map(|(descriptor, diff_id)| Layer {
            descriptor,
            diff_id,
            created_by: history.next().and_then(|entry| entry.created_by.as_deref()),
        });
        json(&layers.collect::<Vec<_>>())
    }

    /// As `ocicle stat --json`.
    pub fn stat(&self) -> Result<String> {
        report(&self.image)
    }

    /// Takes the layers whose indexes the store has now; others are left out.
    pub fn look(&mut self, store: &Store) -> Result<()> {
        // The old one first: two at a time are twice the memory.
        (self.look, self.shown) = (None, None);
        let index = |(blob, diff_id): (&Descriptor, &ocicle::digest::Digest)| {
            store.indexes.get(&(blob.digest.clone(), diff_id.clone())).map(Arc::clone)
        };
        self.look = Some(Look::of_indexes(self.image.layers().map(index).collect(), &store.limits)?);
        Ok(())
    }

    /// A page of rows, as JSON.
    pub fn rows(&mut self, query: &str, from: usize, count: usize) -> Result<String> {
        self.show(query)?;
        let Rows { table, view, .. } = shown(self.shown.as_ref())?;
        json(&view.page(table, seen(self.look.as_ref())?, from, count))
    }

    /// Where a path is among the rows, from 0, if it shows.
    pub fn position(&mut self, query: &str, path: &str) -> Result<Option<usize>> {
        self.show(query)?;
        let Rows { table, view, .. } = shown(self.shown.as_ref())?;
        Ok(view.position(table, &inside(path)?))
    }

    /// What a treemap shows, as JSON.
    pub fn boxes(&self, by_layer: bool, path: &str, parts: u32) -> Result<String> {
        let look = seen(self.look.as_ref())?;
        if by_layer {
            return json(&Area::of_layers(look, self.image.layers().len(), parts.into()));
        }
        let found = Area::of_directory(&Table::new(look, Query::default()), &inside(path)?, parts.into());
        match found {
            Some(found) => json(&found),
            None => Err(ocicle::Error::NotFound(format!("there is no {path} in the image")).into()),
        }
    }

    /// As `ocicle files --json`.
    pub fn files(&self, path: &str, layer: Option<usize>) -> Result<String> {
        let (look, path) = (seen(self.look.as_ref())?, inside(path)?);
        match layer {
            None => report(&Files::merged(look, &path)?),
            Some(layer) => report(&Files::of_layer(look, in_range(layer, self.image.layers().len())?, &path)),
        }
    }

    /// As `ocicle why --json`.
    pub fn why(&self, path: &str) -> Result<String> {
        report(&Why::new(seen(self.look.as_ref())?, &self.image, &inside(path)?)?)
    }

    /// As `ocicle waste --json`.
    pub fn waste(&self) -> Result<String> {
        report(&Waste::new(seen(self.look.as_ref())?, &self.image))
    }

    /// As `ocicle diff --json`.
    pub fn diff(&self, other: &Image, semantic: bool) -> Result<String> {
        let (before, after) = (seen(self.look.as_ref())?, seen(other.look.as_ref())?);
        report(&Compared::new(&before.tree, &after.tree, Some((&self.image, &other.image)), semantic))
    }

    /// As `ocicle mtree`, as bytes.
    pub fn mtree(&self, dialect: &str) -> Result<Vec<u8>> {
        let mut text = Vec::new();
        mtree::write(&seen(self.look.as_ref())?.tree, dialect.parse()?, &mut text)?;
        Ok(text)
    }

    /// Hands the content of a file to `piece`, as `ocicle cat`.
    pub fn read(&self, store: &Store, path: &str, piece: &Function) -> Result<()> {
        let look = seen(self.look.as_ref())?;
        Ok(read_file(&store.content, &self.image, look, &inside(path)?, &mut Pieces(piece), &store.limits)?)
    }
}

impl Image {
    /// Makes the rows of a query, as far as they are not there from the last time.
    fn show(&mut self, query: &str) -> Result<()> {
        let wanted: Wanted = serde_json::from_str(query).map_err(Failure::misuse)?;
        if self.shown.as_ref().is_some_and(|rows| rows.wanted == wanted) {
            return Ok(());
        }
        let look = seen(self.look.as_ref())?;
        let query = wanted.query(self.image.layers().len())?;
        let kept = self.shown.take().filter(|rows| *rows.table.query() == query).map(|rows| rows.table);
        let table = kept.unwrap_or_else(|| Table::new(look, query));
        let view = table.view(&wanted.open()?, wanted.sort());
        self.shown = Some(Rows { wanted, table, view });
        Ok(())
    }

    pub(crate) fn new(image: image::Image) -> Self {
        Self { image, look: None, shown: None }
    }
}

fn shown(rows: Option<&Rows>) -> Result<&Rows> {
    rows.ok_or_else(|| Failure::misuse("no rows were asked for"))
}

fn seen(look: Option<&Look>) -> Result<&Look> {
    look.ok_or_else(|| Failure::misuse("the layers were not read yet"))
}

/// From 1 to from 0.
fn in_range(layer: usize, count: usize) -> Result<usize> {
    match layer {
        1.. if layer <= count => Ok(layer - 1),
        _ => Err(Failure::misuse(format!("there is no layer {layer}: the image has layers 1 to {count}"))),
    }
}

/// A path as it is, or escaped as rows have it.
fn inside(path: &str) -> Result<EntryPath> {
    let bytes = match path.contains('\\') {
        true => vis::decode(path.as_bytes()).map_err(Failure::misuse)?,
        false => path.as_bytes().to_vec(),
    };
    EntryPath::clean(&bytes, &Limits::default()).map_err(Failure::misuse)
}

impl Wanted {
    fn query(&self, layers: usize) -> Result<Query> {
        let layer = self.layer.map(|layer| in_range(layer, layers)).transpose()?;
        let search = self.search.clone().filter(|text| !text.is_empty());
        Ok(Query { layer, changes: self.changes.clone(), wasted: self.wasted, search })
    }

    fn open(&self) -> Result<Open> {
        let paths = |paths: &BTreeSet<String>| paths.iter().map(|path| inside(path)).collect::<Result<_>>();
        Ok(Open { open: paths(&self.open)?, closed: paths(&self.closed)? })
    }

    fn sort(&self) -> Sort {
        match self.sort {
            Some(Order::Size) => Sort::Size,
            _ => Sort::Name,
        }
    }
}

/// The index of a layer that is a source of its own, and whether it is what a table of contents says.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Indexed {
    index: LayerIndex,
}

#[wasm_bindgen]
impl Indexed {
    /// Reads a layer; `verify` hashes everything.
    pub fn read(source: u32, descriptor: &str, diff_id: &str, verify: bool) -> Result<Indexed> {
        let (store, limits) = (OneBlob(Bytes(source)), Limits::default());
        let (descriptor, diff_id) = (serde_json::from_str(descriptor)?, diff_id.parse()?);
        let index = match verify {
            true => LayerIndex::build(&store, &descriptor, &diff_id, &limits)?,
            false => LayerIndex::list_unverified(&store, &descriptor, &diff_id, &limits)?,
        };
        Ok(Self { index })
    }

    /// Whether nobody looked into the archive yet.
    #[wasm_bindgen(getter)]
    pub fn toc(&self) -> bool {
        self.index.is_from_toc()
    }

    /// For `Store.keep`.
    pub fn bytes(&self) -> Vec<u8> {
        self.index.to_bytes()
    }
}
