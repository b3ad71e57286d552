//! Our manifests before the programs that read manifests.
#![cfg(target_os = "linux")]

use std::{
    collections::BTreeMap,
    ffi::OsStr,
    fs,
    os::unix::{
        ffi::OsStrExt,
        fs::{self as unix, MetadataExt},
    },
    path::{Path, PathBuf},
    process::{Command, Output},
};

use ocicle::{
    limits::Limits,
    name::EntryPath,
    tree::{
        Tree,
        mtree::{Dialect, Keywords, Parser, vis, write_tree},
    },
};
use ocicle_tests::{host_tree, tools::require};
use rustix::fs::{AtFlags, CWD, FileType, Mode, Timespec, Timestamps, makedev};

/// Creates a directory for a test.
fn scratch(test: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("mtree-{test}"));
    let _ = fs::remove_dir_all(&path);
    fs::create_dir_all(&path).unwrap();
    path
}

fn join(dir: &Path, name: &[u8]) -> PathBuf {
    dir.join(OsStr::from_bytes(name))
}

const ODD_NAMES: [&[u8]; 30] = [
    b"#lead",
    b"back\\slash",
    b"bad\xff\xfe",
    b"bell\x07",
    b"brack[et]",
    b"cr\rx",
    b"del\x7f",
    b"emoji\xf0\x9f\x98\x80",
    b"eq=ual",
    b"esc\x1b[x",
    b"latin\xe9",
    b"nbsp\xa0x",
    b"new\nline",
    b"soh\x017",
    b"sp ace",
    b" lead",
    b"trail ",
    b"star",
    b"star*",
    b"starred",
    b"tab\there",
    b"tilde~",
    b"tr\\",
    b"\\052",
    b"...",
    b"-rf",
    b"quote\"'",
    b"ques?",
    b"quest",
    b"mid#dle",
];

fn set_time(path: &Path, seconds: i64, nanoseconds: i64) {
    let time = Timespec { tv_sec: seconds, tv_nsec: nanoseconds };
    let times = Timestamps { last_access: time, last_modification: time };
    rustix::fs::utimensat(CWD, path, &times, AtFlags::SYMLINK_NOFOLLOW).unwrap();
}

/// Creates every odd entry that a file system can hold. Returns `None`, and prints why, without the
/// privileges.
fn odd_directory(root: &Path) -> Option<()> {
    if !rustix::process::geteuid().is_root() {
        println!("not run: devices and owners need root");
        return None;
    }
    let dir = join(root, b"a dir\\ #1");
    fs::create_dir_all(dir.join("sub/deeper")).unwrap();
    fs::create_dir(root.join("dir*")).unwrap();
    fs::create_dir(root.join("directory")).unwrap();
    fs::write(root.join("directory/file"), "in it").unwrap();
    for place in [root, &dir] {
        for (number, name) in ODD_NAMES.into_iter().enumerate() {
            let path = join(place, name);
            fs::write(&path, "x".repeat(number)).unwrap();
            set_time(&path, 1_700_000_000 + number as i64, number as i64 * 1000);
        }
    }
    let every_byte: Vec<u8> = (1..=255).filter(|byte| *byte != b'/').collect();
    fs::write(join(&dir, &every_byte), "").unwrap();
    fs::write(dir.join("hl1"), "four").unwrap();
    fs::hard_link(dir.join("hl1"), root.join("hl2")).unwrap();
    fs::hard_link(dir.join("hl1"), dir.join("sub/hl3")).unwrap();
    for (name, seconds, nanoseconds) in
        [("before", -2, 500_000_000), ("epoch", 0, 0), ("far", 5_000_000_000, 0), ("nano", 1, 5)]
    {
        fs::write(root.join(name), name).unwrap();
        set_time(&root.join(name), seconds, nanoseconds);
    }
    for (name, target) in [("sym1", &b"target with space#\\\n"[..]), ("sym2", b"/abs/t"), ("sym3", b"end\\")]
    {
        unix::symlink(OsStr::from_bytes(target), root.join(name)).unwrap();
        set_time(&root.join(name), 1_600_000_000, 0);
    }
    unix::lchown(root.join("sym2"), Some(7), Some(8)).unwrap();
    for (name, kind, device) in [
        ("fifo", FileType::Fifo, 0),
        ("null", FileType::CharacterDevice, makedev(1, 3)),
        ("block", FileType::BlockDevice, makedev(259, 65537)),
    ] {
        rustix::fs::mknodat(CWD, root.join(name), kind, Mode::from_raw_mode(0o640), device).unwrap();
    }
    fs::write(root.join("suid"), "suid").unwrap();
    unix::chown(root.join("suid"), Some(1234), Some(70000)).unwrap();
    unix::chown(dir.join("sub"), Some(5000), Some(5000)).unwrap();
    rustix::fs::chmod(root.join("suid"), Mode::from_raw_mode(0o4755)).unwrap();
    rustix::fs::chmod(dir.join("sub"), Mode::from_raw_mode(0o2750)).unwrap();
    rustix::fs::chmod(root.join("epoch"), Mode::empty()).unwrap();
    set_time(&dir, 3, 999_999_000);
    set_time(root, 4, 0);
    Some(())
}

