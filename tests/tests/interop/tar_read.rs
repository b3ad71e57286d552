//! Archives made by other programs: we read the entries that they wrote.
#![cfg(unix)]

use std::{
    ffi::OsStr,
    fs::{self, File, FileTimes, Permissions},
    io::{Seek, SeekFrom, Write},
    os::unix::{
        ffi::OsStrExt,
        fs::{PermissionsExt, symlink},
    },
    path::Path,
    process::Command,
    time::{Duration, SystemTime},
};

use ocicle::{
    digest::Algorithm,
    hash::digest_of,
    layer::{Change, ChangeSource, EntryKind, tar::TarReader},
    limits::Limits,
};
use ocicle_tests::{temp::TempDir, tools};

/// Lists an archive, a line for each entry.
fn listing(archive: &[u8]) -> String {
    let mut reader = TarReader::new(archive, "it", &Limits::default());
    let mut lines = String::new();
    while let Some((change, body)) = reader.next_change().unwrap() {
        let Change::Put(entry) = &change else { panic!("{change:?}") };
        let mut content = Vec::new();
        body.read_to_end(&mut content).unwrap();
        let text = String::from_utf8_lossy;
        let what = match &entry.kind {
            EntryKind::File { size } => {
                assert_eq!(*size, content.len() as u64);
                format!("file {size} {}", digest_of(Algorithm::Sha256, &content).short())
            }
            EntryKind::Dir => "dir".into(),
            EntryKind::Symlink { target } => format!("-> {}", text(target)),
            // A hard link has the attributes of its target; its header does not count.
            EntryKind::HardLink { to } => {
                lines += &format!("{:?} == {to}\n", entry.path);
                continue;
            }
            EntryKind::Fifo => "fifo".into(),
            other => format!("{other:?}"),
        };
        let attrs = &entry.attrs;
        let (seconds, nanoseconds) = (attrs.mtime.seconds, attrs.mtime.nanoseconds);
        let owner = format!("{}:{}", attrs.uid, attrs.gid);
        lines += &format!("{:?} {what} {:o} {owner} {seconds}.{nanoseconds:09}", entry.path, attrs.mode);
        for (name, value) in &attrs.xattrs {
            lines += &format!(" {}={value:?}", text(name));
        }
        lines.push('\n');
    }
    lines
}

/// Runs a program in a directory; its standard output.
fn run(program: &str, dir: &Path, arguments: &[&str]) -> Option<Vec<u8>> {
    let program = tools::require(program)?;
    let output = Command::new(&program).args(arguments).current_dir(dir).output().unwrap();
    assert!(
        output.status.success(),
        "{program:?} {arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    Some(output.stdout)
}

fn stamp(path: &Path, mode: u32, since_1970: Duration) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    let times = FileTimes::new().set_modified(SystemTime::UNIX_EPOCH + since_1970);
    File::open(path).unwrap().set_times(times).unwrap();
}

const HALF_PAST: Duration = Duration::from_millis(1_600_000_000_500);

/// Creates a directory `d` with a file, its second name, a symbolic link and a set-uid file.
fn small_tree() -> TempDir {
    let temp = TempDir::new().unwrap();
    let d = temp.path().join("d");
    fs::create_dir(&d).unwrap();
    fs::write(d.join("a"), [7; 100_000]).unwrap();
    fs::hard_link(d.join("a"), d.join("b")).unwrap();
    symlink("../target", d.join("c")).unwrap();
    fs::write(d.join("s"), "run").unwrap();
    stamp(&d.join("a"), 0o640, HALF_PAST);
    stamp(&d.join("s"), 0o4755, HALF_PAST);
    stamp(&d, 0o1777, HALF_PAST);
    temp
}

