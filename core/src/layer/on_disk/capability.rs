//! `security.capability` (capabilities(7)). Version 2 is for root of the host; version 3 names the id that is
//! root of the user namespace where the capabilities are valid. Images have version 2; with mapped ids only
//! version 3 works.

use std::sync::Arc;

/// The name of the attribute.
pub(super) const NAME: &[u8] = b"security.capability";

const REVISION: u32 = 0xff00_0000;
const V2: u32 = 0x0200_0000;
const V3: u32 = 0x0300_0000;
const V2_SIZE: usize = 20;
const V3_SIZE: usize = 24;

/// Returns the id that is root where the capabilities are valid: 0 for version 2; `None` for other versions.
pub(super) fn root_id(value: &[u8]) -> Option<u32> {
    let magic = word(value, 0)?;
    match (magic & REVISION, value.len()) {
        (V2, V2_SIZE) => Some(0),
        (V3, V3_SIZE) => word(value, V2_SIZE),
        _ => None,
    }
}

/// Returns the same capabilities for another root: version 2 for 0, otherwise version 3. Other versions stay
/// as they are.
pub(super) fn with_root_id(value: &[u8], root: u32) -> Arc<[u8]> {
    let Some(magic) = root_id(value).and_then(|_| word(value, 0)) else { return value.into() };
    let flags = magic & !REVISION;
    let body = value.iter().skip(4).take(V2_SIZE - 4).copied();
    let (revision, tail) = if root == 0 { (V2, None) } else { (V3, Some(root.to_le_bytes())) };
    (revision | flags).to_le_bytes().into_iter().chain(body).chain(tail.into_iter().flatten()).collect()
}

fn word(value: &[u8], at: usize) -> Option<u32> {
    value.get(at..at + 4)?.try_into().ok().map(u32::from_le_bytes)
}

#[cfg(test)]
mod tests {
    use super::{root_id, with_root_id};

    /// The values that `setcap cap_net_raw+ep` writes as root of the host, and as root of a namespace.
    const V2: [u8; 20] = [1, 0, 0, 2, 0, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    const V3: [u8; 24] = [1, 0, 0, 3, 0, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xa0, 0x86, 1, 0];

    #[test]
    fn versions_2_and_3_are_converted() {
        assert_eq!((root_id(&V2), root_id(&V3)), (Some(0), Some(100_000)));
        assert_eq!(*with_root_id(&V2, 100_000), V3);
        assert_eq!(*with_root_id(&V3, 0), V2);
        assert_eq!(*with_root_id(&V2, 0), V2);
        assert_eq!(root_id(&with_root_id(&V3, 5)), Some(5));
    }

    #[test]
    fn other_versions_are_kept() {
        for odd in [&V2[..19], &V3[..20], &[1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0][..], b""] {
            assert_eq!((root_id(odd), &*with_root_id(odd, 7)), (None, odd));
        }
    }
}
