//! `copy`.

use clap::{Args as ClapArgs, ValueEnum};

#[derive(Debug, ClapArgs)]
pub(crate) struct Copy {
    /// What to copy: a whole store, or what a reference means, with all below it.
    #[arg(value_name = "REF")]
    pub(crate) source: String,
    /// Where to: `oci:DIRECTORY`, `oci-archive:FILE`, `docker-archive:FILE`; with `#TAG` for another tag. Made if it is not there.
    #[arg(value_name = "STORE[#TAG]")]
    pub(crate) destination: String,
    /// Copy the whole way to what is meant: its indexes stay as they are, and name what is not there.
    #[arg(long)]
    pub(crate) sparse: bool,
    /// Convert documents of Docker: their digests change.
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub(crate) format: Option<CopyFormat>,
}

/// Whose documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum CopyFormat {
    /// OCI.
    Oci,
}
