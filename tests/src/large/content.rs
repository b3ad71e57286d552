//! Contents of files: the same for the same number, on every machine.

use std::io::{self, Read};

/// Numbers without a pattern (SplitMix64).
#[derive(Debug)]
pub(super) struct Numbers(u64);

impl Numbers {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0xD134_2543_DE82_EF95).wrapping_add(1))
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }
}

/// Bytes in blocks of 64; no end.
pub(super) struct Content {
    numbers: Numbers,
    /// The rows that a block is chosen from; noise if there are none.
    rows: Vec<[u8; 64]>,
    block: [u8; 64],
    used: usize,
}

impl Content {
    /// Returns content that no compressor makes smaller.
    pub(super) fn noise(seed: u64) -> Self {
        Self { numbers: Numbers::new(seed), rows: Vec::new(), block: [0; 64], used: 64 }
    }

    /// Lines of a log: about a twentieth when compressed.
    pub(super) fn text(seed: u64) -> Self {
        let mut numbers = Numbers::new(seed);
        let row = |number: usize| {
            let line =
                format!("line {number:03}: {:016x} is what the program had to say of it", numbers.next());
            let mut row = [b'.'; 64];
            row.iter_mut().zip(line.bytes()).for_each(|(to, from)| *to = from);
            row[63] = b'\n';
            row
        };
        let rows = (0..256).map(row).collect();
        Self { rows, ..Self::noise(seed) }
    }
}

impl Read for Content {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let mut filled = 0;
        while filled < out.len() {
            if self.used == 64 {
                self.used = 0;
                if self.rows.is_empty() {
                    for eight in self.block.chunks_exact_mut(8) {
                        eight.copy_from_slice(&self.numbers.next().to_le_bytes());
                    }
                } else {
                    self.block = self.rows[usize::from(self.numbers.next().to_le_bytes()[0])];
                }
            }
            let count = (out.len() - filled).min(64 - self.used);
            out[filled..filled + count].copy_from_slice(&self.block[self.used..self.used + count]);
            self.used += count;
            filled += count;
        }
        Ok(filled)
    }
}
