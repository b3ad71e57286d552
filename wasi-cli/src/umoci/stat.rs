//! `umoci stat`: as text, and as JSON.

use std::{fmt::Write as _, process::ExitCode};

use ocicle::{
    digest::Digest,
    graph::Resolution,
    spec::{Descriptor, History, ImageConfig, Manifest, Platform, Raw},
};
use ocicle_report::Escaped;
use serde::Serialize;
use serde_json::{
    ser::{CompactFormatter, Serializer},
    value::RawValue,
};

use super::{
    problem::{Problem, failed},
    quote::{in_quotes, plain, quoted},
};
use crate::{context::Context, output::print, place::Place};

/// The shape of `umoci stat --json`.
#[derive(Serialize)]
struct Stat<'a> {
    manifest: Document<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    config: Option<Document<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    history: Option<Vec<Row<'a>>>,
}

#[derive(Serialize)]
struct Document<'a> {
    descriptor: &'a Descriptor,
    /// Verbatim.
    blob: &'a RawValue,
}

#[derive(Serialize)]
struct Row<'a> {
    layer: Option<&'a Descriptor>,
    /// Empty where there is no layer.
    diff_id: String,
    #[serde(flatten)]
    entry: &'a History,
}

pub(super) fn print_image(
    context: &Context,
    place: &Place,
    at: &Resolution,
    json: bool,
) -> Result<ExitCode, Problem> {
    let _limits = &context.limits;
    let manifest: Raw<Manifest> = place.repository.document(at.target())?;
    let config = &manifest.view().config;
    let image: Option<Raw<ImageConfig>> = match config.media_type.is_config() {
        true => Some(place.repository.document(config)?),
        false => None,
    };
    // Of embedded data, only the empty document is known to be JSON.
    let embedded = match &image {
        Some(image) => Some(image.bytes().to_vec()),
        None if config.media_type.as_str() == "application/vnd.oci.empty.v1+json" => Some(b"{}".to_vec()),
        None => config.embedded()?,
    };
    let config_blob: Option<&RawValue> =
        embedded.as_deref().and_then(|text| serde_json::from_slice(text).ok());
    let stat = Stat {
        manifest: Document { descriptor: at.target(), blob: verbatim(manifest.bytes())? },
        config: config_blob.map(|blob| Document { descriptor: config, blob }),
        history: image.as_ref().map(|image| rows(manifest.view(), image.view())),
    };
    if json {
        print(|out| {
            stat.serialize(&mut Serializer::with_formatter(&mut *out, Escaped(CompactFormatter)))?;
            writeln!(out)
        })?;
        return Ok(ExitCode::SUCCESS);
    }
    let text = as_text(&stat, manifest.view(), image.as_ref().map(Raw::view));
    print(|out| out.write_all(text.as_bytes()))?;
    Ok(ExitCode::SUCCESS)
}

fn verbatim(text: &[u8]) -> Result<&RawValue, Problem> {
    serde_json::from_slice(text).or_else(|error| failed(error.to_string()))
}

/// Returns each history entry with its layer, or without one where there are too few layers.
fn rows<'a>(manifest: &'a Manifest, config: &'a ImageConfig) -> Vec<Row<'a>> {
    let mut layers = manifest.layers.iter().zip(&config.rootfs.diff_ids);
    let mut row = |entry: &'a History| {
        let layer = if entry.empty_layer == Some(true) { None } else { layers.next() };
        Row {
            layer: layer.map(|(layer, _)| layer),
            diff_id: layer.map(|(_, id)| Digest::to_string(id)).unwrap_or_default(),
            entry,
        }
    };
    config.history.iter().flatten().map(&mut row).collect()
}

fn as_text(stat: &Stat<'_>, manifest: &Manifest, config: Option<&ImageConfig>) -> String {
    let mut text = Text::default();
    text.line(0, "== MANIFEST ==");
    text.field(0, "Schema Version", &manifest.schema_version.to_string());
    text.field(0, "Media Type", manifest.media_type.as_ref().map_or("", |media_type| media_type.as_str()));
    if let Some(artifact) = &manifest.artifact_type {
        text.field(0, "Artifact Type", artifact.as_str());
    }
    text.line(0, "Config:");
    text.descriptor(1, &manifest.config);
    if !manifest.layers.is_empty() {
        text.line(0, "Layers:");
        manifest.layers.iter().for_each(|layer| text.descriptor(1, layer));
    }
    if let Some(subject) = &manifest.subject {
        text.line(0, "Subject:");
        text.descriptor(1, subject);
    }
    text.map(0, "Annotations", manifest.annotations.iter());
    text.descriptor(0, stat.manifest.descriptor);
    if let Some(config) = config {
        text.line(0, "\n== CONFIG ==");
        text.config(config);
    } else if stat.config.is_some() {
        text.line(0, "\n== CONFIG ==");
    }
    if let Some(document) = &stat.config {
        text.descriptor(0, document.descriptor);
    }
    if let Some(rows) = &stat.history {
        text.line(0, "\n== HISTORY ==");
        text.history(rows);
    }
    text.0
}

