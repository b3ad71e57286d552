//! Many commands at one store or bundle at a time.

use std::{
    process::{Output, Stdio},
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use super::stage::{Stage, words};
use crate::run::Result;

const WRITERS: usize = 25;
const ROUNDS: usize = 8;
/// The number of commands at one bundle.
const AT_ONE_BUNDLE: usize = 8;

pub(crate) fn all(stage: &Stage) -> Result<()> {
    for store in ["images", "images.tar"] {
        stage.reset()?;
        let collected = writers(stage, store)?;
        println!("{WRITERS} writers, {ROUNDS} rounds each, beside {collected} runs of gc: {store}");
    }
    for job in ["repack --refresh-bundle bundle images#packed", "unpack --rootless images#v2 fresh"] {
        stage.reset()?;
        let done = at_one_bundle(stage, job)?;
        println!("{done} of {AT_ONE_BUNDLE} at a time succeeded: ocicle {job}");
    }
    Ok(())
}

/// Lets each writer add tags, beside gc. Returns the number of runs of gc.
fn writers(stage: &Stage, store: &str) -> Result<usize> {
    let running = AtomicBool::new(true);
    let collected = thread::scope(|scope| {
        let collector = scope.spawn(|| {
            let mut runs = 0;
            while running.load(Ordering::Relaxed) {
                stage.ocicle(&["gc", store])?;
                runs += 1;
            }
            Ok::<_, String>(runs)
        });
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| {
                scope.spawn(move || (0..ROUNDS).try_for_each(|round| edit(stage, store, writer, round)))
            })
            .collect();
        let done: Result<()> = writers.into_iter().try_for_each(|writer| joined(writer.join()));
        running.store(false, Ordering::Relaxed);
        let collected = joined(collector.join());
        done.and(collected)
    })?;
    stage.check()?;
    let tags = stage.tags(store)?;
    for (writer, round) in (0..WRITERS).flat_map(|writer| (0..ROUNDS).map(move |round| (writer, round))) {
        let tag = format!("t{writer}-{round}");
        if !tags.contains(&tag) {
            return Err(format!("{store} has lost {tag}"));
        }
    }
    Ok(collected)
}

fn edit(stage: &Stage, store: &str, writer: usize, round: usize) -> Result<()> {
    let tag = format!("t{writer}-{round}");
    let line = match (writer + round) % 3 {
        0 => format!("tag {store}#v1 {tag}"),
        1 => format!("copy other#old {store}#{tag}"),
        _ => format!("insert {store}#v1 source/file-{round} /{tag} --tag {tag}"),
    };
    stage.ocicle(&words(&line)).map(drop)
}

/// Runs one command several times at once. One must succeed, and the others succeed or say why not.
fn at_one_bundle(stage: &Stage, job: &str) -> Result<usize> {
    let outputs: Vec<Output> = thread::scope(|scope| {
        let start = |_| {
            let mut command = stage.command(&words(job));
            scope.spawn(move || command.stdout(Stdio::null()).output())
        };
        let runs: Vec<_> = (0..AT_ONE_BUNDLE).map(start).collect();
        let wait = |run: thread::ScopedJoinHandle<'_, std::io::Result<Output>>| {
            joined(run.join().map(|output| output.map_err(|error| error.to_string())))
        };
        runs.into_iter().map(wait).collect::<Result<_>>()
    })?;
    let done = outputs.iter().filter(|output| output.status.success()).count();
    for output in outputs.iter().filter(|output| !output.status.success()) {
        let error = String::from_utf8_lossy(&output.stderr);
        if !["another process", "already exists"].iter().any(|told| error.contains(told)) {
            return Err(format!("ocicle {job}: {}: {error}", output.status));
        }
    }
    if done == 0 {
        return Err(format!("ocicle {job}: none succeeded"));
    }
    stage.check()?;
    match stage.leftovers()? {
        left if left.is_empty() => Ok(done),
        left => Err(format!("ocicle {job}: left behind: {}", left.join(" "))),
    }
}

fn joined<T>(result: thread::Result<Result<T>>) -> Result<T> {
    result.unwrap_or_else(|_| Err("a thread panicked".into()))
}
