//! The JSON of the bytes of an image that are not visible.

use std::collections::BTreeSet;

use ocicle::image::{
    look::path_text,
    waste::{LayerWaste, PathWaste, Sums, Waste},
};
use serde::Serialize;

use crate::{Report, Versioned};

#[derive(Serialize)]
struct Shape<'a> {
    efficiency: f64,
    #[serde(flatten)]
    total: &'a Sums,
    layers: &'a [LayerWaste],
    paths: Vec<Path<'a>>,
}

#[derive(Serialize)]
struct Path<'a> {
    path: String,
    hidden: u64,
    times: u64,
    layers: &'a BTreeSet<usize>,
}

impl<'a> From<&'a PathWaste> for Path<'a> {
    fn from(PathWaste { path, hidden, times, layers, .. }: &'a PathWaste) -> Self {
        Self { path: path_text(path), hidden: *hidden, times: *times, layers }
    }
}

impl Report for Waste {
    fn shape(&self) -> impl Serialize {
        Versioned::first(Shape {
            efficiency: self.efficiency,
            total: &self.total,
            layers: &self.layers,
            paths: self.paths.iter().map(Path::from).collect(),
        })
    }
}
