//! Commands that are killed at random moments.

use std::{
    os::unix::process::ExitStatusExt as _,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use super::{
    random::Random,
    stage::{STORES, Stage, words},
};
use crate::run::{Result, output};

/// The commands.
const JOBS: &[&str] = &[
    "copy images other",
    "copy images new",
    "copy images oci-archive:new.tar",
    "copy images#v2 docker-archive:new.tar#app:1",
    "copy images#v3 oci-archive:images.tar#extra",
    "tag images.tar#v1 tagged",
    "config images.tar#v2 --label a=c --tag labelled",
    "gc images.tar",
    "gc images",
    "insert images#v1 source /data --tag inserted",
    "insert images.tar#v1 source /data --tag inserted",
    "repack bundle images#packed",
    "repack --refresh-bundle bundle images#packed",
    "squash images#v2 --tag flat",
    "recompress images#v2 --compress none --tag plain",
    "unpack --rootless images#v2 fresh",
    "export images#v2 -o out.tar",
];

/// The number of kills of each command.
const KILLS: u32 = 75;

/// A signal that ends a command.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Signal {
    /// No time to clean up.
    Kill,
    /// The command cleans up.
    Term,
    Int,
}

impl Signal {
    const fn number(self) -> i32 {
        match self {
            Self::Kill => 9,
            Self::Term => 15,
            Self::Int => 2,
        }
    }
}

pub(crate) fn all(stage: &Stage, random: &mut Random) -> Result<()> {
    let mut total = 0;
    for job in JOBS {
        let (killed, tries) = repeat(stage, random, job)?;
        total += killed;
        println!("killed {killed} times of {tries}: ocicle {job}");
    }
    println!("{total} kills");
    Ok(())
}

/// Kills a command, many times. Returns how often it was killed, and how often it was run for that.
fn repeat(stage: &Stage, random: &mut Random, job: &str) -> Result<(u32, u32)> {
    stage.reset()?;
    let started = Instant::now();
    stage.ocicle(&words(job))?;
    let longest = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX).max(1);
    let (mut killed, mut tries) = (0, 0);
    while killed < KILLS {
        stage.reset()?;
        tries += 1;
        if tries > 20 * KILLS {
            return Err(format!("ocicle {job}: ends before it is killed"));
        }
        let signal = [Signal::Kill, Signal::Kill, Signal::Term, Signal::Int][random.below(4) as usize];
        let delay = Duration::from_micros(random.below(longest));
        let child = stage.command(&words(job)).stdout(Stdio::null()).stderr(Stdio::piped()).spawn();
        let child = child.map_err(|error| format!("cannot start ocicle: {error}"))?;
        thread::sleep(delay);
        killed += u32::from(end(child, signal)?);
        after(stage, job, signal).map_err(|error| {
            format!("ocicle {job}: signal {} after {} µs: {error}", signal.number(), delay.as_micros())
        })?;
    }
    Ok((killed, tries))
}

/// Sends the signal, and waits. Returns whether that ended the command.
fn end(child: Child, signal: Signal) -> Result<bool> {
    let sent = Command::new("kill").arg(format!("-{}", signal.number())).arg(child.id().to_string()).output();
    sent.map_err(|error| format!("kill: {error}"))?;
    let done = child.wait_with_output().map_err(|error| format!("wait: {error}"))?;
    match done.status.signal() {
        Some(number) if number == signal.number() => Ok(true),
        None if done.status.success() => Ok(false),
        _ => Err(format!("{}: {}", done.status, String::from_utf8_lossy(&done.stderr))),
    }
}

/// Checks what a killed command left, and that the next one succeeds.
fn after(stage: &Stage, job: &str, signal: Signal) -> Result<()> {
    // Before its handlers are set up, a signal ends the process, and there is nothing to clean up.
    if signal != Signal::Kill {
        none_left(stage)?;
    }
    stage.check()?;
    let complete = job.ends_with("fresh") && stage.work().join("fresh/ocicle.json").exists();
    let exists = job.contains("docker-archive") && stage.work().join("new.tar").exists();
    if !complete && !exists {
        stage.ocicle(&words(job))?;
    }
    stage.check()?;
    for store in STORES {
        stage.ocicle(&["gc", store])?;
    }
    for made in ["new", "new.tar"] {
        if stage.work().join(made).exists() {
            stage.check_store(made)?;
            stage.ocicle(&["gc", made])?;
        }
    }
    if complete {
        output(Command::new("rm").arg("-rf").arg(stage.work().join("fresh")))?;
    }
    none_left(stage)
}

fn none_left(stage: &Stage) -> Result<()> {
    match stage.leftovers()? {
        left if left.is_empty() => Ok(()),
        left => Err(format!("left behind: {}", left.join(" "))),
    }
}
