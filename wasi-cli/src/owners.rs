//! Who we are, and so how files of an image lie on a disk of this machine.

use ocicle::layer::on_disk::{IdMap, OnDisk, Privilege};

use crate::{args::Owners, failure::Failure};

/// What was asked for; root of a user namespace gets what he can have without asking.
pub(crate) fn on_disk(owners: &Owners) -> Result<OnDisk, Failure> {
    let (uids, gids) = (IdMap(owners.uid_map.clone()), IdMap(owners.gid_map.clone()));
    if !owners.rootless {
        return Ok(OnDisk { uids, gids, privilege: privilege() });
    }
    let (uid, gid) = ids().ok_or_else(|| Failure::failed("--rootless: there are no users here"))?;
    let own = OnDisk::rootless(uid, gid);
    Ok(OnDisk {
        uids: if uids.0.is_empty() { own.uids } else { uids },
        gids: if gids.0.is_empty() { own.gids } else { gids },
        ..own
    })
}

/// User and group of this process.
#[cfg(unix)]
fn ids() -> Option<(u32, u32)> {
    Some((rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw()))
}

#[cfg(not(unix))]
fn ids() -> Option<(u32, u32)> {
    None
}

/// The first namespace of a machine maps all ids to themselves (user_namespaces(7)).
fn privilege() -> Privilege {
    match std::fs::read_to_string("/proc/self/uid_map") {
        Ok(map) if map.split_whitespace().ne(["0", "0", "4294967295"]) => Privilege::Namespace,
        _ => Privilege::Full,
    }
}
