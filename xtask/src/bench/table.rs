//! The results, as a table in Markdown.

use std::fmt;

use super::measure::Measured;

/// All jobs of all images.
#[derive(Debug, Default)]
pub(crate) struct Table(Vec<(&'static str, &'static str, Vec<Measured>)>);

impl Table {
    /// Adds a job; the first tool is the one the others are compared with.
    pub(crate) fn job(&mut self, image: &'static str, job: &'static str, tools: Vec<Measured>) {
        self.0.push((image, job, tools));
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "| image | job | tool | wall s | CPU s | peak MiB | wall, ocicle = 1 |")?;
        writeln!(f, "|---|---|---|---:|---:|---:|---:|")?;
        for (image, job, tools) in &self.0 {
            let ours = tools.first().map_or(f64::NAN, |measured| measured.wall);
            for Measured { tool, wall, cpu, memory } in tools {
                let ratio = wall / ours;
                writeln!(
                    f,
                    "| {image} | {job} | {tool} | {wall:.3} | {cpu:.2} | {memory:.0} | {ratio:.1} |"
                )?;
            }
        }
        Ok(())
    }
}
