//! The requirements on every driver of directory handles, for the tests of a driver. Behind the feature
//! `conformance`.
//!
//! A driver that can only be read passes [`dir()`] with a directory that holds the sample tree:
//!
//! ```
//! use std::io;
//! use ocicle::{
//!     attrs::Xattrs,
//!     fs::{Dir, FileType, Metadata, Support, conformance, mem::{MemDir, MemFile}},
//!     name::{Name, NameBuf},
//! };
//!
//! /// Your own directory; this one is in memory.
//! struct Own(MemDir);
//!
//! impl Dir for Own {
//!     type File = MemFile;
//!
//!     fn open_dir(&self, name: Name<'_>) -> io::Result<Self> {
//!         self.0.open_dir(name).map(Self)
//!     }
//!     fn open_file(&self, name: Name<'_>) -> io::Result<MemFile> {
//!         self.0.open_file(name)
//!     }
//!     fn names(&self) -> io::Result<Vec<NameBuf>> {
//!         self.0.names()
//!     }
//!     fn metadata(&self, name: Name<'_>) -> io::Result<Metadata> {
//!         let found = self.0.metadata(name)?;
//!         Ok(Metadata::new(found.file_type, found.size)) // nothing else is known
//!     }
//!     fn self_metadata(&self) -> io::Result<Metadata> {
//!         Ok(Metadata::new(FileType::Dir, 0))
//!     }
//!     fn read_link(&self, name: Name<'_>) -> io::Result<Vec<u8>> {
//!         self.0.read_link(name)
//!     }
//!     fn xattrs(&self, _: Name<'_>) -> io::Result<Xattrs> {
//!         Ok(Xattrs::new())
//!     }
//!     fn self_xattrs(&self) -> io::Result<Xattrs> {
//!         Ok(Xattrs::new())
//!     }
//!     fn support(&self) -> Support {
//!         Support::NONE
//!     }
//! }
//!
//! let dir = MemDir::new();
//! conformance::fill(&dir)?;
//! conformance::dir(&Own(dir), &[]);
//! # Ok::<(), io::Error>(())
//! ```
#![allow(clippy::expect_used, clippy::panic, reason = "what fails here fails a test")]

use std::io::{self, ErrorKind, Write as _};

use super::{Dir, DirPosix, DirWrite, Special};
use crate::name::{Name, NameBuf};

mod attributes;
mod links;
mod moves;
mod read;
mod trees;
mod write;

/// The files of the sample tree, with their content. All but one are in the directory itself.
pub const FILES: [(&str, &str); 7] = [
    (".hidden", ""),
    ("B", "b"),
    ("a-", "dash"),
    ("a.b", "dot"),
    ("dir/inside", "inside"),
    ("file", "hello, there"),
    ("é", "UTF-8"),
];

/// The symbolic links of the sample tree, with their target. They are optional: existing ones are tested.
pub const LINKS: [(&str, &str); 3] = [("dangling", "nowhere"), ("link", "file"), ("to-dir", "dir")];

/// Writes the [`FILES`] of the sample tree into an empty directory.
///
/// # Errors
/// Those of the calls.
pub fn fill<D: DirWrite>(root: &D) -> io::Result<()> {
    for (path, content) in FILES {
        match path.split_once('/') {
            None => root.create_file(name(path))?.write_all(content.as_bytes())?,
            Some((dir, file)) => {
                root.create_dir(name(dir))?;
                root.open_dir(name(dir))?.create_file(name(file))?.write_all(content.as_bytes())?;
            }
        }
    }
    Ok(())
}

/// Tests reading, in a directory that holds the sample tree: the directory `dir`, all [`FILES`], any of the
/// [`LINKS`], and nothing else.
///
/// # Panics
/// If a case fails (its title is the last one printed), or `except` names one that does not exist.
pub fn dir<D: Dir + 'static>(sample: &D, except: &[&str]) {
    let cases = read::cases::<D>();
    check(&titles(&cases), except);
    for (title, case) in cases.into_iter().filter(|(title, _)| !except.contains(title)) {
        announce(title);
        case(sample).expect(title);
    }
}