#[derive(Default)]
struct Text(String);

impl Text {
    fn line(&mut self, depth: usize, text: &str) {
        self.0.push_str(&"\t".repeat(depth));
        self.0.push_str(text);
        self.0.push('\n');
    }

    fn field(&mut self, depth: usize, key: &str, value: &str) {
        self.line(depth, &format!("{key}: {}", quoted(value)));
    }

    /// Writes a set on one line; values with commas are quoted.
    fn set(&mut self, depth: usize, key: &str, values: impl IntoIterator<Item = impl AsRef<str>>) {
        let values = values.into_iter().map(|value| match value.as_ref() {
            value if value.contains(',') => in_quotes(value),
            value => quoted(value),
        });
        let values: Vec<String> = values.collect();
        if !values.is_empty() {
            self.line(depth, &format!("{key}: {}", values.join(", ")));
        }
    }

    /// Writes a list, one value per line.
    fn list(&mut self, depth: usize, key: &str, values: &[String]) {
        if !values.is_empty() {
            self.line(depth, &format!("{key}:"));
            values.iter().for_each(|value| self.line(depth + 1, &quoted(value)));
        }
    }

    fn map<'a>(&mut self, depth: usize, key: &str, values: impl Iterator<Item = (&'a String, &'a String)>) {
        let mut values = values.peekable();
        if values.peek().is_some() {
            self.line(depth, &format!("{key}:"));
            values.for_each(|(name, value)| self.field(depth + 1, &quoted(name), value));
        }
    }

    fn descriptor(&mut self, depth: usize, descriptor: &Descriptor) {
        self.line(depth, "Descriptor:");
        let depth = depth + 1;
        self.field(depth, "Media Type", descriptor.media_type.as_str());
        if let Some(artifact) = &descriptor.artifact_type {
            self.field(depth, "Artifact Type", artifact.as_str());
        }
        self.field(depth, "Digest", &descriptor.digest.to_string());
        self.field(depth, "Size", &human_size(descriptor.size));
        if let Some(platform) = &descriptor.platform {
            self.line(depth, "Platform:");
            self.platform(depth + 1, platform);
        }
        self.list(depth, "URLs", &descriptor.urls);
        self.map(depth, "Annotations", descriptor.annotations.iter());
        if let Ok(Some(data)) = descriptor.embedded() {
            self.line(depth, &format!("Data: ({} bytes)", data.len()));
            self.hex(depth + 1, &data);
        }
    }

    fn platform(&mut self, depth: usize, platform: &Platform) {
        self.field(depth, "OS", &platform.os);
        if let Some(version) = &platform.os_version {
            self.field(depth, "OS Version", version);
        }
        self.set(depth, "OS Features", &platform.os_features);
        let variant = platform.variant.as_ref().map(|variant| format!(" ({})", plain(variant)));
        let architecture = quoted(&platform.architecture);
        self.line(depth, &format!("Architecture: {architecture}{}", variant.unwrap_or_default()));
    }

    fn hex(&mut self, depth: usize, data: &[u8]) {
        const SHOWN: usize = 256;
        for (number, line) in data.chunks(16).take(SHOWN / 16).enumerate() {
            let mut hex = String::new();
            for (at, byte) in line.iter().enumerate() {
                let gap = if at % 2 == 1 { " " } else { "" };
                let _ = write!(hex, "{byte:02x}{gap}"); // a String takes it
            }
            let plain = |byte: &u8| if (0x20..0x7f).contains(byte) { char::from(*byte) } else { '.' };
            let plain: String = line.iter().map(plain).collect();
            self.line(depth, &format!("{:04x}: {hex:<40} {plain}", number * 16));
        }
        if data.len() > SHOWN {
            self.line(depth, &format!("....  (extra {} bytes omitted)", data.len() - SHOWN));
        }
    }

    fn config(&mut self, config: &ImageConfig) {
        if let Some(created) = &config.created {
            self.field(0, "Created", &as_go_writes(created));
        }
        self.field(0, "Author", config.author.as_deref().unwrap_or_default());
        self.line(0, "Platform:");
        self.platform(1, &config.platform());
        let run = config.config.clone().unwrap_or_default();
        self.line(0, "Image Config:");
        self.field(1, "User", run.user.as_deref().unwrap_or_default());
        self.list(1, "Entrypoint", run.entrypoint.as_deref().unwrap_or_default());
        match run.cmd.as_deref().unwrap_or_default() {
            [] => self.line(1, "Command: (empty)"),
            words => self.list(1, "Command", words),
        }
        if let Some(dir) = run.working_dir.as_deref().filter(|dir| !dir.is_empty()) {
            self.field(1, "Working Directory", dir);
        }
        self.list(1, "Environment", run.env.as_deref().unwrap_or_default());
        if let Some(signal) = run.stop_signal.as_deref().filter(|signal| !signal.is_empty()) {
            self.field(1, "Stop Signal", signal);
        }
        self.set(1, "Exposed Ports", run.exposed_ports.iter().flatten().map(|(port, _)| port));
        self.set(1, "Volumes", run.volumes.iter().flatten().map(|(path, _)| path));
        self.map(1, "Labels", run.labels.iter().flatten());
    }

    /// Columns as wide as their widest cell, and a space; the last one ends where it ends.
    fn history(&mut self, rows: &[Row<'_>]) {
        let head = ["LAYER", "CREATED", "CREATED BY", "SIZE", "COMMENT"].map(str::to_owned);
        let cell = |text: &Option<String>| text.as_deref().map(plain).unwrap_or_default();
        let cells = rows.iter().map(|Row { layer, entry, .. }| {
            let none = || "<none>".to_owned();
            [
                layer.map_or_else(none, |layer| layer.digest.to_string()),
                entry.created.as_deref().map(as_go_writes).unwrap_or_default(),
                cell(&entry.created_by),
                layer.map_or_else(none, |layer| human_size(layer.size)),
                cell(&entry.comment),
            ]
        });
        let lines: Vec<[String; 5]> = std::iter::once(head).chain(cells).collect();
        let width =
            |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0).max(3);
        let widths: [usize; 4] = std::array::from_fn(width);
        for line in &lines {
            let mut text = String::new();
            for (cell, width) in line.iter().zip(widths) {
                let _ = write!(text, "{cell:width$} "); // a String takes it
            }
            text.push_str(&line[4]);
            self.line(0, &text);
        }
    }
}

