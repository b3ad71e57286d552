//! What every driver of [`Dir`] must do. A driver passes when [`run`] returns; what its `support()` denies is left out.

use std::{
    io::{self, ErrorKind},
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
};

use ocicle::{
    fs::Dir,
    name::{Name, NameBuf},
};

mod attributes;
mod entries;
mod files;
mod moves;
mod trees;

/// Runs all cases, each in a new directory inside `root`.
///
/// # Panics
/// If one fails; its name is printed.
pub fn run<D: Dir + 'static>(root: &D) {
    let mut failed = None;
    for (title, case) in cases::<D>() {
        let dir =
            root.create_dir(name(title)).and_then(|()| root.open_dir(name(title))).expect("a new directory");
        let outcome = catch_unwind(AssertUnwindSafe(|| case(&dir)));
        match outcome {
            Ok(Ok(())) => {}
            Ok(Err(error)) => panic!("{title}: {error}"),
            Err(panic) => {
                println!("failed: {title}");
                failed = Some(panic);
            }
        }
    }
    if let Some(panic) = failed {
        resume_unwind(panic);
    }
}

/// A case gets an empty directory.
type Case<D> = fn(&D) -> io::Result<()>;

fn cases<D: Dir + 'static>() -> Vec<(&'static str, Case<D>)> {
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

fn listed<D: Dir>(dir: &D) -> io::Result<Vec<String>> {
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
fn one_of_each<D: Dir>(dir: &D) -> io::Result<Vec<&'static str>> {
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
