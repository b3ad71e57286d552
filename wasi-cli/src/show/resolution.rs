//! The objects that a reference selects.

use std::fmt;

use ocicle::{
    graph::{Hop, ResolvedObject, selector::kind_of},
    spec::Platform,
    text::printable,
};

use super::{Show, human_size};

impl Show for ResolvedObject<'_> {
    fn table(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        for (depth, Hop { position, descriptor, .. }) in self.hops.iter().enumerate() {
            write!(out, "{:w$}pos={position}  {}", "", kind_of(&descriptor.media_type), w = depth * 2)?;
            let own = descriptor.platform.as_ref();
            let is_last = depth + 1 == self.hops.len();
            if let Some(platform) = own.or(self.platform.as_ref().filter(|_| is_last)) {
                write!(out, "  {}", shown(Some(platform)))?;
            }
            write!(out, "  {}  {}", descriptor.digest, human_size(descriptor.size))?;
            match descriptor.tag() {
                Some(tag) if depth == 0 => writeln!(out, "  #{}", printable(tag))?,
                _ => writeln!(out)?,
            }
        }
        match self.places {
            1 => Ok(()),
            several => writeln!(out, "the first of {several} places"),
        }
    }

    /// Writes one line: selector, kind, platform, digest, bytes.
    fn plain(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        let (kind, platform) = (kind_of(self.media_type), shown(self.platform.as_ref()));
        writeln!(out, "{}\t{kind}\t{platform}\t{}\t{}", self.selector, self.digest, self.size)
    }
}

impl Show for [ResolvedObject<'_>] {
    fn table(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        for ResolvedObject { media_type, selector, platform, digest, .. } in self {
            let (kind, platform) = (printable(kind_of(media_type)), shown(platform.as_ref()));
            writeln!(out, "{kind}  {platform}  {digest}  #{selector}")?;
        }
        Ok(())
    }

    /// Writes one line per object, as for a single one.
    fn plain(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        self.iter().try_for_each(|object| object.plain(out))
    }
}

fn shown(platform: Option<&Platform>) -> String {
    platform.map_or_else(|| "-".into(), |platform| printable(&platform.to_string()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests may")]

    use ocicle::graph::resolve::Want;

    use crate::show::testing::{plain, table, tagged};

    #[test]
    fn an_object_has_a_path_and_a_line() {
        let store = tagged(&[]);
        let all = store.resolve_all(&"v1".parse().unwrap(), Want::Any).unwrap();
        let all: Vec<_> = all.iter().map(|found| found.describe(&store)).collect();
        let text = table(&all[0]);
        assert!(text.starts_with("pos=0  manifest  linux/amd64  sha256:"), "{text}");
        assert!(text.ends_with("  #v1\n"), "{text}");
        assert!(table(&all[..]).starts_with("manifest  linux/amd64  sha256:"), "{}", table(&all[..]));
        assert_eq!(plain(&all[..]), plain(&all[0]));
    }
}
