//! Arguments, as JavaScript writes them.

use ocicle::{limits::Limits, name::EntryPath, tree::mtree::vis};

use crate::failure::{Failure, Result};

/// Converts a layer number from one-based to zero-based, for an image with this many layers.
pub(crate) fn layer_number(layer: usize, count: usize) -> Result<usize> {
    match layer {
        1.. if layer <= count => Ok(layer - 1),
        _ => Err(Failure::misuse(format!("layer {layer} not found: the image has layers 1 to {count}"))),
    }
}

/// Parses a path, plain or escaped as in rows.
pub(crate) fn parse_path(path: &str) -> Result<EntryPath> {
    let bytes = match path.contains('\\') {
        true => vis::decode(path.as_bytes()).map_err(Failure::misuse)?,
        false => path.as_bytes().to_vec(),
    };
    EntryPath::clean(&bytes, &Limits::default()).map_err(Failure::misuse)
}
