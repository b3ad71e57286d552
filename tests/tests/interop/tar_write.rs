//! Layers written by us: other programs read the entries that we wrote.
#![cfg(unix)]

use std::{fs, path::Path, process::Command};

use ocicle::{
    Repository,
    attrs::{Attrs, Time},
    layer::{Change, ChangeSink as _, Entry, EntryKind, tar::TarWriter, writer::LayerWriter},
    limits::Limits,
    name::EntryPath,
    spec::Compression,
    tree::{
        Tree,
        merge::Merge,
        mtree::{self, Dialect},
    },
};
use ocicle_tests::{host_tree, temp::TempDir, tools};

fn path(text: &[u8]) -> EntryPath {
    EntryPath::clean(text, &Limits::default()).unwrap()
}

fn put(at: &[u8], kind: EntryKind) -> Change {
    let mode = match kind {
        EntryKind::Dir => 0o755,
        EntryKind::Symlink { .. } => 0o777,
        _ => 0o640,
    };
    let attrs =
        Attrs { mode, uid: 12, gid: 34, mtime: Time::from_seconds(1_600_000_000), ..Attrs::default() };
    Change::Put(Entry { path: path(at), attrs, kind })
}

fn file(at: &[u8]) -> Change {
    put(at, EntryKind::File { size: 5 })
}

fn with(mut change: Change, edit: impl FnOnce(&mut Attrs)) -> Change {
    let Change::Put(entry) = &mut change else { panic!("{change:?}") };
    edit(&mut entry.attrs);
    change
}

fn at(seconds: i64, nanoseconds: u32) -> impl FnOnce(&mut Attrs) {
    move |attrs| attrs.mtime = Time { seconds, nanoseconds }
}

/// Returns an entry of each type that all tools can show. Each file has five bytes.
fn changes() -> Vec<Change> {
    let long = |length: usize| "n".repeat(length).into_bytes();
    let deep = [b"p".repeat(155), b"q".repeat(100)].join(&b'/');
    let deeper = [b"p".repeat(155), b"r".repeat(101)].join(&b'/');
    let deepest = [b"p".repeat(155), b"s".repeat(200), b"t".repeat(255)].join(&b'/');
    let mut changes = vec![
        with(put(b"", EntryKind::Dir), |attrs| attrs.mode = 0o750),
        put(b"d", EntryKind::Dir),
        file(b"d/f"),
        with(file(b"setid"), |attrs| attrs.mode = 0o6755),
        with(put(b"sticky", EntryKind::Dir), |attrs| attrs.mode = 0o1777),
        with(file(b"ids"), |attrs| (attrs.uid, attrs.gid) = (3_000_000_000, 2_097_152)),
        with(file(b"before"), at(-2, 0)),
        with(file(b"before-half"), at(-2, 500_000_000)),
        with(file(b"half"), at(1_600_000_000, 500_000_000)),
        with(file(b"late"), at(1 << 33, 0)),
        put(b"link", EntryKind::Symlink { target: b"../d/f"[..].into() }),
        put(b"link100", EntryKind::Symlink { target: long(100).into() }),
        put(b"link101", EntryKind::Symlink { target: long(101).into() }),
        put(b"link1000", EntryKind::Symlink { target: b"t/".repeat(500).into() }),
        put(b"fifo", EntryKind::Fifo),
        put(b"null", EntryKind::Char { major: 1, minor: 3 }),
        put(b"loop", EntryKind::Block { major: 7, minor: 300 }),
        put(b"hard", EntryKind::HardLink { to: path(b"d/f") }),
        file(&long(100)),
        file(&long(101)),
        file(&long(255)),
        file(b"\xff\xfe"),
        file("\u{fc}".as_bytes()),
        put(&b"p".repeat(155), EntryKind::Dir),
        file(&deep),
        file(&deeper),
        put(&deepest[..356], EntryKind::Dir),
        file(&deepest),
        put(b"hard-long", EntryKind::HardLink { to: path(&deepest) }),
    ];
    // Exactly a full name with the slash of a directory, and one byte more.
    changes.extend([put(&b"u".repeat(99), EntryKind::Dir), put(&b"v".repeat(100), EntryKind::Dir)]);
    changes
}

