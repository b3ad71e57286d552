use super::*;
use crate::fs::{Dir as _, DirWrite as _, mem::MemDir};

fn literal(text: &'static str) -> Name<'static> {
    Name::literal(text)
}

#[test]
fn removes_a_file_and_a_link_but_not_its_target() -> io::Result<()> {
    let root = MemDir::new();
    root.create_dir(literal("kept"))?;
    root.create_file(literal("f"))?;
    root.symlink(literal("l"), b"kept")?;
    remove_tree(&root, literal("f"))?;
    remove_tree(&root, literal("l"))?;
    assert_eq!(root.names()?, [NameBuf::from(literal("kept"))]);
    Ok(())
}

#[test]
fn a_missing_name_is_an_error() {
    let error = remove_tree(&MemDir::new(), literal("none")).map_err(|error| error.kind());
    assert_eq!(error, Err(ErrorKind::NotFound));
}

#[test]
fn removes_a_tree_deeper_than_the_handles_kept_with_siblings_on_every_level() -> io::Result<()> {
    let root = MemDir::new();
    let mut at = root.clone();
    for _ in 0..3 * OPEN_MAX + 1 {
        at.create_dir(literal("d"))?;
        at = at.open_dir(literal("d"))?;
        at.create_file(literal("a"))?;
        at.create_dir(literal("e"))?;
        at.symlink(literal("z"), b"..")?;
    }
    drop(at);
    remove_tree(&root, literal("d"))?;
    assert_eq!(root.names()?, []);
    Ok(())
}

#[test]
fn handles_stay_bounded() -> io::Result<()> {
    let root = MemDir::new();
    let mut path = Path { levels: Vec::new(), open: VecDeque::new() };
    root.create_dir(literal("d"))?;
    let mut at = root.clone();
    for _ in 0..OPEN_MAX + 5 {
        let next = at.open_dir(literal("d"))?;
        next.create_dir(literal("d"))?;
        path.enter(literal("d"), next.clone())?;
        at = next;
    }
    assert_eq!((path.open.len(), path.levels.len()), (OPEN_MAX, OPEN_MAX + 5));
    for _ in 0..OPEN_MAX {
        path.leave();
    }
    assert_eq!((path.open.len(), path.levels.len()), (0, 5));
    path.deepest(&root)?;
    assert_eq!(path.open.len(), 5);
    Ok(())
}
