//! The changes of the layers to a path.

use std::fmt;

use ocicle::{
    image::look::{LayerChange, PathHistory, path_text},
    text::printable,
};

use super::{Show, human_size};

impl Show for PathHistory {
    fn table(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        for LayerChange { layer, kind, removed_with, size, created_by, .. } in &self.changes {
            write!(out, "layer {layer}: {}", kind.name())?;
            if let Some(above) = removed_with {
                write!(out, " with {}", path_text(above))?;
            }
            if *size > 0 {
                write!(out, ", {}", human_size(*size))?;
            }
            match created_by {
                Some(command) => writeln!(out, "  ({})", printable(command))?,
                None => writeln!(out)?,
            }
        }
        match self.exists {
            true => Ok(()),
            false => writeln!(out, "{} is not in the final image", path_text(&self.path)),
        }
    }

    /// Writes a line for each change: layer, digest, kind, bytes, the directory it was removed with or `-`,
    /// command or `-`.
    fn plain(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        for LayerChange { layer, digest, kind, removed_with, size, created_by, .. } in &self.changes {
            let kind = kind.name();
            let with = removed_with.as_ref().map_or_else(|| "-".into(), path_text);
            let command = created_by.as_deref().map_or_else(|| "-".into(), printable);
            writeln!(out, "{layer}\t{digest}\t{kind}\t{size}\t{with}\t{command}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests may")]

    use ocicle::image::look::PathHistory;

    use crate::show::testing::{look, path, plain, table};

    #[test]
    fn each_layer_has_a_line() {
        let (image, look) = look(&[&[("d/gone", Some("x"))], &[("d", None)]]);
        let history = PathHistory::new(&look, &image, &path("d/gone")).unwrap();
        assert_eq!(
            table(&history),
            "layer 1: added, 1 B  (RUN it\\u{1b})\nlayer 2: removed with /d  (RUN it\\u{1b})\n\
             /d/gone is not in the final image\n"
        );
        let lines = plain(&history);
        let fields: Vec<Vec<&str>> = lines.lines().map(|line| line.split('\t').collect()).collect();
        assert_eq!(fields[1][2..], ["removed", "0", "/d", "RUN it\\u{1b}"]);
    }
}
