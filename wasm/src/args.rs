//! Arguments, as JavaScript writes them.

use std::collections::BTreeMap;

use ocicle::{limits::Limits, name::EntryPath, tree::mtree::vis};

use crate::failure::{Failure, Result};

/// Converts a layer number from one-based to zero-based, for an image with this many layers.
pub(crate) fn layer_number(layer: usize, count: usize) -> Result<usize> {
    match layer {
        1.. if layer <= count => Ok(layer - 1),
        _ => Err(Failure::misuse(format!("layer {layer} not found: the image has layers 1 to {count}"))),
    }
}

/// Parses limits: an object of numbers by the names of [`Limits::NAMES`]; the others have their defaults, but
/// for `archive_size`, since decompressed archives are held in memory.
pub(crate) fn limits_of(text: &str) -> Result<Limits> {
    let given: BTreeMap<String, u64> = serde_json::from_str(text).map_err(Failure::misuse)?;
    let mut limits = Limits { archive_size: 4 << 30, ..Limits::default() };
    for (name, value) in given {
        limits.set(&name, value)?;
    }
    Ok(limits)
}

/// Parses a path, plain or escaped as in rows.
pub(crate) fn parse_path(path: &str, limits: &Limits) -> Result<EntryPath> {
    let bytes = match path.contains('\\') {
        true => vis::decode(path.as_bytes()).map_err(Failure::misuse)?,
        false => path.as_bytes().to_vec(),
    };
    EntryPath::clean(&bytes, limits).map_err(Failure::misuse)
}
