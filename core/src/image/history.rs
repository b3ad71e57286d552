//! The entries of a history: readers count those that make a layer, so there must be one for each layer.

use serde_json::value::RawValue;

use super::Image;
use crate::{
    error::Result,
    spec::{History, ImageConfig, Raw},
};

impl History {
    /// Returns whether a layer belongs to this entry.
    pub(super) fn makes_layer(&self) -> bool {
        self.empty_layer != Some(true)
    }
}

/// Makes the history one of so many layers: entries are added for layers that have none, and the last ones
/// that lack a layer are marked as having none.
pub(super) fn matched(config: Raw<ImageConfig>, layers: usize) -> Result<Raw<ImageConfig>> {
    let mut config = without_surplus(config, layers)?;
    for _ in count(&config)..layers {
        config = config.push_history(&History::default())?;
    }
    Ok(config)
}

/// Marks the entries after those of so many layers as having none, so that they do not take the next layer.
pub(super) fn without_surplus(config: Raw<ImageConfig>, layers: usize) -> Result<Raw<ImageConfig>> {
    let entries = config.view().history.iter().flatten().enumerate();
    let makers = entries.filter(|(_, entry)| entry.makes_layer()).map(|(position, _)| position);
    let surplus: Vec<usize> = makers.skip(layers).collect();
    if surplus.is_empty() {
        return Ok(config);
    }
    config.edit("image config", |config| {
        config.edit_array("history", |history| {
            let mark = |position| history.edit_object(position, |entry| entry.set("empty_layer", &true));
            surplus.into_iter().try_for_each(mark)
        })
    })
}

/// Returns the entries that an image has in addition to those of its base, one for each layer above the base.
pub(super) fn above_base(image: &Image, base: &Image) -> Result<Vec<Box<RawValue>>> {
    let upper = image.layers().len().saturating_sub(base.layers().len());
    let copied = |base: &Raw<ImageConfig>| {
        let of_base = entries(base);
        let (below, above) = entries(&image.config).split_at_checked(of_base.len())?;
        let makers = above.iter().filter(|entry| entry.makes_layer()).count();
        (below.iter().map(without_mark).eq(of_base.iter().map(without_mark)) && makers <= upper)
            .then_some(below.len())
    };
    let filled = matched(base.config.clone(), base.layers().len())?;
    if let Some(below) = copied(&filled).or_else(|| copied(&base.config)) {
        let above = image.config.keep_history(|entry| entry >= below)?;
        return matched(above, upper)?.raw_history();
    }
    // The image was not made from this base, or its history was edited: its layers are counted.
    let all = matched(image.config.clone(), image.layers().len())?;
    let mut made = 0;
    let below = entries(&all).iter().take_while(|entry| {
        let is_below = made < base.layers().len();
        made += usize::from(entry.makes_layer());
        is_below
    });
    let below = below.count();
    all.keep_history(|entry| entry >= below)?.raw_history()
}

fn entries(config: &Raw<ImageConfig>) -> &[History] {
    config.view().history.as_deref().unwrap_or_default()
}

fn count(config: &Raw<ImageConfig>) -> usize {
    entries(config).iter().filter(|entry| entry.makes_layer()).count()
}

/// Returns the entry as it was before [`without_surplus`].
fn without_mark(entry: &History) -> History {
    History { empty_layer: None, ..entry.clone() }
}
