//! gzip (RFC 1952) as a single member whose blocks can be deflated in parallel.
//!
//! The input is cut every [`BLOCK`] bytes. Each block is deflated with the preceding 32 KiB as dictionary and
//! ends at a byte boundary, so that the results can be joined. The cuts depend only on the input, so the
//! output does not depend on the number of threads. The header has no name and no time.

use std::{
    collections::VecDeque,
    io::{self, Write},
    sync::Arc,
};

use flate2::{Compress, Compression, Crc, FlushCompress, Status};

/// Bytes of input in a block. Larger blocks compress no better; smaller ones keep threads less busy.
const BLOCK: usize = 256 << 10;
/// The distance that deflate can refer back (RFC 1951).
const WINDOW: usize = 32 << 10;
/// About as small as level 6 on file systems, and a third faster (docs/speed.md).
const LEVEL: u32 = 5;
/// Deflate; no flags, time, hint or operating system.
const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];

/// A writer that compresses; [`GzipWriter::finish`] ends the stream.
pub(super) struct GzipWriter<W: Write> {
    out: W,
    crc: Crc,
    pending: Vec<u8>,
    /// The previous block, whose end is the dictionary of the next.
    previous: Option<Arc<Vec<u8>>>,
    running: VecDeque<Running>,
    /// The most blocks in flight.
    most: usize,
    #[cfg(feature = "parallel")]
    workers: Option<workers::Workers>,
}

/// A block that is deflated, or being deflated.
enum Running {
    Done(io::Result<Vec<u8>>),
    #[cfg(feature = "parallel")]
    Soon(std::sync::mpsc::Receiver<io::Result<Vec<u8>>>),
}

/// A block to deflate.
struct Job {
    before: Option<Arc<Vec<u8>>>,
    block: Arc<Vec<u8>>,
    last: bool,
}

impl<W: Write> GzipWriter<W> {
    pub(super) fn new(mut out: W, threads: usize) -> io::Result<Self> {
        out.write_all(&HEADER)?;
        Ok(Self {
            out,
            crc: Crc::new(),
            pending: Vec::with_capacity(BLOCK),
            previous: None,
            running: VecDeque::new(),
            most: 2 * threads,
            #[cfg(feature = "parallel")]
            workers: if threads > 1 { workers::Workers::new(threads) } else { None },
        })
    }

    pub(super) fn finish(mut self) -> io::Result<W> {
        self.deflate(true)?;
        while let Some(block) = self.running.pop_front() {
            self.out.write_all(&block.wait()?)?;
        }
        self.out.write_all(&self.crc.sum().to_le_bytes())?;
        self.out.write_all(&self.crc.amount().to_le_bytes())?;
        Ok(self.out)
    }

    fn deflate(&mut self, last: bool) -> io::Result<()> {
        let block = Arc::new(std::mem::replace(&mut self.pending, Vec::with_capacity(BLOCK)));
        let job = Job { before: self.previous.replace(Arc::clone(&block)), block, last };
        let running = self.start(job);
        self.running.push_back(running);
        while self.running.len() >= self.most {
            let Some(block) = self.running.pop_front() else { break };
            self.out.write_all(&block.wait()?)?;
        }
        Ok(())
    }

    #[cfg(feature = "parallel")]
    fn start(&self, job: Job) -> Running {
        match &self.workers {
            Some(workers) => Running::Soon(workers.start(job)),
            None => Running::Done(job.run()),
        }
    }

    #[cfg(not(feature = "parallel"))]
    #[expect(clippy::unused_self, reason = "the other implementation has workers")]
    fn start(&self, job: Job) -> Running {
        Running::Done(job.run())
    }
}

impl<W: Write> Write for GzipWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if bytes.is_empty() {
            return Ok(0); // a full block waits for more: it may be the last
        }
        if self.pending.len() == BLOCK {
            self.deflate(false)?;
        }
        let taken = bytes.len().min(BLOCK - self.pending.len());
        self.crc.update(&bytes[..taken]);
        self.pending.extend_from_slice(&bytes[..taken]);
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(()) // a layer is whole or nothing
    }
}

impl Running {
    fn wait(self) -> io::Result<Vec<u8>> {
        match self {
            Self::Done(result) => result,
            #[cfg(feature = "parallel")]
            Self::Soon(result) => {
                result.recv().map_err(|_| io::Error::other("a compressing thread has failed"))?
            }
        }
    }
}

