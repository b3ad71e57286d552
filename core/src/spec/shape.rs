//! Deviations from serde's defaults: stricter about objects, more tolerant of `null`.

use serde::{Deserialize, Deserializer, de::Visitor};

/// Reads `null` as an empty list or map: Go writes `null` for a nil slice, so real images have it, even in
/// `manifests` and `diff_ids`.
pub(crate) fn null_is_empty<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
    deserializer: D,
) -> Result<T, D::Error> {
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// Accepts objects only: a derived struct can also be read from an array, field by field, which a document
/// must not. Each struct derives its reader under `remote = "Self"`, and is read through this.
pub(super) struct ObjectOnly<D>(pub(super) D);

impl<'de, D: Deserializer<'de>> Deserializer<'de> for ObjectOnly<D> {
    type Error = D::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.0.deserialize_map(visitor)
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit
        unit_struct newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

macro_rules! read_from_objects_only {
    ($($document:ty),+) => {$(
        impl<'de> serde::Deserialize<'de> for $document {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                <$document>::deserialize($crate::spec::shape::ObjectOnly(deserializer))
            }
        }

        impl serde::Serialize for $document {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                <$document>::serialize(self, serializer)
            }
        }
    )+};
}
pub(super) use read_from_objects_only;
