//! The numbers of dive, for CI gates that use them.
//!
//! Over the leaves of each layer's own tree, by path, links not followed: `min` is the smallest and `sum` the
//! sum of the sizes a path has; a whiteout counts as what it hides: 0 for a file, all that is below it for a
//! directory. Then
//!
//! - efficiency = Σ min ÷ Σ sum, or 1 if nothing is stored
//! - wasted bytes = Σ sum of the paths that occur twice or more
//! - user wasted percent = wasted bytes ÷ Σ sizes in all layers but the lowest, or 0 if those are empty
//!
//! So necessary copies count as wasted, a removed directory does not, and opaque markers are ignored.
//! [`Waste`](super::Waste) has none of these flaws.
//!
//! Source: the documentation and observed behaviour of dive 0.13.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, Read},
};

use serde::Serialize;

use super::ratio;
use crate::{
    error::{Error, Result},
    image::Image,
    layer::{Change, ChangeSink, EntryKind, reader::read_layer},
    name::EntryPath,
    store::{BlobRead, Repository},
};

/// The numbers that dive shows for an image.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct DiveNumbers {
    /// The efficiency, from 0 to 1.
    pub efficiency: f64,
    /// The number of wasted bytes.
    pub wasted_bytes: u64,
    /// From 0 to 1, in spite of its name.
    pub user_wasted_percent: f64,
}

impl DiveNumbers {
    /// Reads and verifies all layers.
    ///
    /// # Errors
    /// Those of [`read_layer`].
    pub fn new<S: BlobRead>(repository: &Repository<S>, image: &Image) -> Result<Self> {
        let mut paths = Paths::default();
        for (blob, diff_id) in image.layers() {
            let mut layer = LayerTree::default();
            read_layer(repository, blob, diff_id, &mut layer)?;
            paths.layer(layer);
        }
        Ok(paths.numbers())
    }
}

/// The tree of one layer.
#[derive(Default)]
struct LayerTree {
    /// The leaves, with sizes in bytes.
    entries: BTreeMap<EntryPath, u64>,
    whiteouts: BTreeSet<EntryPath>,
}

impl ChangeSink for LayerTree {
    fn put(&mut self, change: &Change, body: &mut dyn Read) -> Result<()> {
        match change {
            Change::Put(entry) => {
                let size = if let EntryKind::File { size } = entry.kind { size } else { 0 };
                self.entries.insert(entry.path.clone(), size);
                io::copy(body, &mut io::sink()).map_err(Error::io("read layer"))?;
            }
            Change::Remove(path) => {
                self.whiteouts.insert(path.clone());
            }
            Change::ClearLower(_) => {}
        }
        Ok(())
    }
}

#[derive(Default)]
struct Paths {
    seen: BTreeMap<EntryPath, Seen>,
    /// The merged leaves of the layers so far, with sizes in bytes.
    stacked: BTreeMap<EntryPath, u64>,
    layers: u64,
    /// The size of all layers but the lowest, in bytes.
    upper: u64,
}

/// The sizes of a path.
struct Seen {
    min: u64,
    sum: u64,
    times: u64,
}

impl Paths {
    fn layer(&mut self, LayerTree { entries, whiteouts }: LayerTree) {
        let parents: BTreeSet<EntryPath> =
            entries.keys().filter_map(|path| Some(path.split_last()?.0)).collect();
        for (path, size) in &entries {
            self.upper += if self.layers > 0 { *size } else { 0 };
            if !path.is_root() && !parents.contains(path) {
                self.see(path, *size);
            }
        }
        for path in whiteouts {
            let hidden: Vec<_> = self.below(&path).map(|(path, size)| (path.clone(), size)).collect();
            self.see(&path, hidden.iter().map(|(_, size)| size).sum());
            self.stacked.remove(&path);
            for (path, _) in hidden {
                self.stacked.remove(&path);
            }
        }
        self.stacked.extend(entries);
        self.layers += 1;
    }

