//! Another process exchanges an entry with a link that leads out, while we work on it. Calls may fail;
//! nothing outside may be read or changed.

use std::{
    fs, io,
    io::Read,
    os::unix::fs::{MetadataExt, symlink},
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use ocicle::{
    attrs::{Time, Xattrs},
    fs::{AttrChange, Dir, DirPosix as _, DirWrite as _, host::HostDir, remove_tree},
    name::Name,
};
use ocicle_tests::temp::TempDir;
use rustix::fs::{CWD, RenameFlags, renameat_with};

const ROUNDS: usize = 4_000;

#[test]
fn a_file_exchanged_with_a_link_leads_nowhere() -> io::Result<()> {
    let (inside, outside) = (TempDir::new()?, TempDir::new()?);
    let secret = outside.path().join("secret");
    fs::write(&secret, "secret")?;
    fs::write(inside.path().join("entry"), "public")?;
    symlink(&secret, inside.path().join("other"))?;
    let before = fs::metadata(&secret)?;
    let set = Xattrs::from([(b"user.x"[..].into(), b"1"[..].into())]);
    let changes = [
        AttrChange::default().mode(0o666),
        AttrChange::default().mtime(Time::from_seconds(1)),
        AttrChange::default().xattrs(&set),
        AttrChange::default().owner(before.uid(), before.gid()),
    ];
    let entry = Name::literal("entry");
    let mut read = 0;
    while_exchanged(&inside, |dir, round| {
        let _ = dir.set_attrs(entry, &changes[round % changes.len()]);
        let _ = dir.xattrs(entry);
        if let Ok(mut file) = dir.open_file(entry) {
            let mut text = String::new();
            file.read_to_string(&mut text)?;
            assert_eq!(text, "public");
            read += 1;
        }
        Ok(())
    })?;
    let after = fs::metadata(&secret)?;
    // The time of last change of anything: no attribute was touched.
    assert_eq!((after.ctime(), after.ctime_nsec()), (before.ctime(), before.ctime_nsec()));
    assert!(read > 0, "the file was never there: the test says nothing");
    Ok(())
}

#[test]
fn a_directory_exchanged_with_a_link_leads_nowhere() -> io::Result<()> {
    let (inside, outside) = (TempDir::new()?, TempDir::new()?);
    fs::write(outside.path().join("kept"), "kept")?;
    fs::create_dir(inside.path().join("entry"))?;
    symlink(outside.path(), inside.path().join("other"))?;
    let entry = Name::literal("entry");
    let mut opened = 0;
    while_exchanged(&inside, |dir, _| {
        if let Ok(below) = dir.open_dir(entry) {
            let _ = below.create_file(Name::literal("made"));
            opened += 1;
        }
        if remove_tree(dir, entry).is_ok() {
            // The directory or the link is gone: whichever it was, the exchange needs it back.
            match dir.metadata(Name::literal("other")) {
                Ok(other) if other.file_type == ocicle::fs::FileType::Dir => {
                    symlink(outside.path(), inside.path().join("entry"))?;
                }
                _ => dir.create_dir(entry)?,
            }
        }
        Ok(())
    })?;
    let left: Vec<_> =
        fs::read_dir(outside.path())?.map(|entry| entry.map(|entry| entry.file_name())).collect();
    assert_eq!(left.into_iter().collect::<io::Result<Vec<_>>>()?, ["kept"]);
    assert!(opened > 0, "the directory was never there: the test says nothing");
    Ok(())
}

/// Runs `act` many times while another thread exchanges `entry` and `other`.
fn while_exchanged(
    inside: &TempDir,
    mut act: impl FnMut(&HostDir, usize) -> io::Result<()>,
) -> io::Result<()> {
    let dir = inside.open()?;
    let (entry, other) = (inside.path().join("entry"), inside.path().join("other"));
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                let _ = renameat_with(CWD, &entry, CWD, &other, RenameFlags::EXCHANGE);
            }
        });
        // Also on a panic, or the scope would wait for the other thread forever.
        let _stop = OnDrop(&stop);
        (0..ROUNDS).try_for_each(|round| act(&dir, round))
    })
}

struct OnDrop<'a>(&'a AtomicBool);

impl Drop for OnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
