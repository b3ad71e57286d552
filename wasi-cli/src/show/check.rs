//! The findings of `check`.

use std::fmt;

use ocicle::{
    image::check::{CheckReport, Finding},
    text::printable,
};

use super::Show;

impl Show for CheckReport {
    fn table(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        for finding in &self.findings {
            writeln!(out, "{finding}")?;
        }
        for warning in &self.warnings {
            writeln!(out, "warning: {warning}")?;
        }
        let problems = match self.findings.len() {
            0 => "nothing wrong".to_owned(),
            1 => "1 problem".to_owned(),
            many => format!("{many} problems"),
        };
        writeln!(out, "{} blobs verified, {} of them layers: {problems}", self.blobs, self.layers)
    }

    /// Writes one line per finding: place, digest, problem. Writes nothing if there are no findings.
    fn plain(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        self.findings.iter().try_for_each(|Finding { place, digest, problem, .. }| {
            writeln!(out, "{place}\t{digest}\t{}", printable(problem))
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests may")]

    use crate::show::testing::{plain, table, tagged};

    #[test]
    fn the_last_line_is_the_sum() {
        let report = tagged(&[&[("a", Some("1"))]]).check().unwrap();
        assert_eq!(table(&report), "3 blobs verified, 1 of them layers: nothing wrong\n");
        assert_eq!(plain(&report), "");
        let report = tagged(&[]).check().unwrap();
        assert!(table(&report).starts_with("warning: pos=0: "), "{}", table(&report));
    }
}
