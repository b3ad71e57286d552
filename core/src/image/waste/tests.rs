#![allow(clippy::unwrap_used, reason = "tests may")]

use std::collections::{BTreeMap, BTreeSet};

use super::{Sums, Waste};
use crate::{
    image::{
        look::Look,
        testing::{image, overwrite},
    },
    store::Repository,
    tree::testing::{Item, clear, dir, file, link, remove},
};

fn waste(layers: &[&[Item]]) -> Waste {
    let store = Repository::in_memory().unwrap();
    let image = image(&store, layers);
    Waste::new(&Look::inside(&store, &image).unwrap(), &image)
}

#[test]
fn every_kind_of_waste_is_counted() {
    let waste = waste(&[
        &[
            file("kept", "1"),
            file("over", "22"),
            file("chmod", "333"),
            file("gone", "4444"),
            dir("d"),
            file("d/x", "55555"),
            dir("o"),
            file("o/x", "666666"),
            file("linked", "7777777"),
            link("name", "linked"),
        ],
        &[
            file("over", "88888888"),
            file("chmod", "333"),
            remove("gone"),
            remove("d"),
            clear("o"),
            remove("linked"),
            file("copy", "1"),
        ],
    ]);
    assert_eq!(
        waste.total,
        Sums {
            stored: 28 + 12,
            visible: 1 + 7 + 8 + 3 + 1,
            hidden: 2 + 3 + 4 + 5 + 6,
            overwritten: 2,
            metadata_only: 3,
            removed: 4,
            removed_with_directory: 5 + 6,
            duplicate: 1,
            hidden_compressed: waste.total.hidden_compressed,
        }
    );
    assert!((waste.efficiency - 0.5).abs() < 1e-9);
    let layers: Vec<_> =
        waste.layers.iter().map(|layer| (layer.files, layer.sums.stored, layer.sums.duplicate)).collect();
    assert_eq!(layers, [(7, 28, 0), (3, 12, 1)]);
    assert!(waste.layers[0].sums.hidden_compressed > 0 && waste.layers[1].sums.hidden_compressed == 0);
    let paths: Vec<_> = waste.paths.iter().map(|row| (row.path.to_string(), row.hidden)).collect();
    let expected = [("o/x", 6), ("d/x", 5), ("gone", 4), ("chmod", 3), ("over", 2)];
    assert_eq!(paths, expected.map(|(path, hidden)| (path.to_owned(), hidden)));
}

#[test]
fn an_empty_image_wastes_nothing() {
    let waste = waste(&[]);
    assert!((waste.efficiency - 1.0).abs() < f64::EPSILON);
    assert_eq!(waste.total, Sums::default());
}

#[test]
fn every_path_with_hidden_bytes_is_listed() {
    let names: Vec<String> = (0..25).map(|n| format!("f{n:02}")).collect();
    let lower: Vec<Item> = names.iter().map(|name| file(name, "lower")).collect();
    let upper: Vec<Item> = names.iter().map(|name| remove(name)).collect();
    let waste = waste(&[&lower, &upper]);
    assert_eq!((waste.paths.len(), waste.total.removed), (25, 125));
}

#[test]
fn a_damaged_layer_fails_waste() {
    let store = Repository::in_memory().unwrap();
    let image = image(&store, &[&[file("a", "1")]]);
    overwrite(&store, &image.manifest.view().layers[0].digest, b"damaged");
    assert!(Look::inside(&store, &image).is_err());
}

/// The visible files, by path; layers are applied naively, without links and markers other than whiteouts.
struct Model {
    now: BTreeMap<String, (usize, String)>,
    sums: Sums,
}

#[test]
fn random_layers_are_as_a_slow_model_has_them() {
    let mut state = 42_u64;
    let mut random = |below: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    for _ in 0..200 {
        let mut model = Model { now: BTreeMap::new(), sums: Sums::default() };
        let mut layers = Vec::new();
        for number in 0..1 + random(4) as usize {
            let mut layer = Vec::new();
            let mut touched = BTreeSet::new();
            for _ in 0..random(6) {
                let (top, below) = (format!("d{}", random(3)), format!("d{}/f{}", random(3), random(3)));
                if random(4) == 0 {
                    let path = if random(2) == 0 { top } else { below };
                    // A whiteout beside entries at or below its path is covered by the tests of the merge.
                    if touched.iter().any(|it: &String| it.starts_with(&path)) {
                        continue;
                    }
                    touched.insert(path.clone());
                    model.remove(&path);
                    layer.push(remove(&path));
                } else if !touched.iter().any(|it| below.starts_with(it)) {
                    touched.insert(below.clone());
                    let content = "x".repeat(1 + random(3) as usize);
                    model.put(number, &below, &content);
                    layer.push(file(&below, &content));
                }
            }
            layers.push(layer);
        }
        model.finish();
        let layers: Vec<&[Item]> = layers.iter().map(Vec::as_slice).collect();
        let found = waste(&layers);
        let expected = Sums { hidden_compressed: found.total.hidden_compressed, ..model.sums };
        assert_eq!(found.total, expected, "{layers:?}");
        assert_eq!(found.total.stored, found.total.visible + found.total.hidden);
    }
}

impl Model {
    fn put(&mut self, layer: usize, path: &str, content: &str) {
        let size = content.len() as u64;
        self.sums.stored += size;
        if let Some((_, old)) = self.now.insert(path.into(), (layer, content.into())) {
            self.sums.hidden += old.len() as u64;
            let kind = if old == content { &mut self.sums.metadata_only } else { &mut self.sums.overwritten };
            *kind += old.len() as u64;
        }
    }

    fn remove(&mut self, path: &str) {
        if let Some((_, old)) = self.now.remove(path) {
            self.sums.hidden += old.len() as u64;
            self.sums.removed += old.len() as u64;
        }
        let below = format!("{path}/");
        let gone: Vec<_> = self.now.keys().filter(|it| it.starts_with(&below)).cloned().collect();
        for path in gone {
            let size = self.now.remove(&path).unwrap().1.len() as u64;
            self.sums.hidden += size;
            self.sums.removed_with_directory += size;
        }
    }

    fn finish(&mut self) {
        let mut contents: Vec<&str> = self.now.values().map(|(_, content)| content.as_str()).collect();
        self.sums.visible = contents.iter().map(|content| content.len() as u64).sum();
        contents.sort_unstable();
        let pairs = contents.windows(2).filter(|pair| pair[0] == pair[1]);
        self.sums.duplicate = pairs.map(|pair| pair[0].len() as u64).sum();
    }
}
