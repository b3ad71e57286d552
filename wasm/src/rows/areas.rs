//! The bytes of an image as nested areas, for a treemap.

use ocicle::{image::look::Look, name::EntryPath};
use serde::Serialize;

use super::{Query, Sort, Table};

/// Directories below this depth get no area: they are too small to see.
const DEPTH: usize = 64;

/// An area of a treemap.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Area {
    /// Last part of the path, as in [`super::Row`]; or `layer 1`.
    pub(crate) name: String,
    /// The path, as in [`super::Row`].
    pub(crate) path: String,
    /// Bytes of everything in it.
    pub(crate) size: u64,
    /// The one-based layer that it comes from, or represents.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) layer: Option<usize>,
    /// Bytes of everything too small for an area of its own.
    #[serde(skip_serializing_if = "is_zero")]
    pub(crate) rest: u64,
    /// The areas in it, the largest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) children: Vec<Area>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature serde calls")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl Area {
    /// Returns the area of a directory; `None` if it does not exist. Anything smaller than one of `parts`
    /// parts of it gets no area of its own.
    pub(crate) fn of_directory(table: &Table, path: &EntryPath, parts: u64) -> Option<Self> {
        let top = table.find(path)?;
        let least = (table.nodes[top].sum / parts.max(1)).max(1);
        Some(area(table, top, least))
    }

    /// Returns an area for each layer with everything it stores, hidden or not. Anything smaller than one of
    /// `parts` parts of all bytes gets no area of its own.
    pub(crate) fn of_layers(look: &Look, layers: usize, parts: u64) -> Self {
        let tables: Vec<_> = (0..layers)
            .map(|layer| Table::new(look, Query { layer: Some(layer), ..Query::default() }))
            .collect();
        let size = tables.iter().map(|table| table.nodes[0].sum).sum::<u64>();
        let least = (size / parts.max(1)).max(1);
        let of_layer = |(layer, table): (usize, &Table)| Self {
            name: format!("layer {}", layer + 1),
            layer: Some(layer + 1),
            ..area(table, 0, least)
        };
        Self {
            name: "/".into(),
            path: "/".into(),
            size,
            layer: None,
            rest: 0,
            children: tables.iter().enumerate().map(of_layer).collect(),
        }
    }
}

/// Recursive: nodes with fewer bytes than `least` get no area, so each level is short; [`DEPTH`] limits the
/// levels.
fn area(table: &Table, number: usize, least: u64) -> Area {
    let node = &table.nodes[number];
    let mut children = Vec::new();
    let mut rest = 0;
    for child in table.children(number, Sort::Size).into_iter().rev() {
        match table.nodes[child.node].sum {
            size if size >= least && node.depth < DEPTH => children.push(area(table, child.node, least)),
            size => rest += size,
        }
    }
    Area {
        name: node.name(),
        path: table.path(number),
        size: node.sum,
        layer: (node.entries == 0).then_some(node.layer + 1),
        rest,
        children,
    }
}
