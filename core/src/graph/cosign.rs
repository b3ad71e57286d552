//! Tags that name the image they are about, as cosign makes them: `sha256-….sig`, `.att` and `.sbom`.

use crate::{digest::Digest, spec::Descriptor};

const SUFFIXES: [&str; 3] = [".sig", ".att", ".sbom"];

/// Returns the digest of the image that the tag of an entry of `index.json` names.
pub(super) fn about(entry: &Descriptor) -> Option<Digest> {
    Some(parts(entry.ref_name()?)?.1)
}

/// Returns the tag for another image.
pub(super) fn retagged(entry: &Descriptor, about: &Digest) -> Option<String> {
    let (before, _, suffix) = parts(entry.ref_name()?)?;
    Some(format!("{before}{}-{}{suffix}", about.algorithm_name(), about.encoded()))
}

/// Splits a tag into what is before the digest, such as a repository, the digest, and the suffix.
fn parts(tag: &str) -> Option<(&str, Digest, &'static str)> {
    let suffix = SUFFIXES.into_iter().find(|suffix| tag.ends_with(suffix))?;
    let whole = tag.strip_suffix(suffix)?;
    let start = whole.rfind([':', '/']).map_or(0, |at| at + 1);
    let (before, name) = whole.split_at_checked(start)?;
    let (algorithm, encoded) = name.split_once('-')?;
    Some((before, format!("{algorithm}:{encoded}").parse().ok()?, suffix))
}

#[cfg(test)]
mod tests {
    use super::{about, retagged};
    use crate::{
        digest::{Algorithm, Digest},
        graph::testing::{image, tagged},
        hash::digest_of,
        store::Repository,
    };

    #[test]
    fn the_tags_of_cosign_name_an_image() {
        let store = Repository::in_memory().unwrap();
        let entry = |tag: &str| tagged(image(&store, "linux/amd64", 1), tag);
        let old = digest_of(Algorithm::Sha256, b"old");
        let new: Digest = digest_of(Algorithm::Sha256, b"new");
        for (before, suffix) in [("", ".sig"), ("reg.example/app:", ".att"), ("", ".sbom")] {
            let tag = |digest: &Digest| format!("{before}sha256-{}{suffix}", digest.encoded());
            let entry = entry(&tag(&old));
            assert_eq!(about(&entry), Some(old.clone()));
            assert_eq!(retagged(&entry, &new), Some(tag(&new)));
        }
        for tag in ["v1", "v1.sig", "sha256-12.sig", &format!("sha256-{}", old.encoded())] {
            assert_eq!(about(&entry(tag)), None, "{tag}");
        }
    }
}