fn archive(changes: &[Change]) -> Vec<u8> {
    let mut writer = TarWriter::new(Vec::new());
    for change in changes {
        writer.put(change, &mut content(change)).unwrap();
    }
    writer.finish().unwrap()
}

fn content(change: &Change) -> &'static [u8] {
    match change {
        Change::Put(Entry { kind: EntryKind::File { .. }, .. }) => b"hello",
        _ => b"",
    }
}

fn escaped(name: &[u8]) -> String {
    name.escape_ascii().to_string()
}

/// Returns a line with all facts of an entry, in a form that all tools can be compared in.
fn line(change: &Change) -> String {
    let Change::Put(Entry { path, attrs, kind: entry_kind }) = change else { panic!("{change:?}") };
    let what = match entry_kind {
        EntryKind::File { size } => format!("file {size}"),
        EntryKind::Dir => "dir".into(),
        EntryKind::Symlink { target } => format!("link {}", escaped(target)),
        EntryKind::HardLink { to } => return format!("{path} hard {to}"),
        EntryKind::Char { major, minor } => format!("char {major},{minor}"),
        EntryKind::Block { major, minor } => format!("block {major},{minor}"),
        EntryKind::Fifo => "fifo".into(),
    };
    let (mode, uid, gid, Time { seconds, nanoseconds }) = (attrs.mode, attrs.uid, attrs.gid, attrs.mtime);
    format!("{} {what} {mode:o} {uid}:{gid} {seconds}+{nanoseconds}", escaped(path.as_bytes()))
}

fn lines(changes: &[Change]) -> Vec<String> {
    changes.iter().map(line).collect()
}

fn stored(archive: &[u8]) -> TempDir {
    let temp = TempDir::new().unwrap();
    fs::write(temp.path().join("layer.tar"), archive).unwrap();
    temp
}

/// Runs a program in a directory; its standard output. It must not complain either.
fn run(program: &str, dir: &Path, arguments: &[&str]) -> Option<String> {
    let program = tools::require(program)?;
    let output = Command::new(&program)
        .args(arguments)
        .current_dir(dir)
        .env("TZ", "UTC")
        .env("LC_ALL", "C.UTF-8")
        .output()
        .unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && complaint.is_empty(), "{program:?} {arguments:?}: {complaint}");
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

const PYTHON: &str = r#"
import sys, tarfile, math
def shown(text):
    return ''.join(chr(b) if 32 < b < 127 and b != 92 else '\\x%02x' % b
                   for b in text.encode('utf-8', 'surrogateescape'))
for m in tarfile.open('layer.tar', errorlevel=2):
    name = shown(m.name) if m.name != '.' else ''
    if m.islnk():
        print(name, 'hard', shown(m.linkname)); continue
    what = ('file %d' % m.size if m.isreg() else 'dir' if m.isdir() else 'fifo' if m.isfifo() else
            'link ' + shown(m.linkname) if m.issym() else
            ('char' if m.ischr() else 'block') + ' %d,%d' % (m.devmajor, m.devminor))
    second = math.floor(m.mtime)
    print(name, what, '%o' % m.mode, '%d:%d' % (m.uid, m.gid),
          '%d+%d' % (second, round((m.mtime - second) * 10**9)))
    for key, value in m.pax_headers.items():
        if 'xattr' in key:
            print('', key, value.encode('utf-8', 'surrogateescape').hex())
"#;

#[test]
fn python_reads_the_same() {
    let changes = changes();
    let temp = stored(&archive(&changes));
    let Some(read) = run("python3", temp.path(), &["-c", PYTHON]) else { return };
    assert_eq!(read.lines().collect::<Vec<_>>(), lines(&changes));
}

