//! Attributes of entries: owner, mode, time, extended attributes.

use std::{
    collections::{BTreeMap, HashSet},
    fmt,
    sync::Arc,
};

use serde::{Deserialize, Serialize};

/// A point in time: seconds since 1970-01-01 UTC, rounded towards the past, and 0 to 999,999,999 nanoseconds
/// after it. One and a half seconds before 1970 is `{ seconds: -2, nanoseconds: 500_000_000 }`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[allow(clippy::exhaustive_structs, reason = "a plain value")]
pub struct Time {
    /// Whole seconds, rounded down.
    pub seconds: i64,
    /// Nanoseconds after that second.
    pub nanoseconds: u32,
}

impl Time {
    /// 1970-01-01 00:00:00 UTC.
    pub const EPOCH: Self = Self { seconds: 0, nanoseconds: 0 };
    /// The earliest time.
    pub const MIN: Self = Self { seconds: i64::MIN, nanoseconds: 0 };
    /// The latest time.
    pub const MAX: Self = Self { seconds: i64::MAX, nanoseconds: 999_999_999 };

    /// Returns the time this many whole seconds after 1970-01-01.
    #[must_use]
    pub const fn from_seconds(seconds: i64) -> Self {
        Self { seconds, nanoseconds: 0 }
    }
}

/// Formats as RFC 3339 in UTC, with as many fractional digits as needed.
impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = civil_from_days(self.seconds.div_euclid(86_400));
        let second_of_day = self.seconds.rem_euclid(86_400);
        let (hour, minute, second) = (second_of_day / 3600, second_of_day / 60 % 60, second_of_day % 60);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")?;
        if self.nanoseconds != 0 {
            let digits = format!("{:09}", self.nanoseconds);
            write!(f, ".{}", digits.trim_end_matches('0'))?;
        }
        f.write_str("Z")
    }
}

/// Converts days since 1970-01-01 to year, month and day of the proleptic Gregorian calendar. The year is
/// counted from March, so that the leap day is its last day and the lengths of months follow one formula.
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

/// Extended attributes: raw names (with their namespace, such as `user.mime`) and raw values, in byte order
/// of the names. Equal ones may be shared.
pub type Xattrs = BTreeMap<Arc<[u8]>, Arc<[u8]>>;

/// The bytes of two pointers to bytes; the same on every target, so that limits are.
const PER_ATTRIBUTE: u64 = 32;

/// Names and values of extended attributes, each held once: those of SELinux are the same for most files.
#[derive(Debug, Default)]
pub(crate) struct SharedXattrs {
    texts: HashSet<Arc<[u8]>>,
    bytes: u64,
}

impl SharedXattrs {
    /// Replaces names and values by equal ones that are held already, and returns the bytes that all take.
    pub(crate) fn share(&mut self, xattrs: &mut Xattrs) -> u64 {
        let all = std::mem::take(xattrs).into_iter();
        // Collecting would compile a sort, which modules for wasm have to load.
        xattrs.extend(all.map(|(name, value)| (self.shared(name), self.shared(value))));
        self.bytes += xattrs.len() as u64 * PER_ATTRIBUTE;
        self.bytes
    }

    fn shared(&mut self, text: Arc<[u8]>) -> Arc<[u8]> {
        if let Some(shared) = self.texts.get(&text) {
            return shared.clone();
        }
        self.bytes += text.len() as u64;
        self.texts.insert(text.clone());
        text
    }
}

/// The attributes that every entry has.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[allow(clippy::exhaustive_structs, reason = "a plain value")]
pub struct Attrs {
    /// The low 12 bits of the mode (octal 7777): permissions, set-id and sticky bits. 0777 for symbolic
    /// links.
    pub mode: u32,
    /// User id of the owner.
    pub uid: u32,
    /// Group id of the owner.
    pub gid: u32,
    /// Time of the last change of the content.
    pub mtime: Time,
    /// Extended attributes.
    pub xattrs: Xattrs,
}

impl Attrs {
    /// Returns the attributes of a directory that a layer implies but does not list: 0755, owner 0:0, mtime
    /// 0. They are fixed, so that the result depends only on the layers; image-spec does not define them
    /// (docs/decisions.md).
    #[must_use]
    pub fn implied_dir() -> Self {
        Self { mode: 0o755, ..Self::default() }
    }
}
