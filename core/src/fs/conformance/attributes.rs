//! Owner, mode, extended attributes, time.

use std::io::{self, ErrorKind::*, Write};

use super::{Cases, name, one_of_each, refused};
use crate::{
    attrs::{Time, Xattrs},
    fs::{AttrChange, DirPosix, File as _, FilePosix as _, Metadata},
};

pub(super) fn cases<D: DirPosix>() -> Cases<D> {
    vec![
        ("times keep their seconds", times_keep_their_seconds),
        ("times keep their nanoseconds", times_keep_their_nanoseconds),
        ("times before 1970", times_before_1970),
        ("modes are set", modes_are_set),
        ("owners are set", owners_are_set),
        ("owner, mode, capabilities, in this order", in_this_order),
        ("only what is asked for is changed", only_what_is_asked_for_is_changed),
        ("a link is changed itself", a_link_is_changed_itself),
        ("xattrs are a complete set", xattrs_are_a_complete_set),
        ("xattrs of any entry", xattrs_of_any_entry),
    ]
}

fn times_keep_their_seconds<D: DirPosix>(dir: &D) -> io::Result<()> {
    times_are_kept(dir, &[(0, 0), (1, 0), (1 << 31, 0), (1 << 33, 0)])
}

fn times_keep_their_nanoseconds<D: DirPosix>(dir: &D) -> io::Result<()> {
    times_are_kept(dir, &[(0, 0), (0, 1), (1, 999_999_999), (1 << 31, 7), (1 << 33, 0)])
}

fn times_before_1970<D: DirPosix>(dir: &D) -> io::Result<()> {
    times_are_kept(dir, &[(-1, 999_999_999), (-1, 0), (-2_000_000_000, 5)])
}

fn times_are_kept<D: DirPosix>(dir: &D, times: &[(i64, u32)]) -> io::Result<()> {
    let made = one_of_each(dir)?;
    for &(seconds, nanoseconds) in times {
        let time = Time { seconds, nanoseconds };
        let change = AttrChange::default().mtime(time);
        for each in made.iter().copied().map(name) {
            dir.set_attrs(each, &change)?;
            assert_eq!(dir.metadata(each)?.mtime, time, "{each}");
        }
        dir.set_self_attrs(&change)?;
        assert_eq!(dir.self_metadata()?.mtime, time);
        let mut file = dir.create_file(name("new"))?;
        file.write_all(b"content")?;
        file.set_attrs(&change)?;
        assert_eq!(file.metadata()?.mtime, time);
        drop(file);
        dir.remove_file(name("new"))?;
    }
    Ok(())
}

fn modes_are_set<D: DirPosix>(dir: &D) -> io::Result<()> {
    if !dir.support().mode {
        return Ok(());
    }
    let made = one_of_each(dir)?;
    assert_eq!(dir.metadata(name("dir"))?.mode, 0o700);
    for mode in [0o755, 0o1777, 0o4711, 0o000, 0o6750, 0o644] {
        let change = AttrChange::default().mode(mode);
        for each in made.iter().copied().filter(|each| !["link", "dangling"].contains(each)) {
            dir.set_attrs(name(each), &change)?;
            assert_eq!(dir.metadata(name(each))?.mode, mode, "{each}");
        }
        let file = dir.create_file(name("new"))?;
        file.set_attrs(&change)?;
        assert_eq!(file.metadata()?.mode, mode);
        dir.remove_file(name("new"))?;
        dir.set_attrs(name("dir"), &AttrChange::default().mode(0o700))?;
        let inner = dir.open_dir(name("dir"))?;
        inner.set_self_attrs(&change)?;
        assert_eq!(inner.self_metadata()?.mode, mode);
    }
    Ok(())
}

fn owners_are_set<D: DirPosix>(dir: &D) -> io::Result<()> {
    if !dir.support().owner {
        return Ok(());
    }
    let owner = |metadata: Metadata| (metadata.uid, metadata.gid);
    for (uid, gid) in [(1, 2), (4_000_000_000, 0), (0, 65_536)] {
        let change = AttrChange::default().owner(uid, gid);
        let made = if uid == 1 { one_of_each(dir)? } else { vec!["dir", "file", "link", "dangling"] };
        for each in made {
            dir.set_attrs(name(each), &change)?;
            assert_eq!(owner(dir.metadata(name(each))?), (uid, gid), "{each}");
        }
        dir.set_self_attrs(&change)?;
        assert_eq!(owner(dir.self_metadata()?), (uid, gid));
        let file = dir.open_file(name("file"))?;
        file.set_attrs(&AttrChange::default().owner(gid, uid))?;
        assert_eq!(owner(file.metadata()?), (gid, uid));
    }
    Ok(())
}

