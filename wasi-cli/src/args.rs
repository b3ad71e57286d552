//! Groups of arguments that several commands share.

mod compress;
mod conflicts;
mod defaults;
mod dry_run;
mod format;
mod history;
mod layers;
mod limit;
mod owners;
pub(crate) mod size;
mod target;

pub(crate) use self::{
    compress::Compress,
    conflicts::{ConflictArgs, OnConflict},
    defaults::{Defaults, WithDefaults},
    dry_run::Edit,
    format::{Format, FormatName},
    history::HistoryArgs,
    layers::LayerArgs,
    limit::Limit,
    owners::Owners,
    target::{Follow, Target},
};
