//! What every driver of [`Dir`] must do. A driver passes when [`run`] returns; what its `support()` denies is left out.

use std::io::{self, ErrorKind};

use ocicle::{
    fs::DirPosix,
    name::{Name, NameBuf},
};

mod attributes;
mod entries;
mod files;
mod moves;
mod trees;

/// Runs all cases but those `except`, each in a new directory inside `root`.
///
/// # Panics
/// If one fails; the last title printed is its.
pub fn run<D: DirPosix + 'static>(root: &D, except: &[&str]) {
    let cases = cases::<D>();
    for title in except {
        assert!(cases.iter().any(|(known, _)| known == title), "there is no case {title:?}");
    }
    for (title, case) in cases.into_iter().filter(|(title, _)| !except.contains(title)) {
        println!("{title}");
        let dir = root.create_dir(name(title)).and_then(|()| root.open_dir(name(title)));
        case(&dir.expect("a new directory")).expect(title);
    }
}

/// A case gets an empty directory.
type Case<D> = fn(&D) -> io::Result<()>;

fn cases<D: DirPosix + 'static>() -> Vec<(&'static str, Case<D>)> {
    let mut cases: Vec<(&'static str, Case<D>)> = Vec::new();
    cases.extend(entries::cases::<D>());
    cases.extend(files::cases::<D>());
    cases.extend(moves::cases::<D>());
    cases.extend(attributes::cases::<D>());
    cases.extend(trees::cases::<D>());
    cases
}

fn name(text: &str) -> Name<'_> {
    bytes(text.as_bytes())
}

fn bytes(name: &[u8]) -> Name<'_> {
    Name::new(name).expect("a name")
}

fn listed<D: DirPosix>(dir: &D) -> io::Result<Vec<String>> {
    let shown = |name: &NameBuf| name.as_name().as_bytes().escape_ascii().to_string();
    Ok(dir.names()?.iter().map(shown).collect())
}

/// The kind of the error that must be there.
#[track_caller]
fn refused<T>(result: io::Result<T>) -> ErrorKind {
    match result {
        Ok(_) => panic!("this must be refused"),
        Err(error) => error.kind(),
    }
}

/// One of each type that the driver can make: `dir`, `file`, `link` (to `file`), `dangling` (a link), `fifo`, `null`.
/// Makes a link whose target begins with `..`; `false` if the runtime refuses such, which [`ocicle::fs::Support`] allows.
fn climbing_link<D: DirPosix>(dir: &D, link: &str, target: &[u8]) -> io::Result<bool> {
    match dir.symlink(name(link), target) {
        Err(error) if error.kind() == ErrorKind::PermissionDenied && !dir.support().absolute_links => {
            assert_eq!(refused(dir.metadata(name(link))), ErrorKind::NotFound);
            Ok(false)
        }
        made => made.map(|()| true),
    }
}

fn one_of_each<D: DirPosix>(dir: &D) -> io::Result<Vec<&'static str>> {
    use ocicle::fs::Special;
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
