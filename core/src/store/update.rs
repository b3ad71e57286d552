//! Changing the root index while others do the same.

use super::RootIndex;
use crate::{
    error::{Error, Result},
    spec::{Index, Raw},
};

/// How often a change is tried again because somebody else was faster.
const ATTEMPTS: u32 = 1000;

/// What follows from [`RootIndex`].
pub trait RootIndexExt: RootIndex {
    /// Changes the root index: reads it, lets `change` make a new one of it, and replaces it; from the
    /// beginning if somebody else replaced it meanwhile. An equal index is not written. Gives the index that
    /// is there in the end.
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
