//! An image of a store, or one that another store lent.

use std::rc::Rc;

use js_sys::{Array, Uint8Array};
use ocicle::{
    image::{
        self,
        compare::{DiffMode, ImageDiff},
        look::{LayerFiles, Look, PathHistory, list_files},
        waste::Waste,
    },
    layer::index::LayerIndex,
    limits::Limits,
    spec::Raw,
    tree::mtree,
};
use wasm_bindgen::prelude::*;

use crate::{
    args::{layer_number, limits_of, parse_path},
    failure::{Failure, Result},
    json,
    layers::Slot,
    report,
    rows::{Area, Query, RowQuery, Table, View},
};

/// A runnable image.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Image {
    pub(crate) image: image::Image,
    /// The inspections of each layer, the base first.
    slots: Vec<Rc<Slot>>,
    limits: Limits,
    look: Option<Look>,
    shown: Option<Rows>,
}

/// The rows of the last query.
#[derive(Debug)]
struct Rows {
    request: RowQuery,
    table: Table,
    view: View,
}

#[wasm_bindgen]
impl Image {
    /// Returns what another store needs to compare the image with its own: descriptor, manifest, config, and
    /// the indexes of the layers.
    pub fn lend(&self) -> Result<Array> {
        let descriptor = json(&self.image.descriptor)?;
        let documents = [descriptor.as_bytes(), self.image.manifest.bytes(), self.image.config.bytes()];
        let parts: Array = documents.into_iter().map(Uint8Array::from).collect();
        for slot in &self.slots {
            let index = slot.borrow();
            let index = index.as_ref().ok_or_else(|| Failure::misuse("a layer has not been read yet"))?;
            parts.push(&Uint8Array::from(&index.to_bytes()[..]));
        }
        Ok(parts)
    }

    /// Returns an image made of the parts that [`Image::lend`] returned.
    pub fn borrowed(parts: &Array, limits: &str) -> Result<Image> {
        let bytes = |position| Uint8Array::new(&parts.get(position)).to_vec();
        let image = image::Image {
            descriptor: serde_json::from_slice(&bytes(0))?,
            manifest: Raw::parse("manifest", bytes(1), None)?,
            config: Raw::parse("config", bytes(2), None)?,
        };
        let slots = image.layers().map(|_| Rc::default()).collect();
        let mut made = Self::new(image, slots, limits_of(limits)?);
        for layer in 0..made.slots.len() {
            let position = u32::try_from(layer + 3).map_err(Failure::misuse)?;
            made.hand(layer, Some(bytes(position)))?;
        }
        made.look()?;
        Ok(made)
    }

    /// Returns the digest of the manifest.
    #[wasm_bindgen(getter)]
    pub fn digest(&self) -> String {
        self.image.descriptor.digest.to_string()
    }

    /// Returns the JSON of `ocicle stat`.
    pub fn stat(&self) -> Result<String> {
        report(&self.image)
    }

    /// Sets the index of a layer, zero-based; `undefined` if the layer cannot be read. Other images of the
    /// store that have the layer get it, too.
    pub fn hand(&self, layer: usize, index: Option<Vec<u8>>) -> Result<()> {
        let (descriptor, diff_id) =
            self.image.layers().nth(layer).ok_or_else(|| Failure::misuse("no such layer"))?;
        let parse = |bytes: Vec<u8>| LayerIndex::from_bytes(&bytes, descriptor, diff_id, &self.limits);
        *self.slots[layer].borrow_mut() = index.map(parse).transpose()?.map(Into::into);
        Ok(())
    }

    /// Merges the layers that have an index; others are left out.
    pub fn look(&mut self) -> Result<()> {
        // The old one first: two at a time need twice the memory.
        (self.look, self.shown) = (None, None);
        let indexes = self.slots.iter().map(|slot| slot.borrow().clone()).collect();
        self.look = Some(Look::of_indexes(indexes, &self.limits)?);
        Ok(())
    }

    /// Returns a page of rows, as JSON.
    pub fn rows(&mut self, query: &str, from: usize, count: usize) -> Result<String> {
        self.show(query)?;
        let Rows { table, view, .. } = shown(self.shown.as_ref())?;
        json(&view.page(table, seen(self.look.as_ref())?, from, count))
    }

