//! Whether a clause of a selector holds for a place.

use super::{
    selector::{Clause, Selector, kind_of},
    walk::{Place, Places},
};
use crate::store::BlobRead;

/// Returns whether a clause holds for the object at a place.
pub(super) fn clause_holds<S: BlobRead>(places: &Places<'_, S>, place: usize, clause: &Clause) -> bool {
    let Place { parent, descriptor, position, .. } = places.get(place);
    match clause {
        Clause::Tag(tag) => parent.is_none() && descriptor.has_tag(tag),
        Clause::Platform(wanted) => places.platform(place).is_some_and(|actual| actual.matches(wanted)),
        Clause::Digest(prefix) => descriptor.digest.as_str().starts_with(prefix),
        Clause::Position(wanted) => wanted == position,
        Clause::Type(kind) => {
            kind_of(&descriptor.media_type) == kind || descriptor.media_type.as_str() == kind
        }
        Clause::Artifact(wanted) => places.artifact_type(place).as_ref() == Some(wanted),
        Clause::Annotation(key, value) => descriptor.annotations.get(key) == Some(value),
    }
}

/// Returns the value that a place has for the key of a clause, for messages.
pub(super) fn value<S: BlobRead>(places: &Places<'_, S>, place: usize, clause: &Clause) -> Option<String> {
    let Place { parent, descriptor, position, .. } = places.get(place);
    let clause = match clause {
        Clause::Tag(_) if parent.is_some() => return None,
        Clause::Tag(_) => {
            return Some(format!("#{}", Selector::of(Clause::Tag(descriptor.tag()?.into()))));
        }
        Clause::Platform(_) => Clause::Platform(places.platform(place)?.clone()),
        Clause::Digest(_) => Clause::Digest(descriptor.digest.to_string()),
        Clause::Position(_) => Clause::Position(*position),
        Clause::Type(_) => Clause::Type(kind_of(&descriptor.media_type).into()),
        Clause::Artifact(_) => Clause::Artifact(places.artifact_type(place)?),
        Clause::Annotation(key, _) => {
            Clause::Annotation(key.clone(), descriptor.annotations.get(key)?.clone())
        }
    };
    Some(clause.to_string())
}
