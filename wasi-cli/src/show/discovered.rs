//! An object with what is about it, as a tree.

use std::fmt;

use ocicle::{
    graph::{discover::Discovered, selector::kind_of},
    spec::Descriptor,
    text::printable,
};

use super::Show;

impl Show for Discovered {
    fn table(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        writeln!(out, "{}  {}", kind(&self.descriptor), self.descriptor.digest)?;
        below(out, self, "")
    }

    /// Writes one line per object: depth, digest, artifact type, media type, bytes. The object itself has the
    /// depth 0.
    fn plain(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        line(out, self, 0)
    }
}

fn below(out: &mut dyn fmt::Write, object: &Discovered, before: &str) -> fmt::Result {
    for (number, about) in object.referrers.iter().enumerate() {
        let is_last = number + 1 == object.referrers.len();
        let (branch, indent) = if is_last { ("└─ ", "   ") } else { ("├─ ", "│  ") };
        writeln!(out, "{before}{branch}{}  {}", kind(&about.descriptor), about.descriptor.digest)?;
        below(out, about, &format!("{before}{indent}"))?;
    }
    Ok(())
}

fn line(out: &mut dyn fmt::Write, object: &Discovered, depth: usize) -> fmt::Result {
    let Descriptor { media_type, digest, size, artifact_type, .. } = &object.descriptor;
    let artifact_type = artifact_type.as_ref().map_or_else(|| "-".into(), |kind| printable(kind.as_str()));
    writeln!(out, "{depth}\t{digest}\t{artifact_type}\t{}\t{size}", printable(media_type.as_str()))?;
    object.referrers.iter().try_for_each(|about| line(out, about, depth + 1))
}

/// Returns the artifact type or the kind, with the platform and the tag if there are some.
fn kind(object: &Descriptor) -> String {
    let kind =
        object.artifact_type.as_ref().map_or_else(|| kind_of(&object.media_type), |kind| kind.as_str());
    let mut text = printable(kind);
    for more in [object.platform.as_ref().map(ToString::to_string), object.tag().map(|tag| format!("#{tag}"))]
    {
        text += &more.map_or_else(String::new, |more| format!("  {}", printable(&more)));
    }
    text
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests may")]

    use ocicle::{Descriptor, graph::discover::discover, limits::Limits};

    use crate::show::Show as _;

    #[test]
    fn a_tree_of_what_is_about_it() {
        let object = |kind: &str, number: u32| {
            let manifest = ocicle::spec::media_type::MANIFEST.parse().unwrap();
            let mut made = Descriptor::new(manifest, format!("sha256:{number:064}").parse().unwrap(), 7);
            made.artifact_type = Some(kind.parse().unwrap());
            made
        };
        let (app, sbom, notes, signature) =
            (object("a/app", 1), object("a/sbom", 2), object("a/notes", 3), object("a/signature", 4));
        let find = &mut |digest: &ocicle::Digest| {
            Ok(match digest {
                _ if *digest == app.digest => vec![sbom.clone(), notes.clone(), sbom.clone()],
                _ if *digest == sbom.digest => vec![signature.clone()],
                // A circle, as only tags and annotations can make.
                _ if *digest == signature.digest => vec![sbom.clone()],
                _ => Vec::new(),
            })
        };
        let found = discover(&app, &Limits::default(), find).unwrap();
        let (mut table, mut plain) = (String::new(), String::new());
        found.table(&mut table).unwrap();
        found.plain(&mut plain).unwrap();
        let expected = [
            format!("a/app  {}", app.digest),
            format!("├─ a/sbom  {}", sbom.digest),
            format!("│  └─ a/signature  {}", signature.digest),
            format!("│     └─ a/sbom  {}", sbom.digest),
            format!("└─ a/notes  {}\n", notes.digest),
        ];
        assert_eq!(table, expected.join("\n"));
        let depths: Vec<_> = plain.lines().filter_map(|line| line.split('\t').next()).collect();
        assert_eq!(depths, ["0", "1", "2", "3", "1"]);
        for (name, limits) in [
            ("depth", Limits { depth: 2, ..Limits::default() }),
            ("descriptors", Limits { descriptors: 3, ..Limits::default() }),
        ] {
            let error = discover(&app, &limits, find).unwrap_err().to_string();
            assert!(error.contains(name), "{error}");
        }
    }
}
