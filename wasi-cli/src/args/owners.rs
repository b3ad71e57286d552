//! Whose the files of an image are on a disk of this machine.

use clap::Args as ClapArgs;
use ocicle::layer::on_disk::{IdMap, IdRange, OnDisk, Privilege};

use crate::{failure::Failure, system};

/// How files of an image lie on a disk of this machine.
#[derive(Debug, Clone, Default, ClapArgs)]
pub(crate) struct Owners {
    /// Users of the image are those of the host: `0:100000:65536` makes 0 to 65535 of the image 100000 and up.
    #[arg(long, value_name = "IMAGE:HOST[:COUNT]")]
    pub(crate) uid_map: Vec<IdRange>,
    /// The same for groups.
    #[arg(long, value_name = "IMAGE:HOST[:COUNT]")]
    pub(crate) gid_map: Vec<IdRange>,
    /// Work as an ordinary user: all files are that user's; what they should be is recorded in extended attributes.
    #[arg(long)]
    pub(crate) rootless: bool,
}

impl Owners {
    /// What was asked for; root of a user namespace gets what he can have without asking.
    pub(crate) fn on_disk(&self) -> Result<OnDisk, Failure> {
        let (uids, gids) = (IdMap(self.uid_map.clone()), IdMap(self.gid_map.clone()));
        if !self.rootless {
            return Ok(OnDisk { uids, gids, privilege: privilege() });
        }
        let (uid, gid) =
            system::ids().ok_or_else(|| Failure::failed("--rootless: there are no users here"))?;
        let own = OnDisk::rootless(uid, gid);
        Ok(OnDisk {
            uids: if uids.0.is_empty() { own.uids } else { uids },
            gids: if gids.0.is_empty() { own.gids } else { gids },
            ..own
        })
    }
}

/// The first namespace of a machine maps all ids to themselves (user_namespaces(7)).
fn privilege() -> Privilege {
    match std::fs::read_to_string("/proc/self/uid_map") {
        Ok(map) if map.split_whitespace().ne(["0", "0", "4294967295"]) => Privilege::Namespace,
        _ => Privilege::Full,
    }
}
