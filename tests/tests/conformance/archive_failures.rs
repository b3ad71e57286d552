//! An edit of an archive that fails at any call leaves the old or the new archive, complete.

use std::io::{Read as _, Write as _};

use ocicle::{
    Error, Result,
    fs::{AttrChange, Dir as _, DirPosix, mem::MemDir},
    graph::archive::{ArchiveFile, create_archive},
    limits::Limits,
    name::Name,
    spec::{Descriptor, Index, MediaType, Raw},
    store::{
        BlobReadExt as _, BlobWriter, RootIndex as _, RootIndexExt as _, Store, archive::write_archive,
        memory::MemoryStore,
    },
};
use ocicle_tests::failing_dir::{Fail, FailingDir};

const NAME: &str = "images.tar";
const EDIT: &str = ".images.tar.ocicle-edit";

/// Returns an archive with one blob, for its owner alone.
fn archive() -> MemDir {
    let (dir, store) = (MemDir::new(), MemoryStore::new().unwrap());
    let blob = put(&store, b"old").unwrap();
    let index = store.update(|root| root.push(&blob)).unwrap();
    assert!(
        create_archive(&dir, Name::literal(NAME), &|| false, |out| write_archive(
            &store,
            &index,
            [&blob],
            out
        ))
        .unwrap()
    );
    let change = AttrChange::default().mode(0o600);
    dir.set_attrs(Name::literal(NAME), &change).unwrap();
    dir
}

fn put(store: &impl Store, content: &[u8]) -> Result<Descriptor> {
    let mut writer = BlobWriter::new(store, MediaType::literal("application/octet-stream"))?;
    writer.write_all(content).map_err(Error::io("write"))?;
    writer.finish()
}

fn open<D: DirPosix + Sync>(dir: D) -> Result<ArchiveFile<D>>
where
    D::File: 'static,
{
    ArchiveFile::open(dir, Name::literal(NAME), None, &Limits::default())
}

fn edit<D: DirPosix + Sync>(dir: D) -> Result<()>
where
    D::File: 'static,
{
    let store = open(dir)?;
    let blob = put(&store, b"new")?;
    store.update(|root| root.push(&blob)).map(drop)
}

/// Returns the contents that the index refers to, all of which must be there.
fn contents(dir: &MemDir) -> Vec<String> {
    let store = open(dir.clone()).unwrap();
    let index: Raw<Index> = store.load().unwrap();
    let read = |entry: &Descriptor| {
        let mut text = String::new();
        store.open(entry).unwrap().read_to_string(&mut text).unwrap();
        text
    };
    index.view().manifests.iter().map(read).collect()
}

#[test]
fn a_failed_edit_leaves_the_old_or_the_new_archive() {
    for fail in [Fail::Only, Fail::From] {
        let mut call = 0;
        let (mut kept, mut replaced) = (0, 0);
        loop {
            let dir = archive();
            let failing = FailingDir::new(dir.clone(), fail(call));
            let result = edit(failing.clone());
            let now = contents(&dir);
            match (&now[..], &result) {
                ([old], Err(_)) if old == "old" => kept += 1,
                ([old, new], _) if (old.as_str(), new.as_str()) == ("old", "new") => replaced += 1,
                _ => panic!("call {call}: {now:?}, {result:?}"),
            }
            assert_eq!(dir.metadata(Name::literal(NAME)).unwrap().mode, 0o600, "call {call}");
            // What is left has one name, and the next edit takes it over.
            let beside: Vec<String> =
                dir.names().unwrap().iter().map(|name| name.as_name().to_string()).collect();
            assert!(beside.iter().all(|name| name == NAME || name == EDIT), "call {call}: {beside:?}");
            edit(dir.clone()).unwrap();
            assert_eq!(contents(&dir).last().unwrap(), "new");
            if !failing.failed() {
                result.unwrap();
                break;
            }
            call += 1;
        }
        assert!(kept > 20 && replaced > 1, "{kept} {replaced}");
    }
}
