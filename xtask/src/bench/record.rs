//! `docs/speed.md`, whose figures are written by the bench.

use std::{fs, process::Command, thread};

use super::table::Table;
use crate::{
    paths,
    run::{Result, at, output},
};

/// Replaces the part of a document between two lines, which stay.
fn replace(document: &str, part: &str, new: &str) -> Result<String> {
    let (begin, end) = (format!("<!-- {part} -->\n"), format!("<!-- end of {part} -->\n"));
    let found = document.split_once(&begin).and_then(|(before, rest)| Some((before, rest.split_once(&end)?)));
    let (before, (_, after)) = found.ok_or_else(|| format!("docs/speed.md has no part {part:?}"))?;
    Ok(format!("{before}{begin}\n{new}\n\n{end}{after}"))
}

/// Writes all figures, with what they were measured on.
pub(super) fn record(files: &Table, registry: &Table, versions: &[String]) -> Result<()> {
    let path = paths::checkout().join("docs/speed.md");
    let mut document = at(&path, fs::read_to_string(&path))?;
    for (part, new) in [
        ("measured on", measured_on(versions)?),
        ("files", files.to_string()),
        ("registry", registry.to_string()),
    ] {
        document = replace(&document, part, new.trim_end())?;
    }
    at(&path, fs::write(&path, document))
}

/// Returns a list of machine, date and programs.
fn measured_on(versions: &[String]) -> Result<String> {
    let about = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let line = about.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':'));
    let processor = line.map_or("an unknown processor", |(_, model)| model.trim());
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let date = output(Command::new("date").arg("+%Y-%m-%d"))?;
    let kernel = output(Command::new("uname").args(["-s", "-r", "-m"]))?;
    let machine = format!("{processor}, {cores} cores, {}", kernel.trim());
    Ok(format!("- {}\n- {machine}\n- {}\n", date.trim(), versions.join("\n- ")))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests may")]

    use super::replace;

    #[test]
    fn a_part_is_replaced_and_its_lines_stay() {
        let document = "a\n<!-- files -->\nold\n<!-- end of files -->\nb\n";
        let new = replace(document, "files", "new").unwrap();
        assert_eq!(new, "a\n<!-- files -->\n\nnew\n\n<!-- end of files -->\nb\n");
        assert_eq!(replace(&new, "files", "new").unwrap(), new);
        assert!(replace(document, "registry", "new").is_err());
    }
}
