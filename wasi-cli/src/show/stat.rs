//! The config, layers and history of an image; the type and layers of an artifact.

use std::fmt;

use ocicle::{
    image::{Artifact, Image},
    spec::{Descriptor, History},
    text::printable,
};
use serde_json::Value;

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
    facts.extend(docker_facts(image));
    facts.extend(run.env.into_iter().flatten().map(|variable| ("Env", variable)));
    facts.extend(run.exposed_ports.into_iter().flatten().map(|(port, _)| ("Port", port)));
    facts.extend(run.volumes.into_iter().flatten().map(|(volume, _)| ("Volume", volume)));
    facts.extend(run.labels.into_iter().flatten().map(|(key, value)| ("Label", format!("{key}={value}"))));
    facts.retain(|(_, value)| !value.is_empty());
    facts
}

/// Returns the fields that Docker has in addition to image-spec.
fn docker_facts(image: &Image) -> Vec<(&'static str, String)> {
    let whole: Value = serde_json::from_slice(image.config.bytes()).unwrap_or_default();
    let config = &whole["config"];
    let texts = |value: &Value| -> Option<Vec<String>> {
        value.as_array()?.iter().map(|text| text.as_str().map(Into::into)).collect()
    };
    let mut facts = vec![("Shell", words(texts(&config["Shell"])))];
    facts.extend(texts(&config["OnBuild"]).into_iter().flatten().map(|command| ("OnBuild", command)));
    facts.push(("Healthcheck", healthcheck(&config["Healthcheck"], texts)));
    facts
}

fn healthcheck(check: &Value, texts: impl Fn(&Value) -> Option<Vec<String>>) -> String {
    let mut text = words(texts(&check["Test"]));
    for (key, name) in [
        ("Interval", "interval"),
        ("Timeout", "timeout"),
        ("StartPeriod", "start period"),
        ("StartInterval", "start interval"),
    ] {
        if let Some(nanoseconds) = check[key].as_u64().filter(|&time| time > 0) {
            text.push_str(&format!(", {name} {}", seconds(nanoseconds)));
        }
    }
    if let Some(retries) = check["Retries"].as_u64().filter(|&retries| retries > 0) {
        text.push_str(&format!(", retries {retries}"));
    }
    text.trim_start_matches(", ").into()
}

/// Returns a time as seconds: `30s`, `1.5s`.
fn seconds(nanoseconds: u64) -> String {
    let (whole, rest) = (nanoseconds / 1_000_000_000, nanoseconds % 1_000_000_000);
    let fraction = format!(".{rest:09}");
    format!("{whole}{}s", fraction.trim_end_matches('0').trim_end_matches('.'))
}

/// The annotation of a layer of an artifact that names its file.
const TITLE: &str = "org.opencontainers.image.title";

impl Show for Artifact {
    fn table(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        for (name, value) in artifact_facts(self) {
            writeln!(out, "{name:<13} {}", printable(&value))?;
        }
        let layers = &self.manifest.view().layers;
        let size = layers.iter().fold(0_u64, |sum, layer| sum.saturating_add(layer.size));
        writeln!(out, "{:<13} {} ({})", "Layers", layers.len(), human_size(size))?;
        for layer in layers {
            let Descriptor { digest, media_type, annotations, .. } = layer;
            write!(out, "  {:>9}  {digest}  {}", human_size(layer.size), printable(media_type.as_str()))?;
            annotations.get(TITLE).map_or(Ok(()), |title| write!(out, "  {}", printable(title)))?;
            writeln!(out)?;
        }
        Ok(())
    }

    /// Writes name and value of each field, as in the table; then `Layer`, digest, bytes, media type, file
    /// name or `-` for each layer.
    fn plain(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        for (name, value) in artifact_facts(self) {
            writeln!(out, "{name}\t{}", printable(&value))?;
        }
        for Descriptor { digest, size, media_type, annotations, .. } in &self.manifest.view().layers {
            let title = annotations.get(TITLE).map_or("-", String::as_str);
            let [media_type, title] = [media_type.as_str(), title].map(printable);
            writeln!(out, "Layer\t{digest}\t{size}\t{media_type}\t{title}")?;
        }
        Ok(())
    }
}

fn artifact_facts(artifact: &Artifact) -> Vec<(&'static str, String)> {
    let manifest = artifact.manifest.view();
    let mut facts = vec![
        ("Manifest", artifact.descriptor.digest.to_string()),
        ("Media type", artifact.descriptor.media_type.to_string()),
        ("Artifact type", artifact.artifact_type().to_string()),
        ("Config", manifest.config.media_type.to_string()),
    ];
    facts.extend(manifest.subject.as_ref().map(|subject| ("Subject", subject.digest.to_string())));
    let annotations = manifest.annotations.iter();
    facts.extend(annotations.map(|(key, value)| ("Annotation", format!("{key}={value}"))));
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
    #![allow(clippy::unwrap_used, reason = "tests may")]

    use super::{Value, healthcheck, seconds};
    use crate::show::testing::{look, plain, table};

    #[test]
    fn times_are_in_seconds() {
        let of = [30_000_000_000, 1_500_000_000, 1].map(seconds);
        assert_eq!(of, ["30s", "1.5s", "0.000000001s"]);
        let check: Value = serde_json::from_str(r#"{"Interval":60000000000,"Retries":3}"#).unwrap();
        assert_eq!(healthcheck(&check, |_| None), "interval 60s, retries 3");
    }

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
