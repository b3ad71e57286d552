//! Runs a command several times and takes the median.

use std::{
    ffi::OsStr,
    fs,
    path::Path,
    process::{Command, Stdio},
    time::Instant,
};

use crate::run::{Result, at, output};

/// The subject of a measurement.
#[derive(Clone, Copy)]
pub(crate) struct Bench<'a> {
    pub(crate) ocicle: &'a Path,
    pub(crate) image: &'static str,
    pub(crate) layout: &'a Path,
    pub(crate) work: &'a Path,
    /// The `PATH` by which the other programs are found.
    pub(crate) path: &'a OsStr,
}

/// The medians of a command.
#[derive(Debug, Clone)]
pub(crate) struct Measured {
    pub(crate) tool: &'static str,
    /// Seconds of wall time.
    pub(crate) wall: f64,
    /// Seconds of CPU time, of user and system.
    pub(crate) cpu: f64,
    /// MiB of peak resident memory of the largest process.
    pub(crate) memory: f64,
}

impl Bench<'_> {
    /// Runs a line `runs` times, each after `before`.
    pub(crate) fn measure(
        &self,
        tool: &'static str,
        runs: usize,
        before: &str,
        line: &str,
    ) -> Result<Measured> {
        let report = self.work.join("time");
        let (mut wall, mut cpu, mut memory) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..runs {
            self.shell(before)?;
            let started = Instant::now();
            let status = Command::new("time")
                .args(["--format=%U %S %M", "--output"])
                .arg(&report)
                .args(["sh", "-c", line])
                .env("PATH", self.path)
                .stdout(Stdio::null())
                .status()
                .map_err(|error| format!("time: {error}"))?;
            wall.push(started.elapsed().as_secs_f64());
            if !status.success() {
                return Err(format!("`{line}`: {status}"));
            }
            let text = at(&report, fs::read_to_string(&report))?;
            let mut numbers = text.split_whitespace().filter_map(|number| number.parse::<f64>().ok());
            let mut number = || numbers.next().ok_or_else(|| format!("GNU time says {text:?}"));
            cpu.push(number()? + number()?);
            memory.push(number()? / 1024.0);
        }
        let measured = Measured { tool, wall: median(wall), cpu: median(cpu), memory: median(memory) };
        println!("  {:.3} s  {tool}: {line}", measured.wall);
        Ok(measured)
    }

    /// Runs a line that is not measured.
    pub(crate) fn shell(&self, line: &str) -> Result<()> {
        output(Command::new("sh").args(["-c", line]).env("PATH", self.path)).map(drop)
    }

    /// Returns the blobs of the layers, the base first.
    pub(crate) fn layers(&self) -> Result<Vec<String>> {
        let stat = output(
            Command::new(self.ocicle)
                .args(["stat", "--format", "plain"])
                .arg(format!("{}#t", self.layout.display())),
        )?;
        let digests = stat.lines().filter_map(|line| line.strip_prefix("Layer\t")?.split('\t').next());
        Ok(digests
            .map(|digest| format!("{}/blobs/{}", self.layout.display(), digest.replace(':', "/")))
            .collect())
    }
}

fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers.get(numbers.len() / 2).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_median_is_the_middle() {
        assert_eq!(super::median(vec![3.0, 1.0, 2.0]), 2.0);
    }
}
