//! The owners of files on disk.

use clap::Args as ClapArgs;
use ocicle::layer::on_disk::{IdMap, IdRange, OnDisk, Privilege};

use crate::{failure::Failure, system};

/// The owners of files on disk.
#[derive(Debug, Clone, Default, ClapArgs)]
pub(crate) struct Owners {
    /// Map user ids of the image to ids of the host: `0:100000:65536` maps 0–65535 to 100000–165535.
    #[arg(long, value_name = "IMAGE:HOST[:COUNT]")]
    pub(crate) uid_map: Vec<IdRange>,
    /// Map group ids in the same way.
    #[arg(long, value_name = "IMAGE:HOST[:COUNT]")]
    pub(crate) gid_map: Vec<IdRange>,
    /// Work as an ordinary user, who owns all files: owners and devices are recorded in extended attributes.
    #[arg(long)]
    pub(crate) rootless: bool,
}

impl Owners {
    /// Returns how files are stored on disk. Root of a user namespace needs no option for that.
    pub(crate) fn on_disk(&self) -> Result<OnDisk, Failure> {
        let (uids, gids) = (IdMap(self.uid_map.clone()), IdMap(self.gid_map.clone()));
        if !self.rootless {
            return Ok(OnDisk { uids, gids, privilege: privilege() });
        }
        let (uid, gid) =
            system::ids().ok_or_else(|| Failure::failed("--rootless: unsupported in a sandbox"))?;
        let own = OnDisk::rootless(uid, gid);
        Ok(OnDisk {
            uids: if uids.0.is_empty() { own.uids } else { uids },
            gids: if gids.0.is_empty() { own.gids } else { gids },
            ..own
        })
    }

    /// Returns how files are stored in an archive, which can hold everything.
    pub(crate) fn in_archive(&self) -> Result<OnDisk, Failure> {
        let how = self.on_disk()?;
        Ok(if self.rootless { how } else { OnDisk { privilege: Privilege::Full, ..how } })
    }
}

/// Returns the privilege of this process. The initial user namespace maps all ids to themselves
/// (user_namespaces(7)).
fn privilege() -> Privilege {
    match std::fs::read_to_string("/proc/self/uid_map") {
        Ok(map) if map.split_whitespace().ne(["0", "0", "4294967295"]) => Privilege::Namespace,
        _ => Privilege::Full,
    }
}