/// Returns the listing of [`small_tree`], of archives that keep this much of the times. Only our tree can say
/// when the link was made, so that time is left out.
fn small_listing(fraction: &str) -> String {
    let time = format!("1600000000.{fraction}");
    let content = digest_of(Algorithm::Sha256, &[7; 100_000]);
    let run = digest_of(Algorithm::Sha256, b"run");
    format!(
        "\"d\" dir 1777 12:34 {time}\n\"d/a\" file 100000 {} 640 12:34 {time}\n\"d/b\" == d/a\n\
         \"d/c\" -> ../target 777 12:34\n\"d/s\" file 3 {} 4755 12:34 {time}\n",
        content.short(),
        run.short()
    )
}

/// Without the time of the symbolic link, and in the order of the names: bsdtar has its own.
fn comparable(listing: &str) -> String {
    let mut lines: Vec<_> = listing
        .lines()
        .map(|line| match line.split_once(" 777 12:34") {
            Some((link, _)) => format!("{link} 777 12:34\n"),
            None => format!("{line}\n"),
        })
        .collect();
    lines.sort();
    lines.concat()
}

#[test]
fn gnu_tar_in_all_formats() {
    let temp = small_tree();
    for (format, fraction) in [("v7", "0"), ("oldgnu", "0"), ("gnu", "0"), ("ustar", "0"), ("pax", "5")] {
        let format = format!("--format={format}");
        let arguments = ["-c", &format, "--owner=x:12", "--group=x:34", "--sort=name", "d"];
        let Some(archive) = run("tar", temp.path(), &arguments) else { return };
        assert_eq!(comparable(&listing(&archive)), small_listing(&format!("{fraction:0<9}")), "{format}");
    }
}

#[test]
fn bsdtar_in_all_formats() {
    let temp = small_tree();
    for (format, fraction) in [("v7tar", "0"), ("ustar", "0"), ("gnutar", "0"), ("pax", "5")] {
        let arguments = ["-cf-", "--format", format, "--uid=12", "--gid=34", "d/s", "d/a", "d/b", "d/c", "d"];
        let arguments = [&arguments[..5], &["--no-recursion"], &arguments[5..]].concat();
        let Some(archive) = run("bsdtar", temp.path(), &arguments) else { return };
        assert_eq!(comparable(&listing(&archive)), small_listing(&format!("{fraction:0<9}")), "{format}");
    }
}

#[test]
fn python_in_all_formats() {
    let temp = small_tree();
    let script = "\
import sys, tarfile
def owned(member):
    member.uid, member.gid, member.uname, member.gname = 12, 34, '', ''
    return member
with tarfile.open(fileobj=sys.stdout.buffer, mode='w|', format=getattr(tarfile, sys.argv[1]),
                  pax_headers={'comment': 'global'}) as archive:
    archive.add('d', filter=owned)
";
    for (format, fraction) in [("USTAR_FORMAT", "0"), ("GNU_FORMAT", "0"), ("PAX_FORMAT", "5")] {
        let Some(archive) = run("python3", temp.path(), &["-c", script, format]) else { return };
        assert_eq!(comparable(&listing(&archive)), small_listing(&format!("{fraction:0<9}")), "{format}");
    }
}

#[test]
fn long_and_odd_names() {
    let temp = TempDir::new().unwrap();
    let prefixed = format!("{}/{}", "p".repeat(90), "q".repeat(90));
    fs::create_dir(temp.path().join("p".repeat(90))).unwrap();
    let names = [prefixed.as_bytes(), &[b'n'; 200], b"new\nline = \\ \xff", "ünï".as_bytes()];
    let target = "t/".repeat(200);
    for name in names {
        symlink(&target, temp.path().join(OsStr::from_bytes(name))).unwrap();
    }
    let archives = [
        ("tar", vec!["-c", "--format=gnu"]),
        ("tar", vec!["-c", "--format=pax"]),
        ("bsdtar", vec!["-cf-", "--format=gnutar"]),
        ("bsdtar", vec!["-cf-", "--format=pax"]),
    ];
    for (program, arguments) in archives {
        let Some(archive) = run(program, temp.path(), &[&arguments[..], &["."]].concat()) else { return };
        let mut reader = TarReader::new(&archive[..], "it", &Limits::default());
        let mut found = Vec::new();
        while let Some((change, _)) = reader.next_change().unwrap() {
            let Change::Put(entry) = change else { panic!("{change:?}") };
            if let EntryKind::Symlink { target: read } = &entry.kind {
                assert_eq!(**read, *target.as_bytes());
                found.push(entry.path.as_bytes().to_vec());
            }
        }
        found.sort();
        let mut expected: Vec<_> = names.iter().map(|name| name.to_vec()).collect();
        expected.sort();
        assert_eq!(found, expected, "{program} {arguments:?}");
    }
}

