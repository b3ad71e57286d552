//! Sparse maps: the positions of the stored bytes of a file with holes.
//!
//! Source: GNU tar manual, "Storing Sparse Files": the old GNU format, and the pax formats 0.0, 0.1 and 1.0.

use super::{BLOCK, Reason, number};

/// A run of stored bytes: its offset in the file and its length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Segment {
    pub(super) offset: u64,
    pub(super) length: u64,
}

/// The segments in the order of the file, and the size of the file including holes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Map {
    pub(super) segments: Vec<Segment>,
    pub(super) size: u64,
}

impl Map {
    /// Checks that the segments are ascending, do not overlap, and match the stored bytes.
    pub(super) fn new(segments: Vec<Segment>, size: u64, stored: u64) -> Result<Self, Reason> {
        let (mut end, mut total) = (0, 0);
        for &Segment { offset, length } in &segments {
            if offset < end {
                return Err(format!("sparse map: the segment at {offset} overlaps the previous one"));
            }
            end = offset.checked_add(length).filter(|&end| end <= size).ok_or_else(|| {
                format!("sparse map: the segment at {offset} of {length} bytes exceeds the file size {size}")
            })?;
            total += length;
        }
        if total != stored {
            return Err(format!("sparse map: the segments have {total} bytes, but {stored} are stored"));
        }
        Ok(Self { segments, size })
    }
}

/// Adds the segments of a table in the old GNU format; `false` if the map ends here. An empty slot ends the
/// table.
fn push_table(table: &[u8], segments: &mut Vec<Segment>) -> Result<bool, Reason> {
    for slot in table.chunks_exact(24) {
        let (offset, length) = slot.split_at(12);
        if length.first() == Some(&0) {
            return Ok(false);
        }
        segments.push(Segment {
            offset: number::parse_unsigned(offset)?,
            length: number::parse_unsigned(length)?,
        });
    }
    Ok(true)
}

/// Reads the part of an old GNU map that is in the header: the segments, whether more blocks follow, and the
/// real size.
pub(super) fn old_gnu(block: &[u8; BLOCK]) -> Result<(Vec<Segment>, bool, u64), Reason> {
    let mut segments = Vec::new();
    let full = push_table(&block[386..482], &mut segments)?;
    let more = block[482] != 0;
    if more && !full {
        return Err("sparse map: missing extension".into());
    }
    Ok((segments, more, number::parse_unsigned(&block[483..495])?))
}

/// Reads an extension block of an old GNU map. Returns whether another follows.
pub(super) fn old_gnu_extension(block: &[u8; BLOCK], segments: &mut Vec<Segment>) -> Result<bool, Reason> {
    let full = push_table(&block[..504], segments)?;
    let more = block[504] != 0;
    if more && !full {
        return Err("sparse map: missing extension".into());
    }
    Ok(more)
}

/// Pairs offsets with lengths.
pub(super) fn pairs(numbers: &[u64]) -> Result<Vec<Segment>, Reason> {
    if !numbers.len().is_multiple_of(2) {
        return Err("sparse map: offset without a length".into());
    }
    Ok(numbers.chunks_exact(2).map(|pair| Segment { offset: pair[0], length: pair[1] }).collect())
}

/// A parser for a map in format 1.0, in front of the stored bytes: the number of segments, then offset and
/// length of each, one number in a line.
#[derive(Debug, Default)]
pub(super) struct Lines {
    numbers: Vec<u64>,
    digits: usize,
    number: u64,
}

impl Lines {
    /// Adds a block. Returns the segments once the map is complete.
    pub(super) fn push(&mut self, block: &[u8]) -> Result<Option<Vec<Segment>>, Reason> {
        for &byte in block {
            match byte {
                b'0'..=b'9' => {
                    self.digits += 1;
                    self.number = self
                        .number
                        .checked_mul(10)
                        .and_then(|number| number.checked_add(u64::from(byte - b'0')))
                        .ok_or("sparse map: number does not fit into 64 bits")?;
                }
                b'\n' if self.digits > 0 => {
                    self.numbers.push(self.number);
                    (self.digits, self.number) = (0, 0);
                    if let Some((&count, rest)) = self.numbers.split_first()
                        && count.checked_mul(2) == Some(rest.len() as u64)
                    {
                        return pairs(rest).map(Some);
                    }
                }
                _ => return Err("sparse map: expected one decimal number in each line".into()),
            }
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segment(offset: u64, length: u64) -> Segment {
        Segment { offset, length }
    }

    #[test]
    fn maps_are_checked() {
        let good = vec![segment(0, 5), segment(10, 0), segment(10, 5), segment(100, 0)];
        assert_eq!(Map::new(good.clone(), 100, 10).map(|map| map.segments), Ok(good));
        for (segments, size, stored) in [
            (vec![segment(0, 5), segment(4, 5)], 100, 10),
            (vec![segment(96, 5)], 100, 5),
            (vec![segment(u64::MAX, 5)], 100, 5),
            (vec![segment(0, 5)], 100, 6),
            (vec![], 100, 1),
        ] {
            assert!(Map::new(segments.clone(), size, stored).is_err(), "{segments:?}");
        }
    }

    #[test]
    fn lines_may_be_cut_anywhere() {
        let mut lines = Lines::default();
        assert_eq!(lines.push(b"2\n1"), Ok(None));
        assert_eq!(lines.push(b"0\n5\n20\n"), Ok(None));
        assert_eq!(lines.push(b"7\n\0\0\0"), Ok(Some(vec![segment(10, 5), segment(20, 7)])));
        assert_eq!(Lines::default().push(b"0\n"), Ok(Some(vec![])));
        for bad in [&b"\n"[..], b"-1\n", b"1\n \n", b"99999999999999999999999\n"] {
            assert!(Lines::default().push(bad).is_err(), "{bad:?}");
        }
    }
}
