//! The members of a tar and their positions: headers are read, contents skipped.
//!
//! Source: POSIX.1-2017, pax, "ustar Interchange Format" and "pax Extended Header"; GNU tar's manual, "Basic
//! Tar Format".

use std::{collections::BTreeMap, io::Read as _, sync::Arc};

use tar::{EntryType, Header, PaxExtensions};

use crate::{
    error::{Error, Result},
    limits::Limits,
    spec::CompressedFormat,
    store::{
        ReadAt,
        read_at::{Extent, Part},
    },
};

const BLOCK: usize = 512;

/// The members of an archive by name; of equal names, the last counts.
#[derive(Debug)]
pub(super) struct Members {
    all: BTreeMap<Vec<u8>, Member>,
    links: usize,
}

#[derive(Debug)]
enum Member {
    File(Extent),
    /// A link to another member.
    Link(Target),
    /// Anything else, such as a directory.
    Other,
}

#[derive(Debug)]
enum Target {
    Inside(Vec<u8>),
    Outside(Vec<u8>),
}

/// The values of extension headers for the member that follows.
#[derive(Default)]
struct Extended {
    path: Option<Vec<u8>>,
    link: Option<Vec<u8>>,
    size: Option<u64>,
    bytes: u64,
}

impl Members {
    pub(super) fn read(bytes: &Arc<dyn ReadAt>, limits: &Limits) -> Result<Self> {
        let total = bytes.size().map_err(Error::io("read the archive"))?;
        let scan = Scan { bytes, total, limits };
        let mut all = BTreeMap::new();
        let mut extended = Extended::default();
        let (mut position, mut count) = (0, 0);
        while let Some(header) = scan.header(position)? {
            count += 1;
            if count > limits.entries {
                return Err(scan.limit("entries", limits.entries));
            }
            let kind = header.entry_type();
            let size = match extended.size.filter(|_| !is_extension(kind)) {
                Some(size) => size,
                None => header.entry_size().map_err(|error| scan.wrong(position, error))?,
            };
            let content =
                Extent { start: position + BLOCK as u64, size: if has_content(kind) { size } else { 0 } };
            let next = scan.end(content).ok_or_else(|| {
                scan.wrong(position, format!("expected {size} bytes after it, but the archive was cut off"))
            })?;
            if is_extension(kind) {
                scan.extend(&mut extended, kind, content)?;
            } else {
                let Extended { path, link, .. } = std::mem::take(&mut extended);
                let path = path.unwrap_or_else(|| header.path_bytes().into_owned());
                if path.len() > limits.path {
                    return Err(scan.limit("path", limits.path as u64));
                }
                let link = || link.or_else(|| header.link_name_bytes().map(Into::into)).unwrap_or_default();
                let name = clean(&path);
                let member = match kind {
                    EntryType::Regular if path.ends_with(b"/") => Member::Other,
                    EntryType::Regular | EntryType::Continuous => Member::File(content),
                    EntryType::GNUSparse => {
                        return Err(scan.wrong(position, "sparse files are not supported"));
                    }
                    EntryType::Link => Member::Link(target(b"", &link())),
                    EntryType::Symlink => Member::Link(target(name, &link())),
                    _ => Member::Other,
                };
                all.insert(name.to_vec(), member);
            }
            position = next;
        }
        Ok(Self { all, links: limits.links })
    }

    /// Returns the extent of a member's content; links are followed inside the archive. Returns `None` if
    /// there is no such file.
    ///
    /// # Errors
    /// [`Error::Document`] for a link out of the archive or a circle of links.
    pub(super) fn find(&self, name: &[u8]) -> Result<Option<Extent>> {
        let invalid = |reason: String| {
            Err(Error::document("the archive", format!("{:?}: {reason}", String::from_utf8_lossy(name))))
        };
        let mut at = clean(name);
        for _ in 0..=self.links {
            match self.all.get(at) {
                Some(Member::File(extent)) => return Ok(Some(*extent)),
                Some(Member::Link(Target::Inside(target))) => at = target,
                Some(Member::Link(Target::Outside(target))) => {
                    let target = String::from_utf8_lossy(target);
                    return invalid(format!("a link to {target:?}, which is outside of the archive"));
                }
                Some(Member::Other) | None => return Ok(None),
            }
        }
        invalid(format!("too many links (limit {})", self.links))
    }

    /// Returns the names below a directory.
    pub(super) fn below<'a>(&'a self, dir: &'a str) -> impl Iterator<Item = &'a [u8]> {
        let start = dir.as_bytes();
        self.all
            .range(start.to_vec()..)
            .map(|(name, _)| name.as_slice())
            .take_while(move |name| name.starts_with(start))
    }
}

struct Scan<'a> {
    bytes: &'a Arc<dyn ReadAt>,
    total: u64,
    limits: &'a Limits,
}

