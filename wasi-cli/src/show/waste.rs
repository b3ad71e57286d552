//! The hidden bytes of an image.

use std::{collections::BTreeSet, fmt};

use ocicle::{
    image::{
        look::path_text,
        waste::{LayerWaste, PathWaste, Sums, Waste},
    },
    text::printable,
};

use super::{Show, human_size};

/// Paths named in the text.
const WORST: usize = 20;

impl Show for Waste {
    fn table(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        let row = |out: &mut dyn fmt::Write, first: &str, cells: [&str; 5], last: &str| {
            let [size, files, stored, hidden, duplicate] = cells;
            writeln!(
                out,
                "{first:<5}  {size:>8}  {files:>7}  {stored:>8}  {hidden:>8}  {duplicate:>9}  {last}"
            )
        };
        row(out, "LAYER", ["SIZE", "FILES", "STORED", "HIDDEN", "DUPLICATE"], "MADE BY")?;
        for LayerWaste { layer, size, files, sums, created_by, .. } in &self.layers {
            let [size, stored, hidden, duplicate] =
                [*size, sums.stored, sums.hidden, sums.duplicate].map(human_size);
            let made_by = created_by.as_deref().map(printable).unwrap_or_default();
            row(
                out,
                &layer.to_string(),
                [&size, &files.to_string(), &stored, &hidden, &duplicate],
                &made_by,
            )?;
        }
        let Sums { stored, visible, hidden, hidden_compressed, .. } = self.total;
        writeln!(out, "\nStored       {}", human_size(stored))?;
        writeln!(out, "Visible      {} ({:.2} %)", human_size(visible), self.efficiency * 100.0)?;
        writeln!(
            out,
            "Hidden       {} (compressed about {})",
            human_size(hidden),
            human_size(hidden_compressed)
        )?;
        let Sums { overwritten, metadata_only, removed, removed_with_directory, duplicate, .. } = self.total;
        for (what, bytes) in [
            ("overwritten", overwritten),
            ("same content", metadata_only),
            ("removed", removed),
            ("with a directory", removed_with_directory),
        ] {
            if bytes > 0 {
                writeln!(out, "  {what:<16}  {}", human_size(bytes))?;
            }
        }
        writeln!(out, "Duplicate    {}", human_size(duplicate))?;
        if !self.paths.is_empty() {
            writeln!(out, "\n{:>8}  {:<6}  PATH", "HIDDEN", "LAYERS")?;
        }
        for PathWaste { path, hidden, layers, .. } in self.paths.iter().take(WORST) {
            writeln!(out, "{:>8}  {:<6}  {}", human_size(*hidden), numbers(layers), path_text(path))?;
        }
        match self.paths.len().saturating_sub(WORST) {
            0 => Ok(()),
            more => writeln!(out, "and {more} more"),
        }
    }

    /// Writes one line per layer: `layer`, number, digest, bytes of the blob, files, bytes stored, visible,
    /// hidden, overwritten, metadata only, removed, removed with directory, duplicate; then one line per
    /// path: `path`, path, hidden bytes, times, layers separated by commas.
    fn plain(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        for LayerWaste { layer, digest, size, files, sums, .. } in &self.layers {
            let bytes = [
                *size,
                *files,
                sums.stored,
                sums.visible,
                sums.hidden,
                sums.overwritten,
                sums.metadata_only,
                sums.removed,
                sums.removed_with_directory,
                sums.duplicate,
            ];
            let bytes = bytes.map(|number| number.to_string()).join("\t");
            writeln!(out, "layer\t{layer}\t{digest}\t{bytes}")?;
        }
        for PathWaste { path, hidden, times, layers, .. } in &self.paths {
            writeln!(out, "path\t{}\t{hidden}\t{times}\t{}", path_text(path), numbers(layers))?;
        }
        Ok(())
    }
}

fn numbers(layers: &BTreeSet<usize>) -> String {
    layers.iter().map(usize::to_string).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use ocicle::image::waste::Waste;

    use crate::show::testing::{look, plain, table};

    #[test]
    fn the_text_names_the_worst_paths_and_the_lines_all() {
        let names: Vec<String> = (0..25).map(|number| format!("f{number:02}")).collect();
        let lower: Vec<(&str, Option<&str>)> = names.iter().map(|name| (&name[..], Some("lower"))).collect();
        let upper: Vec<(&str, Option<&str>)> = names.iter().map(|name| (&name[..], None)).collect();
        let (image, look) = look(&[&lower, &upper]);
        let waste = Waste::new(&look, &image);
        assert!(table(&waste).ends_with("and 5 more\n"), "{}", table(&waste));
        assert_eq!(plain(&waste).lines().count(), 2 + 25);
    }

    #[test]
    fn an_empty_image_has_no_share() {
        let (image, look) = look(&[]);
        assert!(table(&Waste::new(&look, &image)).contains("Visible      0 B (100.00 %)"));
    }
}