#[test]
fn large_ids_and_times_before_1970() {
    let temp = TempDir::new().unwrap();
    fs::write(temp.path().join("f"), "").unwrap();
    fs::set_permissions(temp.path().join("f"), Permissions::from_mode(0o600)).unwrap();
    for (format, time) in [("gnu", "-2.000000000"), ("pax", "-2.500000000")] {
        let format = format!("--format={format}");
        let ids = ["--owner=x:3000000000", "--group=x:4294967294", "--mtime=@-1.5"];
        let Some(archive) = run("tar", temp.path(), &[&["-c", &format][..], &ids, &["f"]].concat()) else {
            return;
        };
        let empty = digest_of(Algorithm::Sha256, b"");
        let expected = format!("\"f\" file 0 {} 600 3000000000:4294967294 {time}\n", empty.short());
        assert_eq!(listing(&archive), expected, "{format}");
    }
}

#[test]
fn sparse_files_in_all_formats() {
    let temp = TempDir::new().unwrap();
    let mut file = File::create(temp.path().join("sparse")).unwrap();
    for piece in 0..40_u64 {
        file.seek(SeekFrom::Start(piece * 100_000 + 7)).unwrap();
        file.write_all(&[piece as u8 + 1; 5000]).unwrap();
    }
    file.set_len(5_000_000).unwrap();
    let content = fs::read(temp.path().join("sparse")).unwrap();
    for format in [
        &["--format=gnu"][..],
        &["--sparse-version=0.0"],
        &["--sparse-version=0.1"],
        &["--sparse-version=1.0"],
    ] {
        let pax: &[&str] = if format == ["--format=gnu"] { &[] } else { &["--format=pax"] };
        let arguments = [&["-c", "--sparse", "--hole-detection=raw"][..], pax, format, &["sparse"]].concat();
        let Some(archive) = run("tar", temp.path(), &arguments) else { return };
        assert!(archive.len() < 1_000_000, "{format:?} has no holes");
        let mut reader = TarReader::new(&archive[..], "it", &Limits::default());
        let (change, body) = reader.next_change().unwrap().unwrap();
        let Change::Put(entry) = change else { panic!("{change:?}") };
        assert_eq!(
            (entry.path.as_bytes(), entry.kind),
            (&b"sparse"[..], EntryKind::File { size: 5_000_000 })
        );
        let mut read = Vec::new();
        body.read_to_end(&mut read).unwrap();
        assert!(read == content, "{format:?}");
        assert!(reader.next_change().unwrap().is_none());
    }
}

#[test]
fn extended_attributes() {
    let temp = TempDir::new().unwrap();
    let path = temp.path().join("f");
    fs::write(&path, "").unwrap();
    let value = b"\0=\n\xff";
    if let Err(error) = rustix::fs::setxattr(&path, "user.test", value, rustix::fs::XattrFlags::empty()) {
        println!("not run: extended attributes are not supported here: {error}");
        return;
    }
    for (program, arguments) in [("tar", ["-c", "--xattrs", "f"]), ("bsdtar", ["-cf-", "--format=pax", "f"])]
    {
        let Some(archive) = run(program, temp.path(), &arguments) else { return };
        assert!(
            listing(&archive).ends_with(&format!(" user.test={value:?}\n")),
            "{program}: {}",
            listing(&archive)
        );
    }
}