impl Scan<'_> {
    /// Reads the header at a position; returns `None` at the end, with or without its two blocks of zeros.
    fn header(&self, position: u64) -> Result<Option<Header>> {
        let mut header = Header::new_old();
        match self.block(position, header.as_mut_bytes())? {
            0 if position > 0 => return Ok(None),
            BLOCK => {}
            _ if position == 0 => return Err(no_tar("it is shorter than the header of a tar")),
            _ => return Err(self.wrong(position, "incomplete: the archive was cut off")),
        }
        let bytes = header.as_bytes();
        if bytes.iter().all(|&byte| byte == 0) {
            let mut second = [0; BLOCK];
            self.block(position + BLOCK as u64, &mut second)?;
            return match second.iter().all(|&byte| byte == 0) {
                true => Ok(None),
                false => Err(self.wrong(position, "a single block of zeros: the end has two")),
            };
        }
        if position == 0 {
            refuse_compressed(bytes)?;
        }
        let spaces = (b' ' as u32) * 8;
        let sum =
            |bytes: Option<&[u8]>| bytes.unwrap_or_default().iter().map(|&byte| u32::from(byte)).sum::<u32>();
        let actual = sum(bytes.get(..148)) + spaces + sum(bytes.get(156..));
        match header.cksum() {
            Ok(expected) if expected == actual => Ok(Some(header)),
            _ if position == 0 => Err(no_tar("its first block is not a tar header (checksum mismatch)")),
            _ => Err(self.wrong(position, "the checksum is wrong")),
        }
    }

    /// Fills a buffer as far as the archive reaches.
    fn block(&self, position: u64, buffer: &mut [u8]) -> Result<usize> {
        let extent = Extent { start: position, size: self.total.saturating_sub(position) };
        let mut filled = 0;
        let mut part = Part::new(self.bytes, extent);
        while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match part.read(rest) {
                Ok(0) => break,
                Ok(got) => filled += got,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Error::io("read the archive")(error)),
            }
        }
        Ok(filled)
    }

    /// Returns the position of the next header, if the content is complete. The last content may lack its
    /// padding.
    fn end(&self, content: Extent) -> Option<u64> {
        let end = content.start.checked_add(content.size).filter(|&end| end <= self.total)?;
        end.checked_next_multiple_of(BLOCK as u64)
    }

    fn extend(&self, extended: &mut Extended, kind: EntryType, content: Extent) -> Result<()> {
        extended.bytes = extended.bytes.saturating_add(content.size);
        if extended.bytes > self.limits.header {
            return Err(self.limit("header", self.limits.header));
        }
        let at = content.start - BLOCK as u64;
        let mut bytes = vec![0; usize::try_from(content.size).map_err(|error| self.wrong(at, error))?];
        self.block(content.start, &mut bytes)?;
        let text = || bytes.split(|&byte| byte == 0).next().unwrap_or_default().to_vec();
        match kind {
            EntryType::GNULongName => extended.path = Some(text()),
            EntryType::GNULongLink => extended.link = Some(text()),
            EntryType::XHeader => {
                for record in PaxExtensions::new(&bytes) {
                    let record = record.map_err(|error| self.wrong(at, error))?;
                    let value = record.value_bytes();
                    match record.key_bytes() {
                        b"path" => extended.path = Some(value.to_vec()),
                        b"linkpath" => extended.link = Some(value.to_vec()),
                        b"size" => {
                            let size = record.value().ok().and_then(|text| text.parse().ok());
                            extended.size =
                                Some(size.ok_or_else(|| self.wrong(at, "its size is not a number"))?);
                        }
                        key if key.starts_with(b"GNU.sparse.") => {
                            return Err(self.wrong(at, "sparse files are not supported"));
                        }
                        _ => {}
                    }
                }
            }
            // A global header: archives of images have nothing of interest in it.
            _ => {}
        }
        Ok(())
    }

    fn wrong(&self, position: u64, reason: impl std::fmt::Display) -> Error {
        Error::document("the archive", format!("header at byte {position}: {reason}"))
    }

    fn limit(&self, name: &'static str, limit: u64) -> Error {
        Error::limit("the archive", name, limit)
    }
}

fn is_extension(kind: EntryType) -> bool {
    matches!(
        kind,
        EntryType::GNULongName | EntryType::GNULongLink | EntryType::XHeader | EntryType::XGlobalHeader
    )
}

/// Returns whether a member has content. Links, devices, directories and fifos have none, whatever size their
/// header states.
fn has_content(kind: EntryType) -> bool {
    !matches!(
        kind,
        EntryType::Link
            | EntryType::Symlink
            | EntryType::Char
            | EntryType::Block
            | EntryType::Directory
            | EntryType::Fifo
    )
}

fn no_tar(reason: &str) -> Error {
    Error::document("the archive", format!("not a tar: {reason}"))
}

fn refuse_compressed(start: &[u8]) -> Result<()> {
    let Some(CompressedFormat { name, command, .. }) = CompressedFormat::of(start) else { return Ok(()) };
    Err(Error::Unsupported(format!(
        "the archive is compressed with {name}, so nothing in it can be found without reading all of it: decompress it first, \
         with `{command}`"
    )))
}

/// Returns a name without a leading `./`, which some writers add, and without a trailing slash.
fn clean(mut name: &[u8]) -> &[u8] {
    while let Some(rest) = name.strip_prefix(b"./") {
        name = rest;
    }
    name.strip_suffix(b"/").unwrap_or(name)
}

/// Returns the member that a link with this name refers to.
fn target(name: &[u8], link: &[u8]) -> Target {
    let mut way: Vec<&[u8]> = name.split(|&byte| byte == b'/').collect();
    way.pop();
    if link.starts_with(b"/") {
        return Target::Outside(link.to_vec());
    }
    for part in link.split(|&byte| byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." => {
                if way.pop().is_none() {
                    return Target::Outside(link.to_vec());
                }
            }
            _ => way.push(part),
        }
    }
    Target::Inside(way.join(&b'/'))
}