/// Only the header, because the content would be too large.
#[test]
fn sizes_over_8_gib_and_markers() {
    let mut archive = archive(&[Change::Remove(path(b"d/gone")), Change::ClearLower(path(b"d"))]);
    let mut large = TarWriter::new(Vec::new());
    let change = put(b"large", EntryKind::File { size: 9 << 30 });
    assert!(large.put(&change, &mut &b""[..]).is_err());
    archive.truncate(1024);
    archive.extend(large_header(&change));
    let temp = stored(&archive);
    // Only the headers are read: there is nothing after the last.
    let script =
        PYTHON.replace("tarfile.open('layer.tar', errorlevel=2)", "map(lambda _: t.next(), range(3))");
    let script =
        script.replacen("def shown", "t = tarfile.open('layer.tar', ignore_zeros=False)\ndef shown", 1);
    let Some(read) = run("python3", temp.path(), &["-c", &script]) else { return };
    let marker = "file 0 0 0:0 0+0";
    let expected = format!("d/.wh.gone {marker}\nd/.wh..wh..opq {marker}\n{}\n", line(&change));
    assert_eq!(read, expected);
}

/// Returns the bytes that the writer sends before it asks for content.
fn large_header(change: &Change) -> Vec<u8> {
    let mut sent = Vec::new();
    assert!(TarWriter::new(&mut sent).put(change, &mut &b""[..]).is_err());
    sent
}

#[test]
fn gnu_tar_lists_the_same() {
    let changes = changes();
    let temp = stored(&archive(&changes));
    let arguments = ["-tvf", "layer.tar", "--full-time", "--numeric-owner", "--quoting-style=escape"];
    let Some(listing) = run("tar", temp.path(), &arguments) else { return };
    // It shows half a second before 1970 one second late, but extracts it right.
    let expected =
        changes.iter().map(gnu_line).map(|line| line.replace("58.5 before-half", "59.5 before-half"));
    let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(listing.lines().map(words).collect::<Vec<_>>(), expected.collect::<Vec<_>>());
}

fn gnu_line(change: &Change) -> String {
    let Change::Put(Entry { path, attrs, kind: entry_kind }) = change else { panic!("{change:?}") };
    let octal = |bytes: &[u8]| -> String {
        let shown = |byte: &u8| format!("\\{byte:03o}");
        str::from_utf8(bytes).map_or_else(|_| bytes.iter().map(shown).collect(), str::to_owned)
    };
    let (kind, size, link) = match entry_kind {
        EntryKind::File { size } => ('-', size.to_string(), String::new()),
        EntryKind::Dir => ('d', "0".into(), String::new()),
        EntryKind::Symlink { target } => ('l', "0".into(), format!(" -> {}", octal(target))),
        EntryKind::HardLink { to } => ('h', "0".into(), format!(" link to {to}")),
        EntryKind::Char { major, minor } => ('c', format!("{major},{minor}"), String::new()),
        EntryKind::Block { major, minor } => ('b', format!("{major},{minor}"), String::new()),
        EntryKind::Fifo => ('p', "0".into(), String::new()),
    };
    let mut mode: Vec<char> = "rwxrwxrwx".chars().collect();
    for (bit, letter) in mode.iter_mut().enumerate() {
        if attrs.mode & (0o400 >> bit) == 0 {
            *letter = '-';
        }
    }
    for (bit, place, set) in [(0o4000, 2, 's'), (0o2000, 5, 's'), (0o1000, 8, 't')] {
        if attrs.mode & bit != 0 {
            mode[place] = set;
        }
    }
    let mode: String = mode.into_iter().collect();
    let time = attrs.mtime.to_string().replace('T', " ").replace('Z', "");
    let slash = if *entry_kind == EntryKind::Dir && !path.is_root() { "/" } else { "" };
    let name = if path.is_root() { "./".into() } else { octal(path.as_bytes()) };
    format!("{kind}{mode} {}/{} {size} {time} {name}{slash}{link}", attrs.uid, attrs.gid)
}

