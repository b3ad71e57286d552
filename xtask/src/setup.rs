//! `cargo xtask setup`.

use crate::{bindgen, npm, report::Report, run::Result, tools, wasi_runner, wasm_toolchain};

/// Installs what the tests need. A second run only checks.
pub(crate) fn setup() -> Result<()> {
    let mut report = Report::default();
    tools(&mut report);
    let toolchain = report.step("set up: wasm targets", wasm_toolchain::ensure);
    report.step("set up: wasm-bindgen", bindgen::ensure);
    wasi_runner::ensure(&mut report);
    report.step("set up: packages of npm", npm::ensure);
    if toolchain.is_none() {
        println!("  without the wasm targets, `cargo xtask test --fast` still runs");
    }
    report.finish()
}

/// Installs the programs of others; those that are unavailable are named with the tests that need them.
/// Returns whether none is missing.
pub(crate) fn tools(report: &mut Report) -> bool {
    let Some(missing) = report.step("set up: programs to compare with", tools::ensure) else { return false };
    for tool in &missing {
        report
            .not_run(tool.needed_by, format!("{} is not installed (package {})", tool.program, tool.package));
    }
    missing.is_empty()
}