/// Tests reading and writing, in an empty directory: every case makes one of its own inside.
///
/// # Panics
/// As [`dir()`].
pub fn dir_write<D: DirWrite + 'static>(root: &D, except: &[&str]) {
    let cases = write_cases();
    check(&titles(&cases), except);
    run(root, cases, except);
}

/// Tests everything, in an empty directory: what `support()` denies is left out.
///
/// # Panics
/// As [`dir()`].
pub fn dir_posix<D: DirPosix + 'static>(root: &D, except: &[&str]) {
    let mut cases = write_cases();
    cases.extend(links::cases::<D>());
    cases.extend(attributes::cases::<D>());
    cases.extend(trees::cases::<D>());
    check(&titles(&cases), except);
    run(root, cases, except);
}

/// A case gets an empty directory.
type Case<D> = fn(&D) -> io::Result<()>;
type Cases<D> = Vec<(&'static str, Case<D>)>;

fn write_cases<D: DirWrite + 'static>() -> Cases<D> {
    let mut cases: Cases<D> = vec![("everything written can be read", |dir| {
        fill(dir)?;
        self::dir(dir, &[]);
        Ok(())
    })];
    cases.extend(write::cases::<D>());
    cases.extend(moves::cases::<D>());
    cases
}

fn titles<D>(cases: &[(&'static str, Case<D>)]) -> Vec<&'static str> {
    cases.iter().map(|(title, _)| *title).collect()
}

fn check(titles: &[&str], except: &[&str]) {
    for title in except {
        assert!(titles.contains(title), "there is no case {title:?}");
    }
}

fn run<D: DirWrite>(root: &D, cases: Cases<D>, except: &[&str]) {
    for (title, case) in cases.into_iter().filter(|(title, _)| !except.contains(title)) {
        announce(title);
        let dir = root.create_dir(name(title)).and_then(|()| root.open_dir(name(title)));
        case(&dir.expect("a new directory")).expect(title);
    }
}

#[expect(clippy::disallowed_macros, clippy::print_stdout, reason = "says which case fails, as tests do")]
fn announce(title: &str) {
    println!("{title}");
}

fn name(text: &str) -> Name<'_> {
    bytes(text.as_bytes())
}

fn bytes(name: &[u8]) -> Name<'_> {
    Name::new(name).expect("a name")
}

fn listed<D: Dir>(dir: &D) -> io::Result<Vec<String>> {
    let shown = |name: &NameBuf| name.as_name().as_bytes().escape_ascii().to_string();
    Ok(dir.names()?.iter().map(shown).collect())
}

fn content<D: Dir>(dir: &D, of: &str) -> io::Result<String> {
    io::read_to_string(dir.open_file(name(of))?)
}

/// Returns the kind of the error that must be there.
#[track_caller]
fn refused<T>(result: io::Result<T>) -> ErrorKind {
    match result {
        Ok(_) => panic!("this must be refused"),
        Err(error) => error.kind(),
    }
}

/// Creates a link whose target begins with `..`; returns `false` if the runtime refuses these, as [`Support`]
/// allows.
///
/// [`Support`]: super::Support
fn climbing_link<D: DirPosix>(dir: &D, link: &str, target: &[u8]) -> io::Result<bool> {
    match dir.symlink(name(link), target) {
        Err(error) if error.kind() == ErrorKind::PermissionDenied && !dir.support().absolute_links => {
            assert_eq!(refused(dir.metadata(name(link))), ErrorKind::NotFound);
            Ok(false)
        }
        made => made.map(|()| true),
    }
}

/// Creates one of each type that the driver can make: `dir`, `file`, `link` (to `file`), `dangling` (a link),
/// `fifo`, `null`.
fn one_of_each<D: DirPosix>(dir: &D) -> io::Result<Vec<&'static str>> {
    dir.create_dir(name("dir"))?;
    dir.create_file(name("file"))?;
    dir.symlink(name("link"), b"file")?;
    dir.symlink(name("dangling"), b"nowhere")?;
    let mut made = vec!["dir", "file", "link", "dangling"];
    if dir.support().fifos {
        dir.create_node(name("fifo"), Special::Fifo)?;
        made.push("fifo");
    }
    if dir.support().devices {
        dir.create_node(name("null"), Special::Char(1, 3))?;
        made.push("null");
    }
    Ok(made)
}
