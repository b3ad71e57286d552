//! A query for rows, as JavaScript writes it.

use std::collections::BTreeSet;

use ocicle::{limits::Limits, tree::provenance::ChangeKind};
use serde::Deserialize;

use super::{Open, Query, Sort};
use crate::{
    args::{layer_number, parse_path},
    failure::{Failure, Result},
};

/// `RowQuery` in TypeScript.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub(crate) struct RowQuery {
    layer: Option<usize>,
    changes: BTreeSet<ChangeKind>,
    wasted: bool,
    search: Option<String>,
    name: Option<String>,
    open: BTreeSet<String>,
    closed: BTreeSet<String>,
    sort: Sort,
}

impl RowQuery {
    /// Returns which paths it matches, in an image with this many layers.
    pub(crate) fn query(&self, layers: usize) -> Result<Query> {
        let layer = self.layer.map(|layer| layer_number(layer, layers)).transpose()?;
        let given = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        let (search, name) = (given(&self.search), given(&self.name));
        Ok(Query { layer, changes: self.changes.clone(), wasted: self.wasted, search, name })
    }

    /// Returns which directories are open.
    pub(crate) fn open(&self, limits: &Limits) -> Result<Open> {
        let paths = |paths: &BTreeSet<String>| {
            let mut parsed = BTreeSet::new();
            for path in paths {
                parsed.insert(parse_path(path, limits)?);
            }
            Ok::<_, Failure>(parsed)
        };
        Ok(Open { open: paths(&self.open)?, closed: paths(&self.closed)? })
    }

    /// Returns the order of siblings.
    pub(crate) fn sort(&self) -> Sort {
        self.sort
    }
}
