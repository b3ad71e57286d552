//! Conflicts of a rebase.

use ocicle::image::rebase::{Conflict, Conflicts};

/// Returns a line for each conflict.
pub(crate) fn conflicts(found: &Conflicts) -> String {
    let line =
        |Conflict { path, base, image, .. }: &Conflict| format!("{path}: {base} below, {image} above\n");
    found.conflicts.iter().map(line).collect()
}
