//! Where the bytes are, as areas in areas: what a treemap is drawn from.

use serde::Serialize;

use super::{Look, Query, Sort, Table, shown, text_of};
use crate::name::EntryPath;

/// An area of a treemap.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Area {
    /// Last part of the path, as in [`super::Row`]; or `layer 1`.
    pub name: String,
    /// The path, as in [`super::Row`].
    pub path: String,
    /// Bytes of all that is in it.
    pub size: u64,
    /// The layer, from 1, that it is from, or stands for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub layer: Option<usize>,
    /// Bytes of what is too small for an area of its own.
    #[serde(skip_serializing_if = "is_zero")]
    pub rest: u64,
    /// What is in it, the largest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub children: Vec<Area>,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl Area {
    /// What is at and below a path; `None` if there is nothing. What has less than one of `parts` parts of the bytes gets no area of its own.
    #[must_use]
    pub fn of_directory(table: &Table, path: &EntryPath, parts: u64) -> Option<Self> {
        let top = table.find(path)?;
        let least = (table.nodes[top].sum / parts.max(1)).max(1);
        Some(area(table, top, least))
    }

    /// What each layer stores, hidden or not, as an area for each. What has less than one of `parts` parts of all bytes gets no area of
    /// its own.
    #[must_use]
    pub fn of_layers(look: &Look, layers: usize, parts: u64) -> Self {
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

/// Nodes with fewer bytes get no area, so each level has few, and there are as many levels as names in the longest path.
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
        name: node.name.as_ref().map_or_else(|| "/".into(), |name| text_of(name.as_name().as_bytes())),
        path: shown(&table.path(number)),
        size: node.sum,
        layer: (node.entries == 0).then_some(node.layer + 1),
        rest,
        children,
    }
}

/// What lies deeper is too small to see, whatever its size.
const DEPTH: usize = 64;
