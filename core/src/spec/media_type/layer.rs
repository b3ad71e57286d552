//! The media types of layers, made of the table of compressions.

use super::{DOCKER_LAYER_FOREIGN, LAYER, LAYER_NONDISTRIBUTABLE, MediaType};
use crate::spec::compression::{Compression, FACTS};

impl MediaType {
    /// Returns the media type of an OCI layer with this compression.
    #[must_use]
    pub fn layer(compression: Compression) -> Self {
        Self(format!("{LAYER}{}", compression.facts().suffix).into())
    }

    /// Returns the media type of a Docker layer with this compression.
    #[must_use]
    pub fn docker_layer(compression: Compression) -> Self {
        Self::literal(compression.facts().docker)
    }

    /// Returns the compression of a layer of OCI or Docker; `None` for other media types.
    #[must_use]
    pub fn layer_compression(&self) -> Option<Compression> {
        let text = self.as_str();
        if text == DOCKER_LAYER_FOREIGN {
            return Some(Compression::Gzip);
        }
        let suffix = text.strip_prefix(LAYER).or_else(|| text.strip_prefix(LAYER_NONDISTRIBUTABLE));
        let found = FACTS.iter().find(|facts| suffix == Some(facts.suffix) || text == facts.docker);
        found.map(|facts| facts.compression)
    }

    /// Returns OCI's media type for a layer of Docker; `None` for other media types.
    pub(super) fn docker_layer_to_oci(&self) -> Option<Self> {
        if self.as_str() == DOCKER_LAYER_FOREIGN {
            return Some(Self(format!("{LAYER_NONDISTRIBUTABLE}+gzip").into()));
        }
        let found = FACTS.iter().find(|facts| self.as_str() == facts.docker);
        found.map(|facts| Self::layer(facts.compression))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::media_type::DOCKER_LAYER;

    #[test]
    fn media_types_and_compressions_become_each_other() {
        for compression in Compression::all() {
            assert_eq!(compression.facts().compression, compression);
            let (oci, docker) = (MediaType::layer(compression), MediaType::docker_layer(compression));
            assert_eq!(oci.layer_compression(), Some(compression));
            assert_eq!(docker.layer_compression(), Some(compression));
            assert_eq!((docker.to_oci(), oci.to_oci()), (oci.clone(), oci));
        }
        let foreign = MediaType::literal(DOCKER_LAYER_FOREIGN);
        assert_eq!(foreign.to_oci().as_str(), format!("{LAYER_NONDISTRIBUTABLE}+gzip"));
        assert_eq!(foreign.layer_compression(), Some(Compression::Gzip));
        for other in [format!("{LAYER}+xz"), format!("{DOCKER_LAYER}.xz"), "text/plain".into()] {
            assert_eq!(MediaType(other.into()).layer_compression(), None);
        }
    }
}
