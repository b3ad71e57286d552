//! The functions that the workers of the npm package `ocicle` call: the library, on bytes that JavaScript
//! reads.
//!
//! Reports are the JSON that the command prints with `--json`. `ts/` has the public interface and its
//! documentation.

#![expect(clippy::needless_pass_by_value, reason = "what JavaScript hands over is owned")]

mod args;
mod edit;
mod failure;
mod host;
mod image;
mod layers;
mod registry;
mod rows;
mod store;
mod transport;
#[cfg(test)]
mod typescript;

pub use self::{
    failure::Failure,
    host::{Host, connect},
    image::Image,
    layers::Indexed,
    store::{Store, decompress},
};

/// Returns what the command prints with `--json`, on one line.
fn report(report: &(impl ocicle_report::Report + ?Sized)) -> failure::Result<String> {
    Ok(ocicle_report::to_string(report)?)
}

fn json(value: &impl serde::Serialize) -> failure::Result<String> {
    Ok(serde_json::to_string(value)?)
}