impl Job {
    fn run(&self) -> io::Result<Vec<u8>> {
        if is_noise(&self.block) {
            return Ok(stored(&self.block, self.last));
        }
        let mut state = Compress::new(Compression::new(LEVEL), false);
        if let Some(before) = &self.before {
            state.set_dictionary(&before[before.len().saturating_sub(WINDOW)..])?;
        }
        // Incompressible blocks grow by five bytes for each 64 KiB at most, and the flush adds a few.
        let mut out = Vec::with_capacity(self.block.len() + self.block.len() / 1000 + 64);
        let flush = if self.last { FlushCompress::Finish } else { FlushCompress::Sync };
        loop {
            let read = usize::try_from(state.total_in()).unwrap_or(usize::MAX);
            let status = state.compress_vec(self.block.get(read..).unwrap_or_default(), &mut out, flush)?;
            let full = out.len() == out.capacity();
            match status {
                Status::StreamEnd => return Ok(out),
                Status::Ok | Status::BufError if full => out.reserve(out.capacity()),
                Status::Ok if !self.last => return Ok(out),
                Status::Ok | Status::BufError => {
                    return Err(io::Error::other("deflate makes no progress"));
                }
            }
        }
    }
}

/// Returns whether deflate cannot make a block smaller: its bytes are about equally frequent, and a sample of
/// it does not repeat itself. This is so for compressed or encrypted content, which is common in layers.
fn is_noise(block: &[u8]) -> bool {
    const SAMPLE: usize = 2 * WINDOW;
    /// The beginning of a block tells in most cases. So few bytes of noise are equal more often by chance.
    const BEGINNING: usize = 4 << 10;
    let Some(sample) = block.get(..SAMPLE) else { return false };
    // Within 1/64 of the chance of noise, coding bytes by frequency gains nothing.
    is_flat(&block[..BEGINNING], 4) && is_flat(block, 64) && !repeats(sample)
}

/// Returns whether two bytes are equal about as often as two bytes of noise: the chance is 1/256, and this
/// part of it more.
fn is_flat(bytes: &[u8], part: u64) -> bool {
    let mut counts = [0_u64; 256];
    for &byte in bytes {
        counts[usize::from(byte)] += 1;
    }
    let total = bytes.len() as u64;
    let pairs: u64 = counts.iter().map(|count| count * count).sum();
    pairs * 256 <= total * total / part * (part + 1)
}

/// Returns whether more than one in 64 of the four-byte words occurred before.
fn repeats(sample: &[u8]) -> bool {
    let mut seen = vec![0_u32; WINDOW];
    let mut again = 0;
    for word in sample.windows(4) {
        let word = word.iter().fold(0, |word, &byte| word << 8 | u32::from(byte));
        let slot = (word.wrapping_mul(0x9e37_79b1) >> (32 - WINDOW.ilog2())) as usize;
        again += usize::from(std::mem::replace(&mut seen[slot], word) == word);
    }
    again > sample.len() / 64
}

/// Returns stored blocks (RFC 1951, section 3.2.4). Every previous block ends at a byte boundary, so this one
/// starts at one.
fn stored(block: &[u8], last: bool) -> Vec<u8> {
    let mut out = Vec::with_capacity(block.len() + 64);
    let mut pieces = block.chunks(usize::from(u16::MAX)).peekable();
    while let Some(piece) = pieces.next() {
        let length = u16::try_from(piece.len()).unwrap_or(u16::MAX);
        out.push(u8::from(last && pieces.peek().is_none()));
        out.extend_from_slice(&length.to_le_bytes());
        out.extend_from_slice(&(!length).to_le_bytes());
        out.extend_from_slice(piece);
    }
    out
}

#[cfg(feature = "parallel")]
mod workers {
    use std::{
        io,
        sync::{Arc, Mutex, PoisonError, mpsc},
        thread,
    };

    use super::Job;

    type Reply = mpsc::SyncSender<io::Result<Vec<u8>>>;

    /// Threads that deflate. They end when this is dropped and the queue is empty.
    pub(super) struct Workers(mpsc::Sender<(Job, Reply)>);

    impl Workers {
        /// Starts at most that many; `None` if the system lets none start.
        pub(super) fn new(threads: usize) -> Option<Self> {
            Self::started_by(threads, |work| thread::Builder::new().spawn(work).map(drop))
        }

        pub(super) fn started_by(
            threads: usize,
            start: impl Fn(Box<dyn FnOnce() + Send>) -> io::Result<()>,
        ) -> Option<Self> {
            let (sender, receiver) = mpsc::channel::<(Job, Reply)>();
            let receiver = Arc::new(Mutex::new(receiver));
            let started = (0..threads).take_while(|_| {
                let receiver = Arc::clone(&receiver);
                let work = move || {
                    loop {
                        let job = receiver.lock().unwrap_or_else(PoisonError::into_inner).recv();
                        let Ok((job, reply)) = job else { return };
                        let _ = reply.send(job.run()); // the writer may have been dropped
                    }
                };
                start(Box::new(work)).is_ok()
            });
            (started.count() > 0).then_some(Self(sender))
        }

        pub(super) fn start(&self, job: Job) -> mpsc::Receiver<io::Result<Vec<u8>>> {
            let (reply, result) = mpsc::sync_channel(1);
            let _ = self.0.send((job, reply)); // without a thread to take it, waiting for the result fails
            result
        }
    }
}

#[cfg(test)]
mod tests;