    fn see(&mut self, path: &EntryPath, size: u64) {
        let seen = self.seen.entry(path.clone()).or_insert(Seen { min: size, sum: 0, times: 0 });
        seen.min = seen.min.min(size);
        seen.sum += size;
        seen.times += 1;
    }

    /// Returns the leaves below a path, with their sizes.
    fn below(&self, above: &EntryPath) -> impl Iterator<Item = (&EntryPath, u64)> {
        let near = self.stacked.range(above.clone()..);
        near.take_while(|(path, _)| path.as_bytes().starts_with(above.as_bytes()))
            .filter(|(path, _)| is_below(path, above))
            .map(|(path, size)| (path, *size))
    }

    fn numbers(&self) -> DiveNumbers {
        let (mut min, mut sum, mut wasted) = (0, 0, 0);
        for seen in self.seen.values() {
            min += seen.min;
            sum += seen.sum;
            wasted += if seen.times > 1 { seen.sum } else { 0 };
        }
        let user_wasted_percent = if self.upper == 0 { 0.0 } else { ratio(wasted, self.upper) };
        DiveNumbers { efficiency: ratio(min, sum), wasted_bytes: wasted, user_wasted_percent }
    }
}

fn is_below(path: &EntryPath, above: &EntryPath) -> bool {
    path.as_bytes().strip_prefix(above.as_bytes()).is_some_and(|rest| rest.first() == Some(&b'/'))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests may")]

    use super::DiveNumbers;
    use crate::{
        image::testing::image,
        store::Repository,
        tree::testing::{Item, clear, dir, file, link, remove},
    };

    /// Returns efficiency, wasted bytes and user wasted percent.
    fn numbers(layers: &[&[Item]]) -> (f64, u64, f64) {
        let store = Repository::in_memory().unwrap();
        let numbers = DiveNumbers::new(&store, &image(&store, layers)).unwrap();
        (numbers.efficiency, numbers.wasted_bytes, numbers.user_wasted_percent)
    }

    #[test]
    fn an_empty_image_is_efficient() {
        assert_eq!(numbers(&[]), (1.0, 0, 0.0));
        assert_eq!(numbers(&[&[dir("d")]]), (1.0, 0, 0.0));
    }

    #[test]
    fn all_copies_count() {
        // /a: 4 and 6; /b: 10 once.
        let layers: &[&[Item]] = &[&[file("a", "aaaa"), file("b", "bbbbbbbbbb")], &[file("a", "aaaaaa")]];
        assert_eq!(numbers(layers), (14.0 / 20.0, 10, 10.0 / 6.0));
    }

    #[test]
    fn a_removed_file_counts_and_a_removed_directory_does_not() {
        assert_eq!(numbers(&[&[file("a", "aaaa")], &[remove("a"), file("b", "b")]]), (1.0 / 5.0, 4, 4.0));
        // The directory's path was a leaf only as a whiteout: 4 in both sums.
        let layers: &[&[Item]] = &[&[dir("d"), file("d/a", "aaaa"), file("d-x", "x")], &[remove("d")]];
        assert_eq!(numbers(layers), (1.0, 0, 0.0));
        // Nor an opaque marker, nor a further name.
        let layers: &[&[Item]] = &[&[dir("d"), file("d/a", "aaaa"), link("l", "d/a")], &[clear("d")]];
        assert_eq!(numbers(layers), (1.0, 0, 0.0));
    }

    #[test]
    fn a_whiteout_counts_what_is_there_at_that_time() {
        // /d: 4 + 1 by the first whiteout, 2 by the second; then it occurs twice.
        let layers: &[&[Item]] = &[
            &[dir("d"), file("d/a", "aaaa"), dir("d/e"), file("d/e/f", "f")],
            &[remove("d")],
            &[dir("d"), file("d/a", "bb")],
            &[remove("d")],
        ];
        // d/a: min 2, sum 6; d/e/f: 1; d: min 2, sum 7.
        assert_eq!(numbers(layers), (5.0 / 14.0, 6 + 7, 13.0 / 2.0));
    }
}
