//! Whatever is written is read again the same.

use std::io::Read;

use proptest::{collection::vec, prelude::*};

use crate::{
    attrs::{Attrs, Time, Xattrs},
    error::{Error, Result},
    layer::{
        Change, ChangeSink, ChangeSource as _, Entry, EntryKind,
        reader::read_layer,
        tar::{TarReader, TarWriter},
        writer::LayerWriter,
    },
    limits::Limits,
    name::EntryPath,
    spec::Compression,
    store::Repository,
};

/// Changes with their contents.
type Made = Vec<(Change, Vec<u8>)>;

/// Short names and long ones, of any bytes but those that make them something else.
fn name() -> impl Strategy<Value = Vec<u8>> {
    let length = prop_oneof![4 => 1..12_usize, 1 => 80..252_usize];
    let byte = prop_oneof![9 => b'a'..=b'z', 1 => 1..=255_u8];
    length.prop_flat_map(move |length| vec(byte.clone(), length)).prop_map(|mut name| {
        name.iter_mut().filter(|byte| **byte == b'/').for_each(|byte| *byte = b'\n');
        if name.first() == Some(&b'.') {
            name[0] = b'_';
        }
        name
    })
}

fn path() -> impl Strategy<Value = EntryPath> {
    vec(name(), 1..5).prop_map(|names| EntryPath::clean(&names.join(&b'/'), &Limits::default()).unwrap())
}

fn attrs() -> impl Strategy<Value = Attrs> {
    let seconds = prop_oneof![
        0..1_i64 << 33,
        -4..4_i64,
        (1_i64 << 33) - 2..(1 << 33) + 2,
        any::<i32>().prop_map(i64::from)
    ];
    let nanoseconds = prop_oneof![Just(0), 0..1_000_000_000_u32, Just(500_000_000)];
    let id = prop_oneof![Just(0), any::<u32>(), 2_097_150..2_097_154_u32];
    let xattr = (vec(1..=255_u8, 1..20), vec(any::<u8>(), 0..200));
    let xattr = xattr.prop_map(|(name, value)| (name.into(), value.into()));
    (
        0..0o10000_u32,
        id.clone(),
        id,
        seconds,
        nanoseconds,
        prop_oneof![Just(Vec::new()).boxed(), vec(xattr, 0..4).boxed()],
    )
        .prop_map(|(mode, uid, gid, seconds, nanoseconds, xattrs)| Attrs {
            mode,
            uid,
            gid,
            mtime: Time { seconds, nanoseconds },
            xattrs: Xattrs::from_iter(xattrs),
        })
}

fn entry() -> impl Strategy<Value = (Change, Vec<u8>)> {
    let device = || (0..0x20_0000_u32, 0..0x20_0000_u32);
    let kind = prop_oneof![
        4 => vec(any::<u8>(), 0..2000).prop_map(|body| (EntryKind::File { size: body.len() as u64 }, body)),
        2 => Just((EntryKind::Dir, Vec::new())),
        1 => vec(1..=255_u8, 1..300)
            .prop_map(|target| (EntryKind::Symlink { target: target.into() }, Vec::new())),
        1 => path().prop_map(|to| (EntryKind::HardLink { to }, Vec::new())),
        1 => device().prop_map(|(major, minor)| (EntryKind::Char { major, minor }, Vec::new())),
        1 => device().prop_map(|(major, minor)| (EntryKind::Block { major, minor }, Vec::new())),
        1 => Just((EntryKind::Fifo, Vec::new())),
    ];
    (path(), attrs(), kind).prop_map(|(path, mut attrs, (kind, body))| {
        match kind {
            EntryKind::Symlink { .. } => attrs.mode = 0o777,
            // The target has them, so they are not written.
            EntryKind::HardLink { .. } => attrs.xattrs = Xattrs::new(),
            _ => {}
        }
        (Change::Put(Entry { path, attrs, kind }), body)
    })
}

fn changes() -> impl Strategy<Value = Made> {
    let root =
        attrs().prop_map(|attrs| Change::Put(Entry { path: EntryPath::root(), attrs, kind: EntryKind::Dir }));
    let change = prop_oneof![
        8 => entry(),
        1 => path().prop_map(|path| (Change::Remove(path), Vec::new())),
        1 => path().prop_map(|path| (Change::ClearLower(path), Vec::new())),
        1 => root.prop_map(|root| (root, Vec::new())),
    ];
    vec(change, 0..12)
}

fn write(changes: &Made, sink: &mut dyn ChangeSink) -> Result<()> {
    changes.iter().try_for_each(|(change, body)| sink.put(change, &mut &body[..]))
}

#[derive(Default)]
struct Kept(Made);

impl ChangeSink for Kept {
    fn put(&mut self, change: &Change, body: &mut dyn Read) -> Result<()> {
        let mut content = Vec::new();
        body.read_to_end(&mut content).map_err(Error::io("read"))?;
        self.0.push((change.clone(), content));
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) })]

    #[test]
    fn an_archive_gives_back_what_was_put_in(changes in changes()) {
        let mut writer = TarWriter::new(Vec::new());
        write(&changes, &mut writer).unwrap();
        let archive = writer.finish().unwrap();
        let limits = Limits::default();
        let mut reader = TarReader::new(&archive[..], "it", &limits);
        let mut kept = Kept::default();
        while let Some((change, body)) = reader.next_change().unwrap() {
            kept.put(&change, body).unwrap();
        }
        prop_assert_eq!(kept.0, changes);
    }

    #[test]
    fn a_layer_gives_back_what_was_put_in(changes in changes()) {
        for compression in [Compression::None, Compression::Gzip, Compression::Zstd] {
            let store = Repository::in_memory().unwrap();
            let mut writer = LayerWriter::new(&store, compression).unwrap();
            write(&changes, &mut writer).unwrap();
            let layer = writer.finish().unwrap();
            let mut kept = Kept::default();
            read_layer(&store, &layer.descriptor, &layer.diff_id, &mut kept).unwrap();
            prop_assert_eq!(&kept.0, &changes);
        }
    }
}
