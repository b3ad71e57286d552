//! Reading of tar archives as streams of changes.

use std::io::{BufRead, Read};

use super::{
    BLOCK, Reason,
    body::Body,
    entry,
    header::{Header, until_nul},
    kind,
    pax::Pax,
};
use crate::{
    attrs::SharedXattrs,
    error::{Error, Result},
    layer::{
        Change, ChangeSource, Entry, LostLists,
        budget::Budget,
        whiteout::{self, Meaning},
    },
    limits::Limits,
};

/// A reader of a layer's tar archive. It supports v7, ustar, pax and GNU headers and all formats of sparse
/// files (holes are read as zeros), and returns whiteouts as changes. Anything that readers are known to
/// interpret differently is an error, so that a scanner and a runtime never see different file systems.
///
/// ```
/// use ocicle::{layer::{ChangeSource, tar::TarReader}, limits::Limits};
/// let mut empty = TarReader::new(&[0; 1024][..], "an empty layer", &Limits::default());
/// assert!(empty.next_change()?.is_none());
/// # Ok::<(), ocicle::Error>(())
/// ```
#[derive(Debug)]
pub struct TarReader<R> {
    pub(super) body: Body<R>,
    pub(super) limits: Limits,
    pub(super) budget: Budget,
    /// Offset of the current header.
    header_at: u64,
    /// Offset of the current entry's first header.
    entry_at: u64,
    global: Pax,
    global_bytes: u64,
    entries: u64,
    /// Bytes of all files so far, including holes.
    pub(super) content: u64,
    /// Bytes of the extended attributes of all entries so far.
    xattrs: SharedXattrs,
    lost: LostLists,
    /// The raw path, a buffer reused between entries.
    pub(super) path: Vec<u8>,
    /// The raw extended headers, likewise.
    records: Vec<u8>,
    ended: bool,
}

/// The attributes of an entry from the headers before it.
#[derive(Debug, Default)]
struct Extensions {
    pax: Option<Pax>,
    name: Option<Vec<u8>>,
    link: Option<Vec<u8>>,
    bytes: u64,
}

impl<R: BufRead> TarReader<R> {
    /// Starts at the beginning of an archive. `what` names it in errors, such as `layer sha256:…`.
    pub fn new(archive: R, what: impl Into<String>, limits: &Limits) -> Self {
        Self {
            body: Body::new(archive, what.into()),
            limits: *limits,
            budget: Budget::without_ratio(limits),
            header_at: 0,
            entry_at: 0,
            global: Pax::default(),
            global_bytes: 0,
            entries: 0,
            content: 0,
            xattrs: SharedXattrs::default(),
            lost: LostLists::default(),
            path: Vec::new(),
            records: Vec::new(),
            ended: false,
        }
    }

    /// Bounds the sizes of files by the size of the layer's blob.
    pub(crate) fn within(self, budget: Budget) -> Self {
        Self { budget, ..self }
    }

    /// Returns the bytes of all files so far, including holes.
    pub(crate) fn content(&self) -> u64 {
        self.content
    }

    /// Reads the rest of the input, so that a hashing reader sees all of it. Data after the end of the
    /// archive is not part of the layer, but of its digest.
    ///
    /// # Errors
    /// Fails if reading does.
    pub fn drain(&mut self) -> Result<()> {
        self.ended = true;
        self.body.drain()
    }

    /// Returns the access control lists so far that are not among the attributes.
    #[must_use]
    pub fn lost_lists(&self) -> &LostLists {
        &self.lost
    }

    /// Returns the offset of the last change's entry. A reader that starts there reads it again.
    pub(crate) fn entry_at(&self) -> u64 {
        self.entry_at
    }

    /// Returns the next change; its content is in `self.body`.
    fn advance(&mut self) -> Result<Option<Change>> {
        let mut extensions = Extensions::default();
        let mut block = [0; BLOCK];
        self.body.skip()?;
        self.entry_at = self.body.position();
        while !self.ended {
            self.header_at = self.body.position();
            let more = self.body.block(&mut block)?;
            let header = Header::check(&block).map_err(|reason| self.bad_header(reason))?;
            let Some(header) = header.filter(|_| more) else {
                self.ended = true;
                self.check_end(more, &extensions)?;
                return Ok(None);
            };
            self.entries += 1;
            if self.entries > self.limits.entries {
                return Err(self.limit("entries", self.limits.entries));
            }
            if !self.take_extension(header, &mut extensions)? {
                if let Some(change) = self.entry(header, std::mem::take(&mut extensions))? {
                    return Ok(Some(change));
                }
                self.body.skip()?;
                self.entry_at = self.body.position();
            }
        }
        Ok(None)
    }

    /// Checks the end of the archive: two blocks of zeros, or the end of the input. Readers disagree about a
    /// single zero block.
    fn check_end(&mut self, zeros: bool, extensions: &Extensions) -> Result<()> {
        if extensions.pax.is_some() || extensions.name.is_some() || extensions.link.is_some() {
            return Err(self.bad_header("the archive ends after an extended header"));
        }
        let mut block = [0; BLOCK];
        if zeros && self.body.block(&mut block)? && block != [0; BLOCK] {
            return Err(self.bad_header("single block of zeros: an archive ends with two"));
        }
        Ok(())
    }

