//! One directory, `rootfs/`, with all layers merged.

use crate::{
    error::Result,
    fs::{DirPosix, Support},
    layer::ChangeSink,
    name::Name,
    store::BlobRead,
    tree::{
        diff::{Baseline, DiffOptions, DiffSummary, diff},
        emulated::{Defaults, Emulated},
        rootfs::RootfsSink,
    },
};

use super::{
    super::{
        files::{ROOTFS, create_dir, in_dir},
        layers::Layers,
        options::CompareOptions,
        record::Recorded,
        runtime::Users,
    },
    Laid,
};

/// Merges the layers into `rootfs/`, on a disk that can hold what `held` says.
pub(super) fn lay_out<S, D>(layers: &Layers<'_, S>, dir: &D, held: Support) -> Result<Laid>
where
    S: BlobRead,
    D: DirPosix,
{
    let root = Emulated::new(create_dir(dir, ROOTFS)?, held, None, Defaults::default());
    let (tree, sink) = layers.merge(RootfsSink::new(root))?;
    let users = in_dir(dir, ROOTFS, |root| Users::read(root, layers.limits()))?;
    let dirs = vec![Name::literal(ROOTFS).into()];
    Ok(Laid { tree, stamps: sink.into_stamps(), held, users, dirs })
}

/// Sends what changed in `rootfs/`.
pub(super) fn changes<D: DirPosix>(
    bundle: &Recorded<'_, D>,
    options: &CompareOptions,
    learn: bool,
    sink: &mut dyn ChangeSink,
) -> Result<DiffSummary> {
    let Recorded { dir, record, limits, .. } = bundle;
    let stamps = match options.verify || !dir.support().change_times {
        true => &[],
        false => &record.stamps[..],
    };
    let settled = record.settled.unwrap_or_default();
    let baseline = Baseline { tree: &record.tree, stamps, settled };
    let root = bundle.root()?;
    let masked = bundle.masked(&root, options);
    let options = DiffOptions { masked: &masked, learn, limits: **limits };
    diff(baseline, &root, &options, sink)
}
