//! Reading a tar archive as a stream of changes.

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
    error::{Error, Result},
    layer::{
        Change, ChangeSource, Entry,
        whiteout::{self, Meaning},
    },
    limits::Limits,
    name::EntryPath,
};

/// Reads a tar archive as a layer: v7, ustar, pax and GNU headers, sparse files of all formats (holes are read as zeros),
/// whiteouts as changes. Whatever readers are known to disagree about is an error, so that nobody sees another file
/// system than the one that is unpacked.
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
    /// Where the header at hand starts.
    header_at: u64,
    /// Where the first header of the entry at hand starts.
    entry_at: u64,
    global: Pax,
    global_bytes: u64,
    entries: u64,
    /// Bytes of all files so far, with the holes of sparse ones.
    pub(super) content: u64,
    /// Raw bytes of a path, kept from entry to entry.
    pub(super) path: Vec<u8>,
    /// Raw bytes of extended headers, likewise.
    records: Vec<u8>,
    ended: bool,
}

/// What the headers before an entry's own say of it.
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
            header_at: 0,
            entry_at: 0,
            global: Pax::default(),
            global_bytes: 0,
            entries: 0,
            content: 0,
            path: Vec::new(),
            records: Vec::new(),
            ended: false,
        }
    }

    /// Reads what is left of the input, so that whoever hashes it sees all of it. What follows the end of the archive
    /// is no part of the layer, but of its digest.
    ///
    /// # Errors
    /// Failed reads.
    pub fn drain(&mut self) -> Result<()> {
        self.ended = true;
        self.body.drain()
    }

    /// Where the entry of the last change begins: a reader that starts there reads it once more.
    pub(crate) fn entry_at(&self) -> u64 {
        self.entry_at
    }

    /// The next change; its content is in `self.body`.
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

    /// The archive ends with two blocks of zeros, or where the input ends. Readers disagree about a lone one.
    fn check_end(&mut self, zeros: bool, extensions: &Extensions) -> Result<()> {
        if extensions.pax.is_some() || extensions.name.is_some() || extensions.link.is_some() {
            return Err(self.bad_header("the archive ends after an extended header, without its entry"));
        }
        let mut block = [0; BLOCK];
        if zeros && self.body.block(&mut block)? && block != [0; BLOCK] {
            return Err(self.bad_header("a lone block of zeros: the archive should end with two"));
        }
        Ok(())
    }

    /// Takes a header that only says something of later ones; `false` if it is an entry's own.
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
            return Err(self.bad_header("two extended headers of one kind for one entry"));
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
                    return Err(self.bad_header("a global pax header that names one file or its size"));
                }
            }
        }
        Ok(true)
    }

    fn long_name(&self) -> Result<Vec<u8>> {
        match until_nul(&self.records) {
            b"" => Err(self.bad_header("a GNU long name without a name")),
            name => Ok(name.to_vec()),
        }
    }

    /// Makes a change of an entry's own header; `None` for what is no part of the file system.
    fn entry(&mut self, header: Header<'_>, extensions: Extensions) -> Result<Option<Change>> {
        let Extensions { pax, name, link, bytes } = extensions;
        let mut pax = pax.unwrap_or_else(|| self.global.clone());
        if (pax.path.is_some() && name.is_some()) || (pax.link.is_some() && link.is_some()) {
            return Err(self.bad_header("a name both as a pax record and as a GNU long name"));
        }
        self.path.clear();
        match pax.sparse.name.as_ref().or(pax.path.as_ref()).or(name.as_ref()) {
            Some(path) => self.path.extend_from_slice(path),
            None => header.push_name(&mut self.path),
        }
        let kind = self.kind_of(header, &pax);
        let size = match kind {
            kind::FILE => self.start_file(header, &pax, bytes)?,
            _ if !pax.sparse.is_empty() => return Err(self.bad_entry("only files can be sparse")),
            _ => 0,
        };
        let path =
            EntryPath::clean(&self.path, &self.limits).map_err(|error| self.bad_entry(error.to_string()))?;
        match whiteout::meaning(&path).map_err(|reason| self.bad_entry(reason))? {
            Meaning::Ordinary => {}
            Meaning::Ignored => return Ok(None),
            Meaning::Marker(change) => {
                self.body.skip()?;
                return Ok(Some(change));
            }
        }
        if path.is_root() && kind != kind::DIR {
            return Err(self.bad_entry("the root can only be a directory"));
        }
        let link = pax.link.take().or(link);
        let link = link.as_deref().unwrap_or_else(|| header.link());
        let kind = entry::entry_kind(kind, header, size, link, &self.limits)
            .map_err(|reason| self.bad_entry(reason))?;
        let attrs = entry::attrs(&kind, header, &mut pax).map_err(|reason| self.bad_entry(reason))?;
        Ok(Some(Change::Put(Entry { path, attrs, kind })))
    }

    /// The type flag, with all regular files as `'0'`. Old programs mark a directory by a `/` at the end of its name.
    fn kind_of(&self, header: Header<'_>, pax: &Pax) -> u8 {
        let is_empty = || pax.size.map_or_else(|| header.size(), Ok) == Ok(0);
        match header.kind() {
            kind::FILE | kind::OLD_FILE if self.path.ends_with(b"/") && is_empty() => kind::DIR,
            kind::FILE | kind::OLD_FILE | kind::CONTIGUOUS | kind::GNU_SPARSE => kind::FILE,
            other => other,
        }
    }

    /// An error about the header at hand.
    fn bad_header(&self, reason: impl Into<Reason>) -> Error {
        Error::layer(format!("{}, header at byte {}", self.body.what(), self.header_at), reason)
    }

    /// An error about the entry at hand, once its name is known.
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