/// Returns the tree that the changes make, as text.
fn expected_tree(changes: &[Change]) -> String {
    let mut merge = Merge::new(Tree::new(), (), &Limits::default());
    for change in changes {
        merge.put(change, &mut content(change)).unwrap();
    }
    text(&merge.finish().unwrap().0)
}

fn text(tree: &Tree) -> String {
    let mut text = Vec::new();
    mtree::write_tree(tree, Dialect::Native, &mut text).unwrap();
    String::from_utf8(text).unwrap()
}

fn with_xattrs(names: &[&str]) -> Change {
    with(file(b"xattrs"), |attrs| {
        for name in names {
            attrs.xattrs.insert(name.as_bytes().into(), b"\0=\n\xff"[..].into());
        }
        attrs.xattrs.insert(b"user.empty"[..].into(), b""[..].into());
    })
}

#[test]
fn gnu_tar_and_bsdtar_extract_the_same() {
    if !tools::root() {
        return;
    }
    let gnu = [
        "-xpf",
        "../layer.tar",
        "--xattrs",
        "--xattrs-include=*",
        "--numeric-owner",
        "--warning=no-timestamp",
    ];
    let bsd = ["-xpf", "../layer.tar", "--xattrs", "--numeric-owner"];
    let names = ["user.test", "user.\u{fc}", "trusted.x", "user.a=b%"];
    // bsdtar takes -1.5 seconds for -0.5, and never sets the time of the directory it extracts into.
    let cases = [("tar", &gnu[..], &names[..3], &[][..]), ("bsdtar", &bsd, &names, &[". ", "before-half "])];
    for (program, arguments, names, wrong) in cases {
        let mut changes = changes();
        changes.push(with_xattrs(names));
        let temp = stored(&archive(&changes));
        fs::create_dir(temp.path().join("root")).unwrap();
        if run(program, &temp.path().join("root"), arguments).is_none() {
            return;
        }
        let found = text(&host_tree::read(&temp.path().join("root")).unwrap());
        let different = different(&found, &expected_tree(&changes));
        let right = |line: &&String| !wrong.iter().any(|name| line[2..].starts_with(name));
        assert_eq!(different.iter().filter(right).collect::<Vec<_>>(), [""; 0], "{program}");
    }
}

/// Returns the lines that only the first has, with `-` before them, and those that only the second has, with
/// `+`.
fn different(found: &str, expected: &str) -> Vec<String> {
    let lines = |mark: char, of: &str, but: &str| -> Vec<String> {
        let only = of.lines().filter(|line| !but.lines().any(|other| other == *line));
        only.map(|line| format!("{mark} {line}")).collect()
    };
    [lines('-', found, expected), lines('+', expected, found)].concat()
}

#[test]
fn compressed_layers_pass_the_tests_of_their_tools() {
    let changes = changes();
    for (compression, tool, ending) in [
        (Compression::Gzip, "gzip", "gz"),
        (Compression::Zstd, "zstd", "zst"),
        (Compression::None, "tar", "tar"),
    ] {
        let store = Repository::in_memory().unwrap();
        let mut writer = LayerWriter::new(&store, compression).unwrap();
        for change in &changes {
            writer.put(change, &mut content(change)).unwrap();
        }
        let layer = writer.finish().unwrap();
        let mut blob = Vec::new();
        std::io::Read::read_to_end(&mut store.blob(&layer.descriptor).unwrap(), &mut blob).unwrap();
        let temp = TempDir::new().unwrap();
        let name = format!("layer.{ending}");
        fs::write(temp.path().join(&name), &blob).unwrap();
        let Some(tool) = tools::require(tool) else { return };
        if compression == Compression::None {
            assert!(blob == archive(&changes));
            continue;
        }
        let output = |arguments: &[&str]| {
            let output = Command::new(&tool).args(arguments).current_dir(temp.path()).output().unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            output.stdout
        };
        output(&["-t", "-q", &name]);
        assert!(output(&["-dc", &name]) == archive(&changes), "{name}");
    }
}