fn manifest(tree: &Tree, dialect: Dialect) -> Vec<u8> {
    let mut text = Vec::new();
    write_tree(tree, dialect, &mut text).unwrap();
    text
}

fn run(command: &mut Command) -> Output {
    command.env("LC_ALL", "C").output().unwrap()
}

fn show(output: &Output) -> String {
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    format!("{}\n{out}{err}", output.status)
}

/// Returns the output of `mtree -f` with its exit code: 0 for equal, 2 for different.
fn bsd_mtree(program: &Path, manifest: &Path, root: &Path) -> (Option<i32>, String) {
    let output = run(Command::new(program).arg("-f").arg(manifest).arg("-p").arg(root));
    (output.status.code(), show(&output))
}

#[test]
fn bsd_mtree_reads_our_manifests() {
    let Some(program) = require("mtree") else { return };
    let place = scratch("bsd");
    let (root, file) = (place.join("root"), place.join("manifest"));
    fs::create_dir(&root).unwrap();
    let Some(()) = odd_directory(&root) else { return };
    fs::write(&file, manifest(&host_tree::read(&root).unwrap(), Dialect::Bsd)).unwrap();
    assert_eq!(bsd_mtree(&program, &file, &root), (Some(0), "exit status: 0\n".into()));

    rustix::fs::chmod(root.join("suid"), Mode::from_raw_mode(0o755)).unwrap();
    let (code, said) = bsd_mtree(&program, &file, &root);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("suid") && said.contains("04755"), "{said}");
}

#[test]
fn bsd_mtree_reads_the_portable_dialect() {
    let Some(program) = require("mtree") else { return };
    let place = scratch("bsd-portable");
    let (root, file) = (place.join("root"), place.join("manifest"));
    fs::create_dir(&root).unwrap();
    let Some(()) = odd_directory(&root) else { return };
    // What a name before them matches as a pattern; only the bsd dialect gets by.
    for dir in [root.clone(), join(&root, b"a dir\\ #1")] {
        fs::remove_file(dir.join("starred")).unwrap();
        fs::remove_file(dir.join("quest")).unwrap();
    }
    fs::remove_dir_all(root.join("directory")).unwrap();
    fs::write(&file, manifest(&host_tree::read(&root).unwrap(), Dialect::Portable)).unwrap();
    assert_eq!(bsd_mtree(&program, &file, &root), (Some(0), "exit status: 0\n".into()));
}

#[test]
fn we_read_manifests_of_bsd_mtree() {
    let Some(program) = require("mtree") else { return };
    let place = scratch("bsd-read");
    let Some(()) = odd_directory(&place) else { return };
    let keywords = "type,mode,uid,gid,nlink,size,link,time,sha256,device";
    let ours = manifest(&host_tree::read(&place).unwrap(), Dialect::Bsd);
    let file = place.with_extension("spec");
    fs::write(&file, &ours).unwrap();
    // Relative names of what it found on disk, and whole paths of what it read in our manifest. (It cannot
    // read all of its own: the byte 0xa3 it writes as `\M-#`, and takes the `#` for a comment.)
    let found = run(Command::new(&program).args(["-k", keywords, "-c", "-p"]).arg(&place));
    let rewritten = run(Command::new(&program).args(["-k", keywords, "-C", "-f"]).arg(&file));
    for output in [found, rewritten] {
        assert!(output.status.success(), "{}", show(&output));
        same_entries(&output.stdout, &ours, |_, keywords| {
            if keywords.file_type != Some(ocicle::fs::FileType::File) {
                keywords.size = None;
            }
            if keywords.file_type == Some(ocicle::fs::FileType::Dir) {
                keywords.nlink = None;
            }
        });
    }
}

#[test]
fn libarchive_reads_our_manifests() {
    let Some(program) = require("bsdtar") else { return };
    let place = scratch("libarchive");
    let (root, file) = (place.join("root"), place.join("manifest"));
    fs::create_dir(&root).unwrap();
    let Some(()) = odd_directory(&root) else { return };
    let text = manifest(&host_tree::read(&root).unwrap(), Dialect::Portable);
    fs::write(&file, &text).unwrap();
    // It reads ours and writes its own, which we read again.
    let mut command = Command::new(&program);
    command.current_dir(&root).arg("-cf").arg("-").arg("--format=mtree");
    command.arg("--options=!all,type,mode,uid,gid,size,nlink,link,time,device");
    let output = run(command.arg(format!("@{}", file.display())));
    assert!(output.status.success() && output.stderr.is_empty(), "{}", show(&output));
    same_entries(&output.stdout, &text, |_, keywords| {
        keywords.digests.clear();
        // It leaves out the size of what has no content and a link count of 1.
        keywords.size = keywords.size.filter(|_| keywords.file_type == Some(ocicle::fs::FileType::File));
        keywords.nlink = keywords.nlink.filter(|nlink| *nlink != 1);
    });
}

