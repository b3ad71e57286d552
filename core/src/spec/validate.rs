//! Validation of one document against the whole specification, beyond what reading requires.

use super::{
    Annotations, Descriptor, Document, ImageConfig, Index, Layout, Manifest, MediaType, Raw, json, media_type,
};
use crate::error::{Error, Result};

/// The content of the empty descriptor (image-spec, manifest.md, "Guidance for an Empty Descriptor").
const EMPTY_CONTENT: &[u8] = b"{}";

/// Checks one document against the image-spec 1.1.1: its JSON schemas, and the sentences with MUST that
/// concern this document alone. It is stricter than [`Raw::parse`], which accepts what is unambiguous: here a
/// manifest needs a layer, embedded `data` is verified, URLs, dates and environment variables must be
/// well-formed, and lists must not be `null`. Documents of other types than index, manifest, config,
/// descriptor, layout and the empty object pass.
///
/// ```
/// use ocicle::spec::{MediaType, media_type, validate};
/// let layout = MediaType::literal(media_type::LAYOUT);
/// assert!(validate(&layout, br#"{"imageLayoutVersion": "1.0.0"}"#).is_ok());
/// assert!(validate(&layout, br#"{"imageLayoutVersion": "2.0.0"}"#).is_err());
/// ```
///
/// # Errors
/// [`Error::Document`] with the first violation.
pub fn validate(media_type: &MediaType, bytes: &[u8]) -> Result<()> {
    let what = media_type.as_str();
    let reason = if media_type.is_index() {
        no_null(&json::Object::parse(what, bytes)?, what, "manifests")?;
        index(parse::<Index>(media_type, bytes)?.view())
    } else if media_type.is_manifest() {
        no_null(&json::Object::parse(what, bytes)?, what, "layers")?;
        manifest(parse::<Manifest>(media_type, bytes)?.view())
    } else if media_type.is_config() {
        let rootfs = json::Object::parse(what, bytes)?.get("rootfs").unwrap_or("{}").to_owned();
        no_null(&json::Object::parse("rootfs", rootfs.as_bytes())?, what, "diff_ids")?;
        config(parse::<ImageConfig>(media_type, bytes)?.view())
    } else {
        match what {
            media_type::LAYOUT => parse::<Layout>(media_type, bytes).map(|_| Ok(()))?,
            media_type::DESCRIPTOR => {
                json::keys(what, bytes)?;
                let parsed = serde_json::from_slice::<Descriptor>(bytes);
                parsed.map_err(|error| error.to_string()).and_then(|parsed| descriptor(&parsed))
            }
            media_type::EMPTY if bytes != EMPTY_CONTENT => Err("expected {}, two bytes".to_owned()),
            _ => Ok(()),
        }
    };
    reason.map_err(|reason| Error::document(what, reason))
}

fn parse<T: Document>(media_type: &MediaType, bytes: &[u8]) -> Result<Raw<T>> {
    Raw::parse(media_type.as_str(), bytes.to_vec(), Some(media_type))
}

type Check = Result<(), String>;

fn index(index: &Index) -> Check {
    check_annotations(&index.annotations)?;
    index.manifests.iter().chain(&index.subject).try_for_each(descriptor)
}

fn manifest(manifest: &Manifest) -> Check {
    if manifest.layers.is_empty() {
        return Err("layers is empty, expected at least one".to_owned());
    }
    if manifest.config.media_type.as_str() == media_type::EMPTY && manifest.artifact_type.is_none() {
        return Err("the config is empty, so artifactType must be set".to_owned());
    }
    check_annotations(&manifest.annotations)?;
    std::iter::once(&manifest.config)
        .chain(&manifest.layers)
        .chain(&manifest.subject)
        .try_for_each(descriptor)
}

fn config(config: &ImageConfig) -> Check {
    let created = config.history.iter().flatten().map(|entry| &entry.created).chain([&config.created]);
    for date in created.flatten() {
        if !is_date_time(date) {
            return Err(format!("created is {date:?}, expected a date and time as in RFC 3339"));
        }
    }
    let Some(run) = &config.config else { return Ok(()) };
    for variable in run.env.iter().flatten() {
        if variable.split_once('=').is_none_or(|(name, _)| name.is_empty()) {
            return Err(format!("config.Env has {variable:?}, expected NAME=value"));
        }
    }
    for (field, set) in [("ExposedPorts", &run.exposed_ports), ("Volumes", &run.volumes)] {
        for (key, value) in set.iter().flatten() {
            if !value.is_object() {
                return Err(format!("config.{field} has {value} for {key:?}, expected {{}}"));
            }
        }
    }
    Ok(())
}

