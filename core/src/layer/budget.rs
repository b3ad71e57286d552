//! The limits on the expansion of a layer.

use crate::{
    error::{Error, Result},
    limits::Limits,
};

/// The bytes that a layer may expand to: its archive after decompression, and its files with their holes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Budget {
    layer_size: u64,
    ratio: u64,
    /// The bytes that the size of the blob allows.
    by_ratio: u64,
}

impl Budget {
    /// Returns the budget of an archive or blob of unknown size, whose ratio is not bounded.
    pub(crate) fn without_ratio(limits: &Limits) -> Self {
        Self { layer_size: limits.layer_size, ratio: limits.ratio, by_ratio: u64::MAX }
    }

    /// Returns the budget of a blob of this size, in bytes.
    pub(crate) fn of_blob(size: u64, limits: &Limits) -> Self {
        let by_ratio = size.saturating_mul(limits.ratio).max(limits.ratio_from);
        Self { by_ratio, ..Self::without_ratio(limits) }
    }

    /// Checks how many bytes a layer has expanded to. `what` names it in errors.
    ///
    /// # Errors
    /// [`Error::Limit`].
    pub(crate) fn check(&self, expanded: u64, what: &str) -> Result<()> {
        if expanded > self.layer_size {
            Err(Error::limit(what, "layer_size", self.layer_size))
        } else if expanded > self.by_ratio {
            Err(Error::limit(what, "ratio", self.ratio))
        } else {
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Budget;
    use crate::limits::Limits;

    #[test]
    fn a_small_blob_may_expand_to_a_fixed_size_and_a_large_one_by_a_ratio() {
        let limits = Limits { ratio: 10, ratio_from: 500, layer_size: 2000, ..Limits::default() };
        let name = |size, expanded| match Budget::of_blob(size, &limits).check(expanded, "it") {
            Err(crate::Error::Limit { name, .. }) => name,
            _ => "",
        };
        assert_eq!([name(1, 500), name(1, 501)], ["", "ratio"]);
        assert_eq!([name(60, 600), name(60, 601)], ["", "ratio"]);
        assert_eq!([name(1000, 2000), name(1000, 2001)], ["", "layer_size"]);
        assert!(Budget::without_ratio(&limits).check(2000, "it").is_ok());
    }
}
