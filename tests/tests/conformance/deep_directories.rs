//! The cost of deep directories: each call is counted, so that no clock is needed.

use ocicle::{
    attrs::Attrs,
    fs::mem::MemDir,
    layer::{Change, ChangeSink as _, Entry, EntryKind},
    limits::Limits,
    name::EntryPath,
    tree::{Tree, merge::Merge, rootfs::RootfsSink},
};
use ocicle_tests::failing_dir::{Fail, FailingDir};

/// Returns how many calls it takes to write a chain of directories with a file, and another name of that
/// file, in each. Files come before the next directory, or after everything below it, as programs that list a
/// directory in any order put them.
fn calls(depth: usize, files_last: bool) -> usize {
    let limits = Limits::default();
    let dir = FailingDir::new(MemDir::new(), Fail::Only(usize::MAX));
    let mut merge = Merge::new(Tree::new(), RootfsSink::new(dir.clone()), &limits);
    let path = |level: usize, name: &str| {
        EntryPath::clean(format!("{}{name}", "d/".repeat(level)).as_bytes(), &limits).unwrap()
    };
    let mut put = |path: EntryPath, kind: EntryKind| {
        let attrs = Attrs { mode: 0o755, ..Attrs::default() };
        merge.put(&Change::Put(Entry { path, attrs, kind }), &mut std::io::empty()).unwrap();
    };
    let files = |level: usize, put: &mut dyn FnMut(EntryPath, EntryKind)| {
        put(path(level, "f"), EntryKind::File { size: 0 });
        put(path(level, "g"), EntryKind::HardLink { to: path(level, "f") });
    };
    for level in 1..=depth {
        put(path(level, ""), EntryKind::Dir);
        if !files_last {
            files(level, &mut put);
        }
    }
    for level in (1..=depth).rev().filter(|_| files_last) {
        files(level, &mut put);
    }
    merge.finish().unwrap();
    dir.calls()
}

#[test]
fn the_cost_of_an_entry_does_not_grow_with_its_depth() {
    for files_last in [false, true] {
        let (once, twice) = (calls(900, files_last), calls(1800, files_last));
        assert!(twice * 10 < once * 21, "{once} calls for 900 directories, {twice} for 1800");
        assert!(once < 900 * 20, "{once}");
    }
}
