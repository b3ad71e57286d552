//! Maps of user and group ids, as for user namespaces (user_namespaces(7)).

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// A range of ids in a container and on the host, as the runtime-spec writes a mapping in JSON.
///
/// ```
/// let range: ocicle::layer::on_disk::IdRange = "0:100000:65536".parse()?;
/// assert_eq!((range.container, range.host, range.size), (0, 100_000, 65_536));
/// assert_eq!(range.to_string(), "0:100000:65536");
/// # Ok::<(), ocicle::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[allow(clippy::exhaustive_structs, reason = "a plain value")]
pub struct IdRange {
    /// The first id in the container.
    #[serde(rename = "containerID")]
    pub container: u32,
    /// The first id on the host.
    #[serde(rename = "hostID")]
    pub host: u32,
    /// The number of ids.
    pub size: u32,
}

/// Parses `CONTAINER:HOST[:SIZE]`, with size 1 by default.
impl FromStr for IdRange {
    type Err = Error;

    /// # Errors
    /// Fails with [`Error::Misuse`] for another form, an empty range, or a range beyond the last id
    /// (4294967295).
    fn from_str(text: &str) -> Result<Self> {
        let wrong = |reason: &str| {
            Error::Misuse(format!("id map {text:?}: {reason} (expected CONTAINER:HOST[:SIZE])"))
        };
        let mut fields = text.split(':').map(|field| field.parse::<u32>().ok());
        let (Some(Some(container)), Some(Some(host))) = (fields.next(), fields.next()) else {
            return Err(wrong("not two or three numbers"));
        };
        let size = match (fields.next(), fields.next()) {
            (None, _) => 1,
            (Some(Some(size)), None) => size,
            _ => return Err(wrong("not two or three numbers")),
        };
        if size == 0 {
            return Err(wrong("the range is empty"));
        }
        if container.checked_add(size - 1).is_none() || host.checked_add(size - 1).is_none() {
            return Err(wrong("the range exceeds the last id"));
        }
        Ok(Self { container, host, size })
    }
}

impl fmt::Display for IdRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.container, self.host, self.size)
    }
}

/// A map of ids. The first range that contains an id applies; an empty map keeps all ids.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
#[allow(clippy::exhaustive_structs, reason = "a plain value")]
pub struct IdMap(pub Vec<IdRange>);

impl IdMap {
    /// Maps an id of the container to the host; `None` if the id is not in the map.
    #[must_use]
    pub fn to_host(&self, id: u32) -> Option<u32> {
        self.map(id, |range| (range.container, range.host))
    }

    /// Maps an id of the host to the container; `None` if the id is not in the map.
    #[must_use]
    pub fn to_container(&self, id: u32) -> Option<u32> {
        self.map(id, |range| (range.host, range.container))
    }

    fn map(&self, id: u32, direction: impl Fn(&IdRange) -> (u32, u32)) -> Option<u32> {
        if self.0.is_empty() {
            return Some(id);
        }
        self.0.iter().find_map(|range| {
            let (from, to) = direction(range);
            let offset = id.checked_sub(from).filter(|offset| *offset < range.size)?;
            to.checked_add(offset)
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests may")]

    use super::{IdMap, IdRange};

    #[test]
    fn ranges_are_written_as_in_user_namespaces() {
        let range: IdRange = "5:1000".parse().unwrap();
        assert_eq!(range, IdRange { container: 5, host: 1000, size: 1 });
        assert!("0:4294967295:1".parse::<IdRange>().is_ok());
        for wrong in ["", "1", "1:2:3:4", "a:b", "1:2:", "0:0:0", "-1:2", "1:4294967295:2", "4294967296:0"] {
            let error = wrong.parse::<IdRange>().unwrap_err().to_string();
            assert!(error.starts_with(&format!("id map {wrong:?}: ")), "{error}");
        }
    }

    #[test]
    fn the_first_range_that_fits_decides_both_ways() {
        let map = IdMap(vec!["0:1000".parse().unwrap(), "1:100000:10".parse().unwrap()]);
        let pairs = [(0, 1000), (1, 100_000), (10, 100_009)];
        for (container, host) in pairs {
            assert_eq!(map.to_host(container), Some(host));
            assert_eq!(map.to_container(host), Some(container));
        }
        assert_eq!((map.to_host(11), map.to_container(999)), (None, None));
        let all = IdMap::default();
        assert_eq!((all.to_host(u32::MAX), all.to_container(7)), (Some(u32::MAX), Some(7)));
    }
}
