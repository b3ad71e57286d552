//! Changes for a user namespace (runtime-spec, config-linux.md), and for an ordinary user of the host.

use serde_json::{Value, json};

use super::defaults;
use crate::layer::on_disk::{IdMap, IdRange, OnDisk, Privilege};

/// Maps ids as on the disk. A container of an ordinary user has no cgroup, no supplementary groups and no
/// network of its own, so `/sys` is the host's, and so is `/etc/resolv.conf` if the host has one.
pub(super) fn enter(spec: &mut Value, how: &OnDisk, resolv_conf: bool) {
    if how.uids.0.is_empty() && how.gids.0.is_empty() {
        return;
    }
    let rootless = how.privilege == Privilege::None;
    if let Value::Array(namespaces) = &mut spec["linux"]["namespaces"] {
        namespaces.retain(|namespace| !(rootless && namespace["type"] == "network"));
        namespaces.push(json!({ "type": "user" }));
    }
    spec["linux"]["uidMappings"] = json!(ranges(&how.uids));
    spec["linux"]["gidMappings"] = json!(ranges(&how.gids));
    if let Value::Array(mounts) = &mut spec["mounts"] {
        for mount in mounts.iter_mut() {
            if let Value::Array(options) = &mut mount["options"] {
                options.retain(|option| option.as_str().is_none_or(|option| has_id(option, how)));
            }
        }
        if rootless {
            let in_sys =
                |mount: &Value| mount["destination"].as_str().is_some_and(|at| at.starts_with("/sys"));
            mounts.retain(|mount| !in_sys(mount));
            mounts.push(defaults::bind("/sys"));
            if resolv_conf {
                mounts.push(defaults::bind("/etc/resolv.conf"));
            }
        }
    }
    if rootless {
        if let Value::Object(linux) = &mut spec["linux"] {
            linux.remove("resources");
        }
        if let Value::Object(user) = &mut spec["process"]["user"] {
            user.remove("additionalGids");
        }
    }
}

/// Returns the ranges of a map; a namespace needs both maps.
fn ranges(map: &IdMap) -> Vec<IdRange> {
    match map.0.as_slice() {
        [] => vec![IdRange { container: 0, host: 0, size: u32::MAX }],
        ranges => ranges.to_vec(),
    }
}

/// Returns whether the id in a mount option exists in the container.
fn has_id(option: &str, how: &OnDisk) -> bool {
    let in_map = |id: &str, map: &IdMap| id.parse().is_ok_and(|id| map.to_host(id).is_some());
    match option.split_once('=') {
        Some(("uid", id)) => in_map(id, &how.uids),
        Some(("gid", id)) => in_map(id, &how.gids),
        _ => true,
    }
}
