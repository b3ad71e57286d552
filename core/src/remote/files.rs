//! Files on a web server: those of a layout, or an archive.

use std::{
    collections::HashMap,
    fmt,
    io::{self, Read as _, Seek as _, SeekFrom},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use super::{
    Method, Request, Transport, Url,
    blob::{Ask, Remote, range_header},
    http::{Http, refused},
};
use crate::{
    error::{Error, Result},
    store::{ReadAt, files::Files},
};

/// Readers of one file that are kept, each for the next read at its place.
const READERS: usize = 8;
/// The bytes of files that are kept whole.
const KEPT: u64 = 32 << 20;
/// A file that is not larger is fetched once, whole, and kept: documents are read several times.
const SMALL: u64 = 64 << 10;
/// The bytes that are read of a file whose size the server does not say.
const UNSIZED: u64 = 16 << 20;

/// The files below an address, such as those of a layout that a web server has as it is.
pub struct HttpFiles<T> {
    base: Url,
    http: Arc<Http<T>>,
    found: Mutex<HashMap<String, Option<Arc<dyn ReadAt>>>>,
    /// The bytes of files that are kept whole.
    kept: AtomicU64,
}

impl<T: Transport + 'static> HttpFiles<T> {
    /// Returns the files below an address. Nothing is sent before one is looked for.
    pub fn new(base: &Url, transport: T) -> Self {
        let path = base.path_and_query().split('?').next().unwrap_or_default();
        let base = base.with_path(&format!("{}/", path.trim_end_matches('/')));
        Self { base, http: Arc::new(Http::new(transport)), found: Mutex::default(), kept: AtomicU64::new(0) }
    }
}

impl<T> fmt::Debug for HttpFiles<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpFiles").field("base", &self.base).finish_non_exhaustive()
    }
}

impl<T: Transport + 'static> Files for HttpFiles<T> {
    fn find(&self, path: &str) -> Result<Option<Arc<dyn ReadAt>>> {
        if let Some(known) = lock(&self.found).get(path) {
            return Ok(known.clone());
        }
        let room = KEPT.saturating_sub(self.kept.load(Ordering::Relaxed));
        let found = find(&self.http, &self.base.join(path)?, room)?;
        let Some(Found { file, whole }) = found else {
            lock(&self.found).insert(path.to_owned(), None);
            return Ok(None);
        };
        if whole <= room {
            self.kept.fetch_add(whole, Ordering::Relaxed);
            lock(&self.found).insert(path.to_owned(), Some(Arc::clone(&file)));
        }
        Ok(Some(file))
    }
}

/// Returns the file at an address, such as an archive, which is read where it is needed.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Refused`]; [`Error::Io`].
pub fn http_file<T: Transport + 'static>(url: &Url, transport: T) -> Result<Arc<dyn ReadAt>> {
    let found = find(&Arc::new(Http::new(transport)), url, KEPT)?;
    found.map(|found| found.file).ok_or_else(|| Error::NotFound(format!("{url} not found")))
}

/// A file, and the bytes of it that are in memory.
struct Found {
    file: Arc<dyn ReadAt>,
    whole: u64,
}

/// Finds a file; one of at most `room` bytes may be kept whole.
fn find<T: Transport + 'static>(http: &Arc<Http<T>>, url: &Url, room: u64) -> Result<Option<Found>> {
    let answer = http.read(&Request::new(Method::Head, url))?;
    let size = match answer.response.status {
        200 => answer.response.header("content-length").and_then(|size| size.trim().parse().ok()),
        404 => return Ok(None),
        _ => return Err(answer.failure()),
    };
    if let Some(size) = size.filter(|size| *size > SMALL.min(room)) {
        let (http, url) = (Arc::clone(http), url.clone());
        let file = Arc::new(HttpFile { http, url, size, readers: Mutex::default() });
        return Ok(Some(Found { file, whole: 0 }));
    }
    // Without a size it is compressed on the way, as documents may be.
    let answer = http.read_all(&Request::new(Method::Get, url), UNSIZED)?;
    match answer.response.status {
        200 => {
            let whole = answer.body.len() as u64;
            Ok(Some(Found { file: Arc::new(answer.body), whole }))
        }
        _ => Err(answer.failure()),
    }
}

/// A file on a web server.
struct HttpFile<T> {
    http: Arc<Http<T>>,
    url: Url,
    size: u64,
    /// Readers and the positions where they are.
    readers: Mutex<Vec<(u64, Remote<'static, T>)>>,
}

impl<T: Transport + 'static> HttpFile<T> {
    fn ask(&self) -> Ask<'static> {
        let (http, url) = (Arc::clone(&self.http), self.url.clone());
        Box::new(move |position, most| {
            let mut request = Request::new(Method::Get, &url);
            request.headers.extend(range_header(position, most).map(|range| ("range", range)));
            let answer = http.read(&request)?;
            match answer.response.status {
                206 => Ok(Some(answer.response)),
                200 if position == 0 => Ok(Some(answer.response)),
                200 => Err(refused(&url, 200, "the server does not support ranges")),
                404 => Ok(None),
                _ => Err(answer.failure()),
            }
        })
    }
}

impl<T: Transport + 'static> ReadAt for HttpFile<T> {
    fn read_at(&self, buffer: &mut [u8], position: u64) -> io::Result<usize> {
        let kept = {
            let mut readers = lock(&self.readers);
            let found = readers.iter().position(|(at, _)| *at == position);
            found.map(|found| readers.swap_remove(found).1)
        };
        let mut reader = match kept {
            Some(reader) => reader,
            None => {
                let mut reader =
                    Remote::at_any_position(&self.http, self.url.to_string(), self.size, self.ask());
                reader.seek(SeekFrom::Start(position))?;
                reader
            }
        };
        let got = reader.read(buffer)?;
        let mut readers = lock(&self.readers);
        if readers.len() == READERS {
            readers.remove(0);
        }
        readers.push((position + got as u64, reader));
        Ok(got)
    }

    fn size(&self) -> io::Result<u64> {
        Ok(self.size)
    }
}

fn lock<X>(mutex: &Mutex<X>) -> MutexGuard<'_, X> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
