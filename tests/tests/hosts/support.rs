//! The permitted differences between a host and this system, with their reasons.

use std::path::{Component, Path, PathBuf};

use ocicle_tests::hosts::Host;

/// A command line that a host refuses though this system obeys.
struct Refusal {
    host: fn(Host) -> bool,
    /// The beginning of the line.
    line: &'static str,
    code: i32,
    /// A part of the error's message.
    error: &'static str,
}

const REFUSALS: &[Refusal] = &[
    // No image runs on a wasm module.
    Refusal {
        host: |host| host != Host::Native,
        line: "umoci new",
        code: 1,
        error: "cannot detect the platform in a sandbox",
    },
];

/// Returns how a host refuses a command line: the exit code and a part of the message.
pub(crate) fn refusal(host: Host, line: &str) -> Option<(i32, &'static str)> {
    let found = REFUSALS.iter().find(|refusal| (refusal.host)(host) && line.starts_with(refusal.line));
    found.map(|refusal| (refusal.code, refusal.error))
}

/// Returns an error without the system's number for it: WASI has other numbers.
pub(crate) fn without_number(error: &str) -> String {
    match error.split_once(" (os error ") {
        Some((before, after)) => {
            let after = after.split_once(')').map_or("", |(_, after)| after);
            format!("{before}{}", without_number(after))
        }
        None => error.into(),
    }
}

/// Returns the name of a path on a host.
pub(crate) fn expected_path(host: Host, path: &Path) -> PathBuf {
    if host.support().any_names {
        return path.into();
    }
    path.components().map(|part| name(part.as_os_str().as_encoded_bytes())).collect()
}

/// Placeholder for a file that records facts of the system: inode numbers and change times.
pub(crate) const BOOKKEEPING: &str = "bookkeeping";

/// The prefix for a link that a version of a runtime may refuse, so that an empty file replaces
/// it.
pub(crate) const LINK_OR_NOTHING: &str = "link or nothing: ";

/// Returns the description of a placeholder.
pub(crate) fn stand_in() -> String {
    format!("file 644 {NOTHING}")
}

/// Returns the description of a path on a host, for a path that is `native` on this system: descriptions as
/// in [`crate::script`].
pub(crate) fn expected_file(host: Host, path: &Path, native: &str) -> String {
    let support = host.support();
    if !support.change_times && ["ocicle.json", "rootfs.stamps"].iter().any(|name| path.ends_with(name)) {
        return BOOKKEEPING.into();
    }
    let (kind, rest) = native.split_once(' ').unwrap();
    let (mode, content) = rest.split_once(' ').unwrap_or((rest, ""));
    match kind {
        "link" if !support.absolute_links => {
            let target = inside(path, Path::new(content));
            let or_nothing =
                if host == Host::Node && target.starts_with("..") { LINK_OR_NOTHING } else { "" };
            format!("{or_nothing}link to {target}")
        }
        "special" if !support.devices && !support.fifos => stand_in(),
        "directory" if !support.mode => "directory 755".into(),
        "file" if !support.mode => format!("file 644 {content}"),
        _ => format!("{kind} {mode} {content}"),
    }
}

/// Size and digest of an empty file.
const NOTHING: &str = "0 sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// Returns a name with `%` and hexadecimal digits for each byte that is not UTF-8.
fn name(bytes: &[u8]) -> String {
    let chunks = bytes.utf8_chunks().map(|chunk| {
        let wrong: String = chunk.invalid().iter().map(|byte| format!("%{byte:02X}")).collect();
        format!("{}{wrong}", chunk.valid())
    });
    chunks.collect()
}

/// Returns a link with the same meaning inside `rootfs` that does not lead out of it.
fn inside(path: &Path, target: &Path) -> String {
    let inner: Vec<_> = path.components().skip_while(|part| part.as_os_str() != "rootfs").skip(1).collect();
    let Some(depth) = inner.len().checked_sub(1) else { return target.display().to_string() };
    let mut at = inner.get(..depth).unwrap_or_default().to_vec();
    let mut left = target.is_absolute();
    if left {
        at.clear();
    }
    for part in target.components() {
        match part {
            Component::ParentDir => left |= at.pop().is_none(),
            Component::Normal(_) => at.push(part),
            _ => {}
        }
    }
    if !left {
        return target.display().to_string();
    }
    let ways = at.iter().map(|part| part.as_os_str().to_str().unwrap());
    vec![".."; depth].into_iter().chain(ways).collect::<Vec<_>>().join("/")
}
