//! What a worker of the npm package `ocicle` calls: the library on bytes that JavaScript reads.
//!
//! Reports come as the JSON that the command prints with `--json`. `ts/` has the interface that people use, and says what each
//! call is for.

#![expect(clippy::needless_pass_by_value, reason = "what JavaScript hands over is owned")]

mod edit;
mod failure;
mod host;
mod image;
mod rows;
mod store;

pub use self::{
    failure::Failure,
    host::{Host, connect},
    image::{Image, Indexed},
    store::Store,
};
