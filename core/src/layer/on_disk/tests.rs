#![allow(clippy::unwrap_used, reason = "tests may")]

use super::{IdMap, OnDisk, Privilege};
use crate::{
    attrs::{Attrs, Time, Xattrs},
    layer::{Entry, EntryKind},
    name::EntryPath,
};

/// `cap_net_raw+ep`.
const CAPABILITY: [u8; 20] = [1, 0, 0, 2, 0, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

fn entry(kind: EntryKind, uid: u32, gid: u32, xattrs: &[(&str, &[u8])]) -> Entry {
    let xattrs: Xattrs =
        xattrs.iter().map(|(name, value)| (name.as_bytes().into(), (*value).into())).collect();
    let path = EntryPath::clean(b"a/b", &Default::default()).unwrap();
    Entry { path, attrs: Attrs { mode: 0o4751, uid, gid, mtime: Time::from_seconds(7), xattrs }, kind }
}

fn names(entry: &Entry) -> Vec<String> {
    entry.attrs.xattrs.keys().map(|name| String::from_utf8_lossy(name).into_owned()).collect()
}

fn mapped() -> OnDisk {
    let map = || IdMap(vec!["0:100000:1000".parse().unwrap()]);
    OnDisk { uids: map(), gids: map(), privilege: Privilege::Full }
}

/// Returns the entry on the disk, after checking that it converts back to the same entry.
fn there_and_back(how: &OnDisk, entry: &Entry) -> Entry {
    let disk = how.to_disk(entry).unwrap().into_owned();
    assert_eq!(&*how.from_disk(&disk).unwrap(), entry);
    disk
}

#[test]
fn maps_change_owners_and_the_root_of_capabilities() {
    let file = entry(
        EntryKind::File { size: 3 },
        5,
        6,
        &[("security.capability", &CAPABILITY), ("trusted.x", b"1")],
    );
    let disk = there_and_back(&mapped(), &file);
    assert_eq!((disk.attrs.uid, disk.attrs.gid, disk.attrs.mode), (100_005, 100_006, 0o4751));
    let capability = &disk.attrs.xattrs[&b"security.capability"[..]];
    assert_eq!((capability.len(), &capability[20..]), (24, &100_000_u32.to_le_bytes()[..]));
    assert_eq!(names(&disk), ["security.capability", "trusted.x"]);
}

/// `cap_net_raw+ep` for a container whose root is uid 1000.
fn capability_of_1000() -> Vec<u8> {
    let mut value = CAPABILITY.to_vec();
    value[3] = 3;
    value.extend(1000_u32.to_le_bytes());
    value
}

#[test]
fn a_capability_for_an_unmapped_root_is_named() {
    let file = entry(EntryKind::File { size: 3 }, 0, 0, &[("security.capability", &capability_of_1000())]);
    let error = mapped().to_disk(&file).unwrap_err().to_string();
    let expected = "/a/b: security.capability is for a container whose root is uid 1000 of the image";
    assert!(error.starts_with(expected), "{error}");
    // Where it is only recorded, no id is needed.
    there_and_back(&OnDisk::rootless(7, 7), &file);
}

#[test]
fn unmapped_owners_are_refused() {
    let file = entry(EntryKind::Dir, 1000, 0, &[]);
    let error = mapped().to_disk(&file).unwrap_err().to_string();
    assert!(error.starts_with("/a/b: uid 1000 of the image is not in the uid map"), "{error}");
    let error = mapped().from_disk(&entry(EntryKind::Dir, 100_000, 0, &[])).unwrap_err().to_string();
    assert!(error.starts_with("/a/b: gid 0 of the host is not in the gid map"), "{error}");
}

#[test]
fn unprivileged_users_record_what_they_cannot_set() {
    let how = OnDisk::rootless(1000, 100);
    let xattrs: [(&str, &[u8]); 5] = [
        ("security.capability", &CAPABILITY),
        ("system.posix_acl_access", b"acl"),
        ("trusted.x", b"1"),
        ("user.mime", b"text"),
        ("user.rootlesscontainers", b"from the image"),
    ];
    let disk = there_and_back(&how, &entry(EntryKind::File { size: 3 }, 5, 0, &xattrs));
    assert_eq!((disk.attrs.uid, disk.attrs.gid), (1000, 100));
    assert_eq!(
        names(&disk),
        [
            "system.posix_acl_access",
            "user.mime",
            "user.ocicle.xattr.security.capability",
            "user.ocicle.xattr.trusted.x",
            "user.ocicle.xattr.user.rootlesscontainers",
            "user.rootlesscontainers",
        ]
    );
    // Entries of root need no record.
    let disk = there_and_back(&how, &entry(EntryKind::Dir, 0, 0, &[]));
    assert_eq!((disk.attrs.uid, names(&disk).len()), (1000, 0));
}

#[test]
fn devices_become_placeholders() {
    let device = entry(EntryKind::Char { major: 1, minor: 3 }, 0, 6, &[]);
    for how in [OnDisk::rootless(1000, 100), OnDisk { privilege: Privilege::Namespace, ..OnDisk::default() }]
    {
        let disk = there_and_back(&how, &device);
        assert_eq!(disk.kind, EntryKind::File { size: 0 });
        assert_eq!(*disk.attrs.xattrs[&b"user.ocicle.device"[..]], *b"c 1:3");
        let mut written = disk;
        written.kind = EntryKind::File { size: 1 };
        let file = how.from_disk(&written).unwrap().into_owned();
        assert_eq!((file.kind, file.attrs), (EntryKind::File { size: 1 }, device.attrs.clone()));
    }
}

#[test]
fn root_of_a_namespace_keeps_owners_and_capabilities() {
    let how = OnDisk { privilege: Privilege::Namespace, ..OnDisk::default() };
    let xattrs: [(&str, &[u8]); 2] = [("security.capability", &CAPABILITY), ("trusted.x", b"1")];
    let disk = there_and_back(&how, &entry(EntryKind::File { size: 0 }, 5, 6, &xattrs));
    assert_eq!((disk.attrs.uid, disk.attrs.gid), (5, 6));
    assert_eq!(names(&disk), ["security.capability", "user.ocicle.xattr.trusted.x"]);
}

#[test]
fn links_and_fifos_hold_no_records() {
    let how = OnDisk::rootless(1000, 100);
    let link = entry(EntryKind::Symlink { target: b"x"[..].into() }, 5, 6, &[("trusted.x", b"1")]);
    let disk = how.to_disk(&link).unwrap();
    assert_eq!((disk.attrs.uid, disk.attrs.gid, disk.attrs.xattrs.len()), (1000, 100, 0));
}

#[test]
fn a_name_too_long_to_be_recorded_is_an_error() {
    let name = format!("trusted.{}", "x".repeat(240));
    let error = OnDisk::rootless(1, 1).to_disk(&entry(EntryKind::Dir, 0, 0, &[(&name, b"")])).unwrap_err();
    assert!(error.to_string().contains("too long to be recorded"), "{error}");
}

#[test]
fn it_serializes_as_json() {
    assert_eq!(serde_json::to_string(&OnDisk::default()).unwrap(), r#"{"privilege":"full"}"#);
    let text = serde_json::to_string(&OnDisk::rootless(1000, 100)).unwrap();
    assert_eq!(
        text,
        concat!(
            r#"{"uids":[{"containerID":0,"hostID":1000,"size":1}],"#,
            r#""gids":[{"containerID":0,"hostID":100,"size":1}],"privilege":"none"}"#
        )
    );
    assert_eq!(serde_json::from_str::<OnDisk>(&text).unwrap(), OnDisk::rootless(1000, 100));
}
