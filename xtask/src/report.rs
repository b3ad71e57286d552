//! The steps of a run, and the summary at its end.

use std::time::{Duration, Instant};

use crate::run::Result;

#[derive(Debug, Default)]
pub(crate) struct Report {
    steps: Vec<(String, Outcome)>,
}

#[derive(Debug)]
enum Outcome {
    Passed(Duration),
    Failed(String),
    NotRun(String),
}

impl Report {
    /// Runs a step. Its failure is kept for the end, so that one run shows all of them.
    pub(crate) fn step<T>(&mut self, name: &str, step: impl FnOnce() -> Result<T>) -> Option<T> {
        println!("\n==> {name}");
        let start = Instant::now();
        let (outcome, value) = match step() {
            Ok(value) => (Outcome::Passed(start.elapsed()), Some(value)),
            Err(message) => {
                eprintln!("FAILED {name}: {message}");
                (Outcome::Failed(message), None)
            }
        };
        self.steps.push((name.into(), outcome));
        value
    }

    /// Notes what this run leaves out.
    pub(crate) fn not_run(&mut self, name: &str, reason: impl Into<String>) {
        self.steps.push((name.into(), Outcome::NotRun(reason.into())));
    }

    /// Prints every step with its outcome; fails if one failed.
    pub(crate) fn finish(self) -> Result<()> {
        println!("\n==> summary");
        let mut failed = Vec::new();
        for (name, outcome) in &self.steps {
            match outcome {
                Outcome::Passed(time) => println!("  passed   {:>6.1} s  {name}", time.as_secs_f64()),
                Outcome::Failed(message) => {
                    println!("  FAILED             {name}: {}", message.lines().next().unwrap_or_default());
                    failed.push(name.as_str());
                }
                Outcome::NotRun(reason) => println!("  not run            {name}: {reason}"),
            }
        }
        if failed.is_empty() { Ok(()) } else { Err(format!("failed: {}", failed.join(", "))) }
    }
}
