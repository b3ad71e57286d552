//! Conflicts of a rebase.

use ocicle::image::{look::path_text, rebase::Conflict};

/// Returns a line for each conflict.
pub(crate) fn conflicts(found: &[Conflict]) -> String {
    let line = |Conflict { path, base, image, .. }: &Conflict| {
        format!("{}: {} below, {} above\n", path_text(path), base.name(), image.name())
    };
    found.iter().map(line).collect()
}