fn in_this_order<D: DirPosix>(dir: &D) -> io::Result<()> {
    let support = dir.support();
    if !(support.owner && support.mode && support.xattrs) {
        return Ok(());
    }
    let capabilities = xattrs(&[("security.capability", CAP_NET_RAW)]);
    let time = Time { seconds: 12, nanoseconds: 34 };
    let all = AttrChange::default().owner(3, 4).mode(0o6755).xattrs(&capabilities).mtime(time);
    dir.create_file(name("open"))?.set_attrs(&all)?;
    dir.create_file(name("named"))?;
    dir.set_attrs(name("named"), &all)?;
    for each in ["open", "named"].map(name) {
        let Metadata { uid, gid, mode, mtime, .. } = dir.metadata(each)?;
        assert_eq!((uid, gid, mode, mtime), (3, 4, 0o6755, time), "{each}");
        assert_eq!(dir.xattrs(each)?, capabilities, "{each}");
        // A change of owner alone takes the privileges away.
        dir.set_attrs(each, &AttrChange::default().owner(5, 6))?;
        let Metadata { uid, gid, mode, .. } = dir.metadata(each)?;
        assert_eq!((uid, gid, mode), (5, 6, 0o755), "{each}");
        assert_eq!(dir.xattrs(each)?, Xattrs::new(), "{each}");
    }
    Ok(())
}

/// capabilities(7): revision 2 with the effective bit; permitted: bit 13.
const CAP_NET_RAW: &[u8] = b"\x01\0\0\x02\0\x20\0\0\0\0\0\0\0\0\0\0\0\0\0\0";

fn only_what_is_asked_for_is_changed<D: DirPosix>(dir: &D) -> io::Result<()> {
    let file = dir.create_file(name("file"))?;
    file.set_attrs(&AttrChange::default().mtime(Time::from_seconds(1)))?;
    let before = dir.metadata(name("file"))?;
    file.set_attrs(&AttrChange::default())?;
    dir.set_attrs(name("file"), &AttrChange::default())?;
    assert_eq!(dir.metadata(name("file"))?, before);
    if dir.support().mode {
        dir.set_attrs(name("file"), &AttrChange::default().mode(0o640))?;
        let after = dir.metadata(name("file"))?;
        let mut expected = before;
        (expected.mode, expected.ctime) = (0o640, after.ctime);
        assert_eq!(after, expected);
    }
    Ok(())
}

fn a_link_is_changed_itself<D: DirPosix>(dir: &D) -> io::Result<()> {
    dir.create_file(name("file"))?;
    dir.symlink(name("link"), b"file")?;
    let before = dir.metadata(name("file"))?;
    let support = dir.support();
    let mut change = AttrChange::default().mtime(Time::from_seconds(9));
    change.owner = support.owner.then_some((7, 8));
    change.mode = support.mode.then_some(0o123);
    dir.set_attrs(name("link"), &change)?;
    assert_eq!(dir.metadata(name("file"))?, before);
    let link = dir.metadata(name("link"))?;
    assert_eq!(Some(link.mtime), change.mtime);
    if support.owner {
        assert_eq!((link.uid, link.gid), (7, 8));
    }
    if support.mode {
        assert_eq!(link.mode, 0o777);
    }
    Ok(())
}

fn xattrs_are_a_complete_set<D: DirPosix>(dir: &D) -> io::Result<()> {
    if !dir.support().xattrs {
        return Ok(());
    }
    let long = [b'v'; 1500];
    let many: Vec<String> = (0..40).map(|index| format!("user.a-rather-long-name-{index:02}")).collect();
    let sets = [
        xattrs(&[("user.a", b"1"), ("user.b", b"")]),
        xattrs(&[("user.b", b"\0\xff"), ("user.c", &long)]),
        many.iter().map(|name| (name.as_bytes().into(), b"x"[..].into())).collect(),
        Xattrs::new(),
    ];
    dir.create_dir(name("dir"))?;
    let inner = dir.open_dir(name("dir"))?;
    let file = dir.create_file(name("file"))?;
    dir.create_file(name("named"))?;
    for set in &sets {
        let change = AttrChange::default().xattrs(set);
        inner.set_self_attrs(&change)?;
        file.set_attrs(&change)?;
        dir.set_attrs(name("named"), &change)?;
        assert_eq!(&inner.self_xattrs()?, set);
        for each in ["dir", "file", "named"] {
            assert_eq!(&dir.xattrs(name(each))?, set, "{each}");
        }
    }
    if dir.support().mode {
        assert_eq!(refused(dir.set_attrs(name("none"), &AttrChange::default().mode(0))), NotFound);
    }
    Ok(())
}

/// Links and specials can only have attributes that take a privilege to set.
fn xattrs_of_any_entry<D: DirPosix>(dir: &D) -> io::Result<()> {
    if !dir.support().xattrs {
        return Ok(());
    }
    let privileged = dir.support().owner;
    let set = xattrs(&[("trusted.of-this-entry", b"yes")]);
    for each in one_of_each(dir)?.into_iter().map(name) {
        assert_eq!(dir.xattrs(each)?, Xattrs::new(), "{each}");
        if privileged {
            dir.set_attrs(each, &AttrChange::default().xattrs(&set))?;
            assert_eq!(dir.xattrs(each)?, set, "{each}");
            dir.set_attrs(each, &AttrChange::default().xattrs(&Xattrs::new()))?;
        }
        assert_eq!(dir.xattrs(each)?, Xattrs::new(), "{each}");
    }
    Ok(())
}

fn xattrs(pairs: &[(&str, &[u8])]) -> Xattrs {
    pairs.iter().map(|(name, value)| (name.as_bytes().into(), (*value).into())).collect()
}
