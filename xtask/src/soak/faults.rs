//! Systems that refuse: files that must not grow, standard error that is closed or full.

use super::{
    random::Random,
    stage::{Stage, words},
};
use crate::run::Result;

const JOBS: &[&str] = &[
    "copy images other",
    "copy images oci-archive:new.tar",
    "tag images.tar#v1 tagged",
    "insert images#v1 source /data --tag inserted",
    "repack --refresh-bundle bundle images#packed",
    "unpack --rootless images#v2 fresh",
    "export images#v2 -o out.tar",
];

/// The number of sizes that are tried with each command.
const SIZES: u32 = 25;

pub(crate) fn all(stage: &Stage, random: &mut Random) -> Result<()> {
    let (mut failed, mut tries) = (0, 0);
    for job in JOBS {
        for _ in 0..SIZES {
            // In blocks of 512 bytes: half of the layer at most.
            let digits = random.below(12);
            let blocks = random.below(1 << digits);
            tries += 1;
            failed += u32::from(!full_disk(stage, job, blocks)?);
        }
        for standard_error in ["2>&-", "2>/dev/full"] {
            stage.reset()?;
            let status =
                stage.shell(&format!("exec \"$@\" >/dev/null {standard_error}"), &words(job)).status();
            let status = status.map_err(|error| format!("sh: {error}"))?;
            if !status.success() {
                return Err(format!("ocicle {job} {standard_error}: {status}"));
            }
            stage.check()?;
        }
    }
    println!("{failed} of {tries} commands had no room for a file");
    println!("{} commands with standard error closed or full", 2 * JOBS.len());
    Ok(())
}

/// Runs a command whose files must not grow over a size, and again without that. Returns whether the first
/// run succeeded.
fn full_disk(stage: &Stage, job: &str, blocks: u64) -> Result<bool> {
    stage.reset()?;
    let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$@\"");
    let output = stage.shell(&script, &words(job)).output().map_err(|error| format!("sh: {error}"))?;
    let error = String::from_utf8_lossy(&output.stderr);
    let told = output.status.code() == Some(1) && error.contains("File too large");
    if !output.status.success() && !told {
        return Err(format!("ulimit -f {blocks}: ocicle {job}: {}: {error}", output.status));
    }
    stage.check()?;
    match stage.leftovers()? {
        left if left.is_empty() => {}
        left => return Err(format!("ulimit -f {blocks}: ocicle {job}: left behind: {}", left.join(" "))),
    }
    if !output.status.success() {
        stage.ocicle(&words(job))?;
        stage.check()?;
    }
    Ok(output.status.success())
}
