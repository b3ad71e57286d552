//! Writing and publishing several blobs at the same time: most of the time is spent waiting for a server, or
//! for the disk, which can make many files durable at once.

use std::{
    sync::{Condvar, Mutex, MutexGuard, PoisonError, mpsc},
    thread,
};

use super::Pending;
use crate::{
    digest::Digest,
    error::{Error, Result},
};

/// The number of blobs that are published at the same time.
const IN_FLIGHT: usize = if cfg!(feature = "parallel") { 32 } else { 0 };

/// The number of blobs that are written at the same time: read from where they are, and hashed.
const WRITING: usize = 6;

/// A complete blob, to be published under its digest.
type Written<'a> = (Box<dyn Pending + 'a>, Digest);

/// Writes and publishes each blob of a series: some are written at the same time, and more are published.
/// When this returns, all are published; after the first error no further one is asked for.
pub(crate) fn write_each<'a, J>(jobs: impl Iterator<Item = Result<J>>) -> Result<()>
where
    J: FnOnce() -> Result<Written<'a>> + Send,
{
    let (sender, receiver) = mpsc::sync_channel::<J>(0);
    let (receiver, failed) = (Mutex::new(receiver), Mutex::new(None));
    let writers = Writers::default();
    let next = || lock(&receiver).recv();
    let work = || {
        while let Ok(job) = next() {
            let done = writers.write(job).and_then(|(blob, digest)| blob.publish(&digest));
            if let Err(error) = done {
                *lock(&failed) = Some(error);
            }
        }
    };
    let check = || lock(&failed).take().map_or(Ok(()), Err);
    thread::scope(|scope| {
        let sender = sender; // the threads end when it is dropped
        let mut started = 0;
        for job in jobs {
            let job = job?;
            let start = || thread::Builder::new().name("publish".into()).spawn_scoped(scope, work);
            if started < IN_FLIGHT && start().is_ok() {
                started += 1;
            }
            match started {
                // Where no thread can start, this one does it.
                0 => job().and_then(|(blob, digest)| blob.publish(&digest))?,
                _ => drop(sender.send(job)),
            }
            check()?;
        }
        Ok::<_, Error>(())
    })?;
    check()
}

/// The number of threads that write at this moment.
#[derive(Default)]
struct Writers(Mutex<usize>, Condvar);

impl Writers {
    fn write<X>(&self, job: impl FnOnce() -> X) -> X {
        let Self(writing, ended) = self;
        let mut count = ended
            .wait_while(lock(writing), |count| *count >= WRITING)
            .unwrap_or_else(PoisonError::into_inner);
        *count += 1;
        drop(count);
        let done = job();
        *lock(writing) -= 1;
        ended.notify_one();
        done
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(all(test, feature = "parallel"))]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests may")]

    use std::{
        io::{self, Write},
        time::Duration,
    };

    use super::*;
    use crate::{digest::Algorithm, error::ErrorKind, hash::digest_of};

    /// The blobs that are being published.
    #[derive(Default)]
    struct Waiting(Mutex<usize>, Condvar);

    struct Blob<'a> {
        waiting: &'a Waiting,
        fails: bool,
    }

    impl Write for Blob<'_> {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Pending for Blob<'_> {
        /// Waits until as many others wait.
        fn publish(self: Box<Self>, _: &Digest) -> Result<()> {
            if self.fails {
                return Err(Error::io("write blob")(io::ErrorKind::StorageFull.into()));
            }
            let Waiting(count, changed) = self.waiting;
            *lock(count) += 1;
            changed.notify_all();
            let waited = changed.wait_timeout_while(lock(count), Duration::from_secs(20), |count| *count < 8);
            assert!(!waited.unwrap().1.timed_out(), "one after the other");
            Ok(())
        }
    }

    #[test]
    fn many_blobs_are_published_at_the_same_time() {
        let waiting = Waiting::default();
        let blob = |_| {
            let blob: Box<dyn Pending> = Box::new(Blob { waiting: &waiting, fails: false });
            Ok(|| Ok((blob, digest_of(Algorithm::Sha256, b""))))
        };
        write_each((0..100).map(blob)).unwrap();
        assert_eq!(*lock(&waiting.0), 100);
    }

    #[test]
    fn an_error_of_any_blob_is_returned() {
        for failing in [0, 1, 50, 98, 99] {
            let waiting = Waiting(Mutex::new(8), Condvar::new());
            let mut asked = 0;
            let blobs = (0..100).map(|number| {
                asked += 1;
                let blob: Box<dyn Pending> = Box::new(Blob { waiting: &waiting, fails: number == failing });
                Ok(|| Ok((blob, digest_of(Algorithm::Sha256, b""))))
            });
            let error = write_each(blobs).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Io, "{failing}");
            assert!(asked > failing, "{failing}");
        }
    }
}
