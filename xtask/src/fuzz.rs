//! `cargo xtask fuzz`: runs the libFuzzer targets of `fuzz/`, for as long as it is told.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    cargo::cargo,
    paths,
    run::{Result, at, run},
};

/// The platform is named so that Cargo does not instrument build scripts.
const PLATFORM: &str = "x86_64-unknown-linux-gnu";

/// The flags that cargo-fuzz gives the compiler, but for the sanitizers: they need a nightly compiler, and
/// there is no unsafe code to watch.
const INSTRUMENTED: [&str; 7] = [
    "--cfg=fuzzing",
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "-Ccodegen-units=1",
];

/// Runs each target for this many seconds. Inputs that reach new code are kept for later runs, below the
/// target directory; one with which a target fails is kept beside them, and named.
pub(crate) fn fuzz(seconds: u32) -> Result<()> {
    let corpora = paths::target().join("fuzz-corpus");
    run(cargo()
        .args(["run", "--quiet", "--package", "ocicle-fuzz", "--bin", "fuzz-seeds", "--"])
        .arg(&corpora))?;
    let targets = build()?;
    for target in targets {
        let name = target.file_name().unwrap_or_default().to_string_lossy().replace("fuzz-", "");
        let executions = one(&target, &corpora.join(&name), seconds).map_err(|e| format!("{name}: {e}"))?;
        println!("  {name}: {executions} inputs, all as they should be");
    }
    Ok(())
}

/// Builds the targets, and returns their paths.
fn build() -> Result<Vec<PathBuf>> {
    let sources = paths::checkout().join("fuzz/targets");
    let mut names = Vec::new();
    for entry in at(&sources, fs::read_dir(&sources))? {
        let path = at(&sources, entry)?.path();
        names.push(format!("fuzz-{}", path.file_stem().unwrap_or_default().to_string_lossy()));
    }
    names.sort();
    let dir = paths::target().join("fuzz");
    run(cargo()
        .args(["build", "--quiet", "--package", "ocicle-fuzz", "--features", "libfuzzer"])
        .args(["--target", PLATFORM, "--target-dir"])
        .arg(&dir)
        .args(names.iter().flat_map(|name| ["--bin", name]))
        // The profile for development stops at overflows.
        .env("CARGO_PROFILE_DEV_OPT_LEVEL", "3")
        .env("RUSTFLAGS", INSTRUMENTED.join(" ")))?;
    Ok(names.iter().map(|name| dir.join(format!("{PLATFORM}/debug/{name}"))).collect())
}

/// Runs one target, and returns the number of inputs that it tried.
fn one(target: &Path, corpus: &Path, seconds: u32) -> Result<u64> {
    let kept = corpus.with_extension("failed-");
    let output = Command::new(target)
        .arg(corpus)
        .arg(format!("-max_total_time={seconds}"))
        .arg(format!("-artifact_prefix={}", kept.display()))
        .args(["-print_final_stats=1", "-timeout=20", "-rss_limit_mb=2048", "-max_len=65536"])
        .output();
    let output = at(target, output)?;
    // libFuzzer prints to standard error only.
    let printed = String::from_utf8_lossy(&output.stderr);
    let executions = printed.lines().find_map(|line| line.strip_prefix("stat::number_of_executed_units:"));
    match executions.and_then(|number| number.trim().parse().ok()) {
        Some(executions) if output.status.success() => Ok(executions),
        _ => Err(format!("{}\n{printed}", output.status)),
    }
}