fn descriptor(descriptor: &Descriptor) -> Check {
    descriptor.check_size()?;
    let what = || format!("descriptor of {}", descriptor.digest);
    if let Some(url) = descriptor.urls.iter().find(|url| !is_uri(url)) {
        return Err(format!("{}: the URL {url:?} is not a URI as in RFC 3986", what()));
    }
    check_annotations(&descriptor.annotations).map_err(|reason| format!("{}: {reason}", what()))?;
    let data = descriptor.embedded().map_err(|error| error.to_string())?;
    if let Some(data) = &data
        && descriptor.digest.algorithm().is_some()
    {
        descriptor.verify(&format!("data of the {}", what()), data).map_err(|error| error.to_string())?;
    }
    if descriptor.media_type.as_str() == media_type::EMPTY {
        return descriptor
            .verify(&format!("empty {}", what()), EMPTY_CONTENT)
            .map_err(|error| error.to_string());
    }
    Ok(())
}

/// Refuses empty keys (image-spec, annotations.md).
fn check_annotations(annotations: &Annotations) -> Check {
    if annotations.contains_key("") { Err("an annotation has an empty key".to_owned()) } else { Ok(()) }
}

/// Refuses `null` for a list, which reading accepts.
fn no_null(object: &json::Object, what: &str, key: &str) -> Result<()> {
    match object.get(key) {
        Some("null") => Err(Error::document(what, format!("{key} is null, expected a list"))),
        _ => Ok(()),
    }
}

/// Returns whether the text is a URI (RFC 3986): a scheme, and no character that must be written as %XX.
fn is_uri(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else { return false };
    let mut percent = rest.split('%');
    let plain = |part: &str| {
        part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&'()*+,;=".contains(&byte))
    };
    scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
        && percent.next().is_some_and(plain)
        && percent.all(|part| {
            part.as_bytes().get(..2).is_some_and(|hex| hex.iter().all(u8::is_ascii_hexdigit)) && plain(part)
        })
}

/// Returns whether the text is a `date-time` of RFC 3339, such as `2015-10-31T22:22:56.015925234Z`, or with
/// `+01:00` for `Z`.
#[must_use]
pub fn is_date_time(text: &str) -> bool {
    let fits = |text: &str, pattern: &str| {
        text.len() == pattern.len()
            && text.bytes().zip(pattern.bytes()).all(|(byte, wanted)| match wanted {
                b'0' => byte.is_ascii_digit(),
                b'T' => byte.eq_ignore_ascii_case(&b'T'),
                wanted => byte == wanted,
            })
    };
    let number = |range: std::ops::Range<usize>| text.get(range).and_then(|digits| digits.parse::<u8>().ok());
    let within = |range, low, high| number(range).is_some_and(|number| (low..=high).contains(&number));
    let Some((whole, mut rest)) = text.split_at_checked(19) else { return false };
    if let Some(fraction) = rest.strip_prefix('.') {
        rest = fraction.trim_start_matches(|digit: char| digit.is_ascii_digit());
        if rest.len() == fraction.len() {
            return false;
        }
    }
    fits(whole, "0000-00-00T00:00:00")
        && within(5..7, 1, 12)
        && within(8..10, 1, days_of(whole))
        && within(11..13, 0, 23)
        && within(14..16, 0, 59)
        && within(17..19, 0, 60)
        && (rest.eq_ignore_ascii_case("Z") || fits(rest, "+00:00") || fits(rest, "-00:00"))
}

/// Returns the number of days in the month of a date (RFC 3339, section 5.7).
fn days_of(date: &str) -> u8 {
    let year: Option<u16> = date.get(..4).and_then(|year| year.parse().ok());
    let divides = |by| year.is_some_and(|year| year % by == 0);
    match date.get(5..7) {
        Some("02") if divides(4) && (!divides(100) || divides(400)) => 29,
        Some("02") => 28,
        Some("04" | "06" | "09" | "11") => 30,
        _ => 31,
    }
}
