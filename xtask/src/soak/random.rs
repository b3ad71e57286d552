//! Random numbers.

use std::hash::{BuildHasher as _, RandomState};

/// The xorshift64 generator.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed | 1)
    }

    /// Returns a number below `end`, which must not be 0.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }
}

/// Returns a seed that differs from run to run.
pub(crate) fn new_seed() -> u64 {
    RandomState::new().hash_one(0) % 1_000_000
}
