//! `cargo xtask soak`: kills, races and faults, many times. After each, stores must be valid, no tag may be
//! lost, and the same command must succeed without anything being removed by hand.
//!
//! Moments are random. The seed is printed; the same seed tries the same moments again, as far as the machine
//! keeps time.

mod faults;
mod kills;
mod races;
mod random;
mod stage;

use std::{path::PathBuf, time::Instant};

use self::{random::Random, stage::Stage};
use crate::{
    cargo::cargo,
    fuzz::fuzz,
    paths,
    run::{Result, at, run},
};

/// The time for each target of the fuzzer.
const FUZZ_SECONDS: u32 = 60;

/// Runs everything once. `seed` is a number, by default a new one.
pub(crate) fn soak(seed: Option<&str>) -> Result<()> {
    let seed = match seed {
        Some(text) => text.parse().map_err(|error| format!("seed {text:?}: {error}"))?,
        None => random::new_seed(),
    };
    println!("seed {seed}");
    let started = Instant::now();
    let stage = Stage::set_up(native()?)?;
    let mut random = Random::new(seed);
    let done = kills::all(&stage, &mut random)
        .and_then(|()| races::all(&stage))
        .and_then(|()| faults::all(&stage, &mut random))
        .and_then(|()| fuzz(FUZZ_SECONDS));
    match done {
        Ok(()) => {
            println!("nothing lost, {} s", started.elapsed().as_secs());
            stage.remove()
        }
        Err(message) => Err(format!("seed {seed}, files in {}: {message}", stage.dir().display())),
    }
}

/// Returns the command that `OCICLE_BIN` names, or else a new build, as released.
fn native() -> Result<PathBuf> {
    if let Some(command) = std::env::var_os("OCICLE_BIN").map(PathBuf::from) {
        return at(&command, std::path::absolute(&command));
    }
    run(cargo().args(["build", "--quiet", "--release", "--package", "ocicle-cli"]))?;
    Ok(paths::target().join("release/ocicle"))
}
