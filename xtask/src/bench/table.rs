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

    /// Returns the throughput per CPU time of the other tools relative to the first, without very short jobs.
    pub(crate) fn throughput(&self) -> String {
        let mut text = String::new();
        for (image, job, tools) in &self.0 {
            let Some((first, others)) = tools.split_first() else { continue };
            if first.cpu < 0.1 {
                continue;
            }
            let others: Vec<_> =
                others.iter().map(|other| format!("{} {:.2}", other.tool, first.cpu / other.cpu)).collect();
            text += &format!("throughput of {image}, {job}, {} = 1: {}\n", first.tool, others.join(", "));
        }
        text
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn throughput_is_work_per_second_of_the_cpu() {
        let measured = |tool, cpu| Measured { tool, wall: 9.0, cpu, memory: 1.0 };
        let mut table = Table::default();
        table.job("big", "mtree", vec![measured("native", 1.0), measured("Node", 4.0)]);
        table.job("big", "ls", vec![measured("native", 0.0), measured("Node", 0.1)]);
        assert_eq!(table.throughput(), "throughput of big, mtree, native = 1: Node 0.25\n");
    }
}
