//! Every driver of `Dir` does the same.

use std::io;

use ocicle::{
    attrs::Xattrs,
    fs::{
        AttrChange, Dir, DirPosix as _, DirWrite as _, File, FilePosix as _, Special, conformance,
        mem::MemDir,
    },
    name::Name,
};
use ocicle_tests::temp::TempDir;
use rustix::fs::{XattrFlags, setxattr};

#[test]
fn in_memory() {
    conformance::dir_posix(&MemDir::new(), &[]);
}

#[test]
fn on_the_host() -> io::Result<()> {
    conformance::dir_posix(&TempDir::new()?.open()?, &[]);
    Ok(())
}

/// A file made in a directory with a default access control list gets a list.
#[test]
fn an_inherited_acl_is_not_part_of_the_set() -> io::Result<()> {
    let temp = TempDir::new()?;
    let dir = temp.open()?;
    if setxattr(temp.path(), "system.posix_acl_default", ACL, XattrFlags::empty()).is_err() {
        println!("skipped: no access control lists here");
        return Ok(());
    }
    let file = dir.create_file(Name::literal("file"))?;
    assert_eq!(dir.xattrs(Name::literal("file"))?.len(), 1);
    let none = Xattrs::new();
    file.set_attrs(&AttrChange::default().xattrs(&none).mode(0o640))?;
    assert_eq!(dir.xattrs(Name::literal("file"))?.len(), 0);
    assert_eq!(file.metadata()?.mode, 0o640);
    Ok(())
}

/// posix_acl_xattr: version 2, then tag, permissions and id of owner, user 1000, group, mask and others.
const ACL: &[u8] = b"\x02\0\0\0\
    \x01\0\x06\0\xff\xff\xff\xff\
    \x02\0\x06\0\xe8\x03\0\0\
    \x04\0\x04\0\xff\xff\xff\xff\
    \x10\0\x06\0\xff\xff\xff\xff\
    \x20\0\0\0\xff\xff\xff\xff";

#[test]
fn attributes_of_the_system_are_left_alone() -> io::Result<()> {
    let temp = TempDir::new()?;
    let dir = temp.open()?;
    let file = dir.create_file(Name::literal("file"))?;
    let path = temp.path().join("file");
    if setxattr(&path, "security.selinux", b"label", XattrFlags::empty()).is_err() {
        println!("skipped: no privilege to label a file");
        return Ok(());
    }
    let pair = |name: &str, value: &[u8]| (name.as_bytes().into(), value.into());
    let set = Xattrs::from([pair("security.selinux", b"other"), pair("user.x", b"1")]);
    file.set_attrs(&AttrChange::default().xattrs(&set))?;
    let expected = Xattrs::from([pair("security.selinux", b"label"), pair("user.x", b"1")]);
    assert_eq!(dir.xattrs(Name::literal("file"))?, expected);
    Ok(())
}

#[test]
fn numbers_the_kernel_would_change_are_refused() -> io::Result<()> {
    let temp = TempDir::new()?;
    let dir = temp.open()?;
    let name = Name::literal("file");
    dir.create_file(name)?;
    let before = dir.metadata(name)?;
    let changes = [
        AttrChange::default().owner(u32::MAX, 0),
        AttrChange::default().owner(0, u32::MAX),
        AttrChange::default().mtime(ocicle::attrs::Time { seconds: 0, nanoseconds: 1 << 30 }),
    ];
    for change in changes {
        let error = dir.set_attrs(name, &change).map_err(|error| error.kind());
        assert_eq!(error, Err(io::ErrorKind::InvalidInput), "{change:?}");
    }
    assert_eq!(dir.metadata(name)?, before);
    for node in [Special::Char(4096, 0), Special::Block(0, 1 << 20)] {
        let error = dir.create_node(Name::literal("node"), node).map_err(|error| error.kind());
        assert_eq!(error, Err(io::ErrorKind::InvalidInput), "{node:?}");
    }
    Ok(())
}

#[test]
fn the_host_knows_the_times_that_are_held() -> io::Result<()> {
    use ocicle::attrs::Time;
    let temp = TempDir::new()?;
    let dir = temp.open()?;
    let file = dir.create_file(Name::literal("file"))?;
    let before = dir.names()?;
    let support = dir.support();
    assert_eq!(dir.names()?, before);
    for time in [Time::MIN, Time::from_seconds(-1 << 40), Time::from_seconds(1 << 40), Time::MAX, Time::EPOCH]
    {
        file.set_attrs(&AttrChange::default().mtime(time))?;
        assert_eq!(file.metadata()?.mtime, support.nearest(time), "{time:?}");
    }
    Ok(())
}

#[test]
fn an_extended_attribute_can_be_empty() -> io::Result<()> {
    let temp = TempDir::new()?;
    let dir = temp.open()?;
    let file = dir.create_file(Name::literal("file"))?;
    let set = Xattrs::from([(b"user.empty"[..].into(), [].into())]);
    match file.set_attrs(&AttrChange::default().xattrs(&set)) {
        Err(error) if error.kind() == io::ErrorKind::Unsupported => {
            println!("skipped: no extended attributes here");
            return Ok(());
        }
        result => result?,
    }
    assert_eq!(dir.xattrs(Name::literal("file"))?, set);
    Ok(())
}