/// An image with one layer, unpacked by umoci. `None` if it is not there or may not do it.
struct UmociBundle {
    program: PathBuf,
    place: PathBuf,
    manifest: PathBuf,
}

impl UmociBundle {
    fn new(test: &str) -> Option<Self> {
        let mut this = Self { program: require("umoci")?, place: scratch(test), manifest: PathBuf::new() };
        this.run(&["init", "--layout", "image"]);
        this.run(&["new", "--image", "image:a"]);
        this.run(&["unpack", "--image", "image:a", "made"]);
        odd_directory(&this.place.join("made/rootfs"))?;
        this.run(&["repack", "--image", "image:a", "made"]);
        this.run(&["unpack", "--image", "image:a", "bundle"]);
        let mut files = fs::read_dir(this.place.join("bundle")).unwrap().map(|entry| entry.unwrap().path());
        this.manifest = files.find(|file| file.extension() == Some(OsStr::new("mtree"))).unwrap();
        Some(this)
    }

    fn root(&self) -> PathBuf {
        self.place.join("bundle/rootfs")
    }

    fn run(&self, arguments: &[&str]) -> Vec<u8> {
        let output = run(Command::new(&self.program).current_dir(&self.place).args(arguments));
        assert!(output.status.success(), "{arguments:?}: {}", show(&output));
        output.stdout
    }

    /// Packs the bundle as another image. Returns whether umoci found a change.
    fn repack_finds_a_change(&self, image: &str) -> bool {
        self.run(&["repack", "--image", image, "bundle"]);
        let stat: serde_json::Value =
            serde_json::from_slice(&self.run(&["stat", "--json", "--image", image])).unwrap();
        let last = stat["history"].as_array().unwrap().last().unwrap();
        last["empty_layer"] != true
    }
}

#[test]
fn our_manifest_equals_the_one_of_umoci() {
    let Some(bundle) = UmociBundle::new("umoci") else { return };
    let ours = manifest(&host_tree::read(&bundle.root()).unwrap(), Dialect::Umoci);
    // Sizes and link counts of directories are the disk's.
    same_entries(&fs::read(&bundle.manifest).unwrap(), &ours, |_, keywords| {
        if keywords.file_type == Some(ocicle::fs::FileType::Dir) {
            (keywords.size, keywords.nlink) = (None, None);
        }
    });
}

#[test]
fn umoci_repacks_with_our_manifest() {
    let Some(bundle) = UmociBundle::new("umoci-repack") else { return };
    let root = bundle.root();
    let ours = manifest(&host_tree::read(&root).unwrap(), Dialect::Umoci);
    fs::write(&bundle.manifest, with_dir_facts(&ours, &root)).unwrap();
    assert!(!bundle.repack_finds_a_change("image:same"));
    fs::write(root.join("before"), "BEFORE").unwrap();
    set_time(&root.join("before"), -2, 0);
    assert!(bundle.repack_finds_a_change("image:changed"));
}

/// Adds size and link count to the lines of directories.
fn with_dir_facts(text: &[u8], root: &Path) -> String {
    let text = std::str::from_utf8(text).unwrap();
    let mut path = root.to_owned();
    let lines = text.lines().map(|line| {
        if let Some(comment) = line.strip_prefix("# ").filter(|comment| !comment.starts_with(' ')) {
            path = join(root, &vis::decode(comment.as_bytes()).unwrap());
        }
        let metadata = fs::symlink_metadata(&path).unwrap();
        let facts = format!(" size={} nlink={} type=dir", metadata.size(), metadata.nlink());
        line.replace(" type=dir", &facts) + "\n"
    });
    lines.collect()
}

/// Asserts that two manifests have the same paths and keywords, after `adjust` removed the differences
/// allowed.
fn same_entries(left: &[u8], right: &[u8], adjust: impl Fn(&EntryPath, &mut Keywords)) {
    let entries = |mut text: &[u8]| -> BTreeMap<EntryPath, Keywords> {
        let all: ocicle::Result<Vec<_>> = Parser::new("manifest", &mut text, &Limits::default()).collect();
        let adjusted = all.unwrap().into_iter().map(|mut spec| {
            adjust(&spec.path, &mut spec.keywords);
            (spec.path, spec.keywords)
        });
        adjusted.collect()
    };
    let (left, right) = (entries(left), entries(right));
    for (path, keywords) in &left {
        assert_eq!(Some(keywords), right.get(path), "{path:?}");
    }
    assert_eq!(left.len(), right.len());
}
