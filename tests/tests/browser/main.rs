//! The npm package and the page, in Node and in Chromium.
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod package;
mod page;
