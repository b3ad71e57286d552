//! The config, layers and history of an image.

use std::fmt;

use ocicle::{image::Image, spec::History, text::printable};

use super::{Show, human_size};

impl Show for Image {
    fn table(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        for (name, value) in facts(self) {
            writeln!(out, "{name:<12} {}", printable(&value))?;
        }
        let layers = &self.manifest.view().layers;
        writeln!(out, "{:<12} {} ({})", "Layers", layers.len(), human_size(self.size()))?;
        for layer in layers {
            writeln!(out, "  {:>9}  {}", human_size(layer.size), layer.digest)?;
        }
        for (number, (entry, layer)) in self.history().enumerate() {
            if number == 0 {
                writeln!(out, "History")?;
            }
            let size = layer.map_or_else(|| "-".into(), |(layer, _)| human_size(layer.size));
            let created = entry.created.as_deref().unwrap_or("-");
            writeln!(out, "  {size:>9}  {}  {}", printable(created), printable(made_by(entry)))?;
        }
        Ok(())
    }

    /// Writes name and value of each field, as in the table; then `Layer`, digest, bytes for each layer; then
    /// `History`, digest of the layer, time, command for each entry.
    fn plain(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        for (name, value) in facts(self) {
            writeln!(out, "{name}\t{}", printable(&value))?;
        }
        for layer in &self.manifest.view().layers {
            writeln!(out, "Layer\t{}\t{}", layer.digest, layer.size)?;
        }
        for (entry, layer) in self.history() {
            let layer = layer.map_or("-", |(layer, _)| layer.digest.as_str());
            let created = entry.created.as_deref().unwrap_or("-");
            writeln!(out, "History\t{layer}\t{}\t{}", printable(created), printable(made_by(entry)))?;
        }
        Ok(())
    }
}

/// Returns the names and values of the fields in manifest and config that are not empty.
fn facts(image: &Image) -> Vec<(&'static str, String)> {
    let config = image.config.view();
    let run = config.config.clone().unwrap_or_default();
    let mut facts = vec![
        ("Manifest", image.descriptor.digest.to_string()),
        ("Media type", image.descriptor.media_type.to_string()),
        ("Platform", config.platform().to_string()),
        ("Created", config.created.clone().unwrap_or_default()),
        ("Author", config.author.clone().unwrap_or_default()),
        ("User", run.user.unwrap_or_default()),
        ("Entrypoint", words(run.entrypoint)),
        ("Cmd", words(run.cmd)),
        ("Working dir", run.working_dir.unwrap_or_default()),
        ("Stop signal", run.stop_signal.unwrap_or_default()),
    ];
    facts.extend(run.env.into_iter().flatten().map(|variable| ("Env", variable)));
    facts.extend(run.exposed_ports.into_iter().flatten().map(|(port, _)| ("Port", port)));
    facts.extend(run.volumes.into_iter().flatten().map(|(volume, _)| ("Volume", volume)));
    facts.extend(run.labels.into_iter().flatten().map(|(key, value)| ("Label", format!("{key}={value}"))));
    facts.retain(|(_, value)| !value.is_empty());
    facts
}

fn made_by(entry: &History) -> &str {
    entry.created_by.as_deref().or(entry.comment.as_deref()).unwrap_or("-")
}

/// Returns the words of a command, each in quotes.
fn words(words: Option<Vec<String>>) -> String {
    words.into_iter().flatten().map(|word| format!("{word:?}")).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use crate::show::testing::{look, plain, table};

    #[test]
    fn names_and_commands_are_escaped_for_the_terminal() {
        let (image, _) = look(&[&[("a", Some("1"))]]);
        let (table, plain) = (table(&image), plain(&image));
        assert!(
            table.contains("Platform     linux/amd64\n") && table.contains("  RUN it\\u{1b}\n"),
            "{table}"
        );
        assert!(plain.lines().last().is_some_and(|line| line.starts_with("History\tsha256:")), "{plain}");
        assert!(!(table + &plain).contains('\x1b'));
    }
}