    /// Returns the zero-based position of a path among the rows, if it is visible.
    pub fn position(&mut self, query: &str, path: &str) -> Result<Option<usize>> {
        self.show(query)?;
        let Rows { table, view, .. } = shown(self.shown.as_ref())?;
        Ok(view.position(table, &parse_path(path, &self.limits)?))
    }

    /// Returns the areas of a treemap, as JSON.
    pub fn areas(&self, by_layer: bool, path: &str, parts: u32) -> Result<String> {
        let look = seen(self.look.as_ref())?;
        if by_layer {
            return json(&Area::of_layers(look, self.image.layers().len(), parts.into()));
        }
        let table = Table::new(look, Query::default());
        match Area::of_directory(&table, &parse_path(path, &self.limits)?, parts.into()) {
            Some(found) => json(&found),
            None => Err(ocicle::Error::NotFound(format!("{path} not found in the image")).into()),
        }
    }

    /// Returns the JSON of `ocicle files`.
    pub fn files(&self, path: &str, layer: Option<usize>) -> Result<String> {
        let (look, path) = (seen(self.look.as_ref())?, parse_path(path, &self.limits)?);
        match layer {
            None => report(&list_files(look, &path)?[..]),
            Some(layer) => {
                let layer = layer_number(layer, self.image.layers().len())?;
                // A layer that cannot be read has none.
                let layer = LayerFiles::of_look(look, &self.image, layer);
                report(&layer.map_or_else(Vec::new, |layer| layer.list(look, &path))[..])
            }
        }
    }

    /// Returns the JSON of `ocicle why`.
    pub fn why(&self, path: &str) -> Result<String> {
        report(&PathHistory::new(seen(self.look.as_ref())?, &self.image, &parse_path(path, &self.limits)?)?)
    }

    /// Returns the JSON of `ocicle waste`.
    pub fn waste(&self) -> Result<String> {
        report(&Waste::new(seen(self.look.as_ref())?, &self.image))
    }

    /// Returns the JSON of `ocicle diff`.
    pub fn diff(&self, other: &Image, semantic: bool) -> Result<String> {
        let (before, after) = (seen(self.look.as_ref())?, seen(other.look.as_ref())?);
        let mode = if semantic { DiffMode::Semantic } else { DiffMode::Exact };
        report(&ImageDiff::new(&before.tree, &after.tree, Some((&self.image, &other.image)), mode))
    }

    /// Returns the output of `ocicle mtree`.
    pub fn mtree(&self, dialect: &str) -> Result<Vec<u8>> {
        let mut text = Vec::new();
        mtree::write_tree(&seen(self.look.as_ref())?.tree, dialect.parse()?, &mut text)?;
        Ok(text)
    }
}

impl Image {
    pub(crate) fn new(image: image::Image, slots: Vec<Rc<Slot>>, limits: Limits) -> Self {
        Self { image, slots, limits, look: None, shown: None }
    }

    /// Returns the merged tree.
    pub(crate) fn seen(&self) -> Result<&Look> {
        seen(self.look.as_ref())
    }

    /// Builds the rows of a query, or reuses those of the last one.
    fn show(&mut self, query: &str) -> Result<()> {
        let request: RowQuery = serde_json::from_str(query).map_err(Failure::misuse)?;
        if self.shown.as_ref().is_some_and(|rows| rows.request == request) {
            return Ok(());
        }
        let look = seen(self.look.as_ref())?;
        let query = request.query(self.image.layers().len())?;
        let kept = self.shown.take().filter(|rows| *rows.table.query() == query).map(|rows| rows.table);
        let table = kept.unwrap_or_else(|| Table::new(look, query));
        let view = table.view(&request.open(&self.limits)?, request.sort());
        self.shown = Some(Rows { request, table, view });
        Ok(())
    }
}

fn shown(rows: Option<&Rows>) -> Result<&Rows> {
    rows.ok_or_else(|| Failure::misuse("no rows were requested"))
}

fn seen(look: Option<&Look>) -> Result<&Look> {
    look.ok_or_else(|| Failure::misuse("the layers have not been read yet"))
}
