//! Changing the root index concurrently.

use super::RootIndex;
use crate::{
    error::{Error, Result},
    spec::{Index, Raw},
};

/// The number of attempts before a change fails because other processes were faster.
const ATTEMPTS: u32 = 1000;

/// Methods for every [`RootIndex`].
pub trait RootIndexExt: RootIndex {
    /// Changes the root index: reads it, calls `change` to make a new one, and replaces it; starts again if
    /// the index was replaced meanwhile. An equal index is not written. Returns the resulting index.
    ///
    /// # Errors
    /// Those of `change`; of [`RootIndex::load`] and [`RootIndex::replace`], [`Error::Conflict`] only after
    /// 1000 attempts.
    fn update<E: From<Error>>(
        &self,
        change: impl FnMut(&Raw<Index>) -> Result<Raw<Index>, E>,
    ) -> Result<Raw<Index>, E>;
}

impl<S: RootIndex + ?Sized> RootIndexExt for S {
    fn update<E: From<Error>>(
        &self,
        mut change: impl FnMut(&Raw<Index>) -> Result<Raw<Index>, E>,
    ) -> Result<Raw<Index>, E> {
        let mut attempts = 0;
        loop {
            let old = self.load()?;
            let new = change(&old)?;
            if new.bytes() == old.bytes() {
                return Ok(new);
            }
            attempts += 1;
            match self.replace(&old.digest(), &new) {
                Ok(()) => return Ok(new),
                Err(Error::Conflict { .. }) if attempts < ATTEMPTS => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}