    /// Reads a header that applies to later ones; `false` if it is an entry's own.
    fn take_extension(&mut self, header: Header<'_>, extensions: &mut Extensions) -> Result<bool> {
        let twice = match header.kind() {
            kind::PAX => extensions.pax.is_some(),
            kind::GNU_LONG_NAME => extensions.name.is_some(),
            kind::GNU_LONG_LINK => extensions.link.is_some(),
            kind::PAX_GLOBAL => false,
            kind::GNU_VOLUME => return Ok(true),
            _ => return Ok(false),
        };
        if twice {
            return Err(self.bad_header("two extended headers of the same kind for one entry"));
        }
        let size = header.size().map_err(|reason| self.bad_header(reason))?;
        let total = match header.kind() {
            kind::PAX_GLOBAL => &mut self.global_bytes,
            _ => &mut extensions.bytes,
        };
        *total = total.saturating_add(size);
        if *total > self.limits.header {
            return Err(self.limit("header", self.limits.header));
        }
        self.records.clear();
        self.body.start(size);
        self.body.read_stored(&mut self.records)?;
        match header.kind() {
            kind::GNU_LONG_NAME => extensions.name = Some(self.long_name()?),
            kind::GNU_LONG_LINK => extensions.link = Some(self.long_name()?),
            kind::PAX => {
                let mut pax = self.global.clone();
                pax.add(&self.records).map_err(|reason| self.bad_header(reason))?;
                extensions.pax = Some(pax);
            }
            _ => {
                self.global.add(&self.records).map_err(|reason| self.bad_header(reason))?;
                if self.global.is_about_one_entry() {
                    return Err(self.bad_header("global pax header with the name or size of a single file"));
                }
            }
        }
        Ok(true)
    }

    fn long_name(&self) -> Result<Vec<u8>> {
        match until_nul(&self.records) {
            b"" => Err(self.bad_header("empty GNU long name")),
            name => Ok(name.to_vec()),
        }
    }

    /// Converts an entry's own header to a change; `None` if it is not part of the file system.
    fn entry(&mut self, header: Header<'_>, extensions: Extensions) -> Result<Option<Change>> {
        let Extensions { pax, name, link, bytes } = extensions;
        let mut pax = pax.unwrap_or_else(|| self.global.clone());
        if (pax.path.is_some() && name.is_some()) || (pax.link.is_some() && link.is_some()) {
            return Err(self.bad_header("name both in a pax record and in a GNU long name"));
        }
        self.path.clear();
        match pax.sparse.name.as_ref().or(pax.path.as_ref()).or(name.as_ref()) {
            Some(path) => self.path.extend_from_slice(path),
            None => header.push_name(&mut self.path),
        }
        let kind = self.kind_of(header, &pax);
        let size = match kind {
            kind::FILE => self.start_file(header, &pax, bytes)?,
            _ if !pax.sparse.is_empty() => {
                return Err(self.bad_entry("sparse records for an entry that is not a file"));
            }
            _ => 0,
        };
        let meaning = whiteout::meaning(&self.path, &self.limits);
        let path = match meaning.map_err(|reason| self.bad_entry(reason))? {
            Meaning::Ordinary(path) => path,
            Meaning::Ignored => return Ok(None),
            Meaning::Whiteout(change) => {
                self.body.skip()?;
                return Ok(Some(change));
            }
        };
        if path.is_root() && kind != kind::DIR {
            return Err(self.bad_entry("the root must be a directory"));
        }
        let link = pax.link.take().or(link);
        let link = link.as_deref().unwrap_or_else(|| header.link());
        let kind = entry::entry_kind(kind, header, size, link, &self.limits)
            .map_err(|reason| self.bad_entry(reason))?;
        let (mut attrs, lost) =
            entry::attrs(&kind, header, &mut pax).map_err(|reason| self.bad_entry(reason))?;
        if lost {
            self.lost.add(&path);
        }
        if self.xattrs.share(&mut attrs.xattrs) > self.limits.xattrs {
            return Err(self.limit("xattrs", self.limits.xattrs));
        }
        Ok(Some(Change::Put(Entry { path, attrs, kind })))
    }

    /// Returns the type flag, with `'0'` for all regular files. Old programs mark directories by a trailing
    /// `/`.
    fn kind_of(&self, header: Header<'_>, pax: &Pax) -> u8 {
        let is_empty = || pax.size.map_or_else(|| header.size(), Ok) == Ok(0);
        match header.kind() {
            kind::FILE | kind::OLD_FILE if self.path.ends_with(b"/") && is_empty() => kind::DIR,
            kind::FILE | kind::OLD_FILE | kind::CONTIGUOUS | kind::GNU_SPARSE => kind::FILE,
            other => other,
        }
    }

    /// Returns an error about the current header.
    fn bad_header(&self, reason: impl Into<Reason>) -> Error {
        Error::layer(format!("{}, header at byte {}", self.body.what(), self.header_at), reason)
    }

    /// Returns an error about the current entry, once its name is known.
    pub(super) fn bad_entry(&self, reason: impl Into<Reason>) -> Error {
        let shown = self.path.get(..300).unwrap_or(&self.path);
        Error::layer(format!("{}, entry {:?}", self.body.what(), String::from_utf8_lossy(shown)), reason)
    }

    pub(super) fn limit(&self, name: &'static str, limit: u64) -> Error {
        Error::limit(self.body.what(), name, limit)
    }
}

impl<R: BufRead> ChangeSource for TarReader<R> {
    fn next_change(&mut self) -> Result<Option<(Change, &mut dyn Read)>> {
        Ok(match self.advance()? {
            Some(change) => Some((change, &mut self.body)),
            None => None,
        })
    }
}