/// Returns a date as Go writes it: no zeros at the end of a fraction, and `Z` for UTC.
fn as_go_writes(date: &str) -> String {
    let at = date.rfind(['Z', '+', '-']).unwrap_or(date.len());
    let (time, zone) = date.split_at(at);
    let time = match time.contains('.') {
        true => time.trim_end_matches('0').trim_end_matches('.'),
        false => time,
    };
    format!("{}{}", plain(time), if zone.ends_with("00:00") { "Z" } else { zone })
}

/// Formats a size as Go's units package does: four significant digits, decimal units.
fn human_size(bytes: u64) -> String {
    const UNITS: [&str; 7] = ["B", "kB", "MB", "GB", "TB", "PB", "EB"];
    let mut unit = 0;
    #[allow(clippy::cast_precision_loss, reason = "four digits are shown")]
    let mut size = bytes as f64;
    while size >= 1000.0 && unit + 1 < UNITS.len() {
        size /= 1000.0;
        unit += 1;
    }
    let decimals = if size >= 100.0 {
        1
    } else if size >= 10.0 {
        2
    } else {
        3
    };
    let digits = format!("{size:.decimals$}");
    format!("{}{}", digits.trim_end_matches('0').trim_end_matches('.'), UNITS[unit])
}

#[cfg(test)]
mod tests {
    use super::{as_go_writes, human_size};

    #[test]
    fn sizes_as_go_s_units_has_them() {
        let sizes = [
            (0, "0B"),
            (135, "135B"),
            (1107, "1.107kB"),
            (3282, "3.282kB"),
            (1_090_000, "1.09MB"),
            (12_345_678, "12.35MB"),
            (999_900, "999.9kB"),
        ];
        for (bytes, shown) in sizes {
            assert_eq!(human_size(bytes), shown);
        }
    }

    #[test]
    fn dates_as_go_has_them() {
        let dates = [
            ("2025-09-05T13:05:10.12345+10:00", "2025-09-05T13:05:10.12345+10:00"),
            ("2025-09-05T13:05:10.500Z", "2025-09-05T13:05:10.5Z"),
            ("2025-09-05T13:05:10.000-07:00", "2025-09-05T13:05:10-07:00"),
            ("2025-09-05T13:05:10+00:00", "2025-09-05T13:05:10Z"),
            ("2025-09-05T13:05:00Z", "2025-09-05T13:05:00Z"),
        ];
        for (date, shown) in dates {
            assert_eq!(as_go_writes(date), shown);
        }
    }
}
