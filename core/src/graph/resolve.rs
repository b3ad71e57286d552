//! Resolving a selector to one object.
//!
//! Pure and non-interactive: all places, in document order, are kept that match the steps in order. Nothing
//! is guessed; if several objects are left, the error lists them as candidates.

use std::{collections::BTreeSet, fmt};

use super::{
    clause::{clause_holds, value},
    progress::Progress,
    resolution::{Hop, Resolution},
    selector::{Clause, Selector, Step, kind_of},
    walk::{Place, Places},
};
use crate::{
    digest::Digest,
    error::{Error, Result},
    spec::{Descriptor, Index, Platform, Raw},
    store::{BlobRead, Repository, RootIndex},
    text::printable,
};

/// The kind of object that is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "one thing or anything")]
pub enum Want {
    /// Any object.
    Any,
    /// The manifest of an image: if the selector selects an index, the images below it are candidates.
    Image,
}

/// The reason why a selector does not select exactly one object.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ResolveError {
    /// Nothing matches.
    #[error("{}", not_found(.looked_for, .there, .instead))]
    NotFound {
        /// The clause that nothing matched, and its selector.
        looked_for: String,
        /// The values that would have matched.
        there: Vec<String>,
        /// The selector of an object that fits, if the last step was meant for it and not for what is below.
        instead: Option<Selector>,
    },
    /// No selector was given, there is more than one entry or none, and none is tagged `latest`.
    #[error("{}", no_default(.there))]
    NoDefault {
        /// The tags in the store; positions for entries without one.
        there: Vec<String>,
    },
    /// Several objects match.
    #[error("{}", ambiguous(.candidates))]
    Ambiguous {
        /// All of them.
        candidates: Vec<Candidate>,
    },
    /// The store could not be read.
    #[error(transparent)]
    Other(#[from] Error),
}

impl From<ResolveError> for Error {
    /// [`Error::NotFound`], but for [`ResolveError::Other`].
    fn from(error: ResolveError) -> Self {
        match error {
            ResolveError::Other(error) => error,
            other => Self::NotFound(other.to_string()),
        }
    }
}

/// One of several objects that a selector could mean.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Candidate {
    /// The shortest selector that selects only this object, as the store is now.
    pub selector: Selector,
    /// Its descriptor.
    pub descriptor: Descriptor,
    /// Its platform, if it can be determined.
    pub platform: Option<Platform>,
    /// Whether the store has it.
    pub present: bool,
}

impl<S: BlobRead + RootIndex> Repository<S> {
    /// Finds the one object that a selector selects.
    ///
    /// The same object at several places is one object; the resolution names the first place and counts the
    /// others. Where images are wanted, those that the store lacks do not count beside others: an index may
    /// list platforms that were not copied.
    ///
    /// # Errors
    /// [`ResolveError::NotFound`], [`ResolveError::Ambiguous`], [`ResolveError::NoDefault`];
    /// [`Error::Document`] and other errors of reading the indexes along the path.
    pub fn resolve(&self, selector: &Selector, want: Want) -> Result<Resolution, ResolveError> {
        self.resolve_in(&self.index()?, selector, want)
    }

    /// Finds every place that a selector selects, in document order. One object may be at several.
    ///
    /// # Errors
    /// Those of [`Repository::resolve`], except for ambiguity.
    pub fn resolve_all(&self, selector: &Selector, want: Want) -> Result<Vec<Resolution>, ResolveError> {
        self.resolve_all_in(&self.index()?, selector, want)
    }
}

impl<S: BlobRead> Repository<S> {
    /// Finds all places as [`Repository::resolve_all`] does, below a root index that was read before.
    pub(super) fn resolve_all_in(
        &self,
        root: &Raw<Index>,
        selector: &Selector,
        want: Want,
    ) -> Result<Vec<Resolution>, ResolveError> {
        let selector = &or_default(selector, root)?;
        let mut places = Places::walk_for(self, root, selector)?;
        let found = matches(&places, selector, want);
        if found.is_empty() {
            return Err(explain(&mut places, selector, want));
        }
        Ok(found.into_iter().map(|place| resolution(&places, place, 1)).collect())
    }

    /// Resolves as [`Repository::resolve`] does, below a root index that was read before: inside
    /// [`RootIndexExt::update`], for example.
    ///
    /// # Errors
    /// Those of [`Repository::resolve`].
    ///
    /// [`RootIndexExt::update`]: crate::store::RootIndexExt::update
    pub fn resolve_in(
        &self,
        root: &Raw<Index>,
        selector: &Selector,
        want: Want,
    ) -> Result<Resolution, ResolveError> {
        let selector = &or_default(selector, root)?;
        let mut places = Places::walk_for(self, root, selector)?;
        let mut found = matches(&places, selector, want);
        prefer_present(&places, &mut found, want)?;
        let Some(&first) = found.first() else { return Err(explain(&mut places, selector, want)) };
        let digest = |place: usize| &places.get(place).descriptor.digest;
        if found.iter().all(|&place| digest(place) == digest(first)) {
            return Ok(resolution(&places, first, found.len()));
        }
        // Short selectors have to be unique in the whole store.
        let all = Places::walk(self, root)?;
        let mut known = BTreeSet::new();
        let mut found = matches(&all, selector, want);
        prefer_present(&all, &mut found, want)?;
        found.retain(|&place| known.insert(&all.get(place).descriptor.digest));
        let candidate = |&place: &usize| {
            Ok(Candidate {
                selector: match found.len() {
                    ..=SEARCHED => shortest(&all, place, want),
                    _ => resolution(&all, place, 1).selector(),
                },
                descriptor: all.get(place).descriptor.clone(),
                platform: all.platform(place).cloned(),
                present: all.is_present(place)?,
            })
        };
        Err(ResolveError::Ambiguous { candidates: found.iter().map(candidate).collect::<Result<_>>()? })
    }
}

/// The most objects that a message lists.
const SHOWN: usize = 20;

/// The number of candidates up to which the shortest selectors are searched. The search takes time that grows
/// with the square of the number of candidates; past this, their exact paths are listed.
const SEARCHED: usize = 256;

/// Returns the selector itself, or the default for an empty one.
pub(super) fn or_default(selector: &Selector, root: &Raw<Index>) -> Result<Selector, ResolveError> {
    if !selector.is_empty() {
        return Ok(selector.clone());
    }
    let entries = &root.view().manifests;
    let clause = match &entries[..] {
        [] => return Err(ResolveError::NoDefault { there: Vec::new() }),
        [_] => Clause::Position(0),
        _ if entries.iter().any(|entry| entry.ref_name() == Some("latest")) => Clause::Tag("latest".into()),
        _ => {
            let mut there = There::default();
            for (position, entry) in entries.iter().enumerate() {
                let tag = entry.tag().map(|tag| Clause::Tag(tag.into()));
                let clause = tag.unwrap_or(Clause::Position(position));
                there.extend(Some(format!("#{}", Selector::of(clause))));
            }
            return Err(ResolveError::NoDefault { there: there.values });
        }
    };
    Ok(Selector::of(clause))
}

/// Leaves out images that the store lacks, if it has others.
fn prefer_present<S: BlobRead>(places: &Places<'_, S>, found: &mut Vec<usize>, want: Want) -> Result<()> {
    if want == Want::Image && found.len() > 1 {
        let present = found.iter().map(|&place| places.is_present(place)).collect::<Result<Vec<_>>>()?;
        if present.contains(&true) {
            let mut present = present.into_iter();
            found.retain(|_| present.next() == Some(true));
        }
    }
    Ok(())
}

pub(super) fn resolution<S: BlobRead>(places: &Places<'_, S>, place: usize, count: usize) -> Resolution {
    let hop = |&place: &usize| {
        let place = places.get(place);
        Hop { index: place.index.clone(), position: place.position, descriptor: place.descriptor.clone() }
    };
    Resolution::new(places.way(place).iter().map(hop).collect(), count)
}

/// Returns the places that a selector selects.
pub(super) fn matches<S: BlobRead>(places: &Places<'_, S>, selector: &Selector, want: Want) -> Vec<usize> {
    let progress = Progress::new(places, selector);
    let steps = selector.steps().len();
    let hit = |&place: &usize| match want {
        Want::Any => progress.hits(place),
        // At the last step or below it.
        Want::Image => progress.reached(place) == Some(steps) && places.is_image(place),
    };
    places.ids().filter(hit).collect()
}

/// Finds the clause that nothing matched, and the values that were there.
fn explain<S: BlobRead>(places: &mut Places<'_, S>, selector: &Selector, want: Want) -> ResolveError {
    let progress = Progress::new(places, selector);
    let steps = selector.steps();
    let reached = places.ids().filter_map(|place| progress.reached(place)).max().unwrap_or(0);
    if let Some(error) = places.take_damage(|place| progress.reached(place) == Some(reached)) {
        return error.into();
    }
    let places = &*places;
    let mut there = There::default();
    let Some(step) = steps.get(reached) else {
        for place in places.ids().filter(|&place| progress.reached(place) == Some(reached)) {
            there.missing(places.get(place));
        }
        let what = match want {
            Want::Any => format!("#{selector}"),
            Want::Image => format!("an image at or below #{selector}"),
        };
        return ResolveError::NotFound { looked_for: what, there: there.values, instead: None };
    };
    let mut left: Vec<usize> =
        places.ids().filter(|&place| progress.tested(places, place, reached, step)).collect();
    let failed = step.iter().find(|clause| {
        let held: Vec<usize> =
            left.iter().copied().filter(|&place| clause_holds(places, place, clause)).collect();
        let failed = held.is_empty();
        if !failed {
            left = held;
        }
        failed
    });
    if let Some(clause) = failed {
        left.iter().for_each(|&place| there.extend(value(places, place, clause)));
    }
    for place in places.ids().filter(|&place| progress.reached(place) == Some(reached)) {
        there.missing(places.get(place));
    }
    let shown = failed.map_or_else(String::new, |clause| Selector::of(clause.clone()).to_string());
    let looked_for = format!("{shown:?} of #{selector}");
    ResolveError::NotFound {
        looked_for,
        there: there.values,
        instead: joined(places, selector, reached, want),
    }
}

/// Returns the selector with a step joined to the one before, if that selects one object: `//` means below,
/// so `v1//platform=…` does not select an image that is itself tagged `v1`. A position is always one below.
fn joined<S: BlobRead>(
    places: &Places<'_, S>,
    selector: &Selector,
    step: usize,
    want: Want,
) -> Option<Selector> {
    let mut steps = selector.steps().to_vec();
    let below = (step > 0 && step < steps.len()).then(|| steps.remove(step))?;
    if below.iter().any(|clause| matches!(clause, Clause::Position(_))) {
        return None;
    }
    steps.get_mut(step - 1)?.extend(below);
    let joined = Selector::new(steps)?;
    let found = matches(places, &joined, want);
    let mut digests = found.iter().map(|&place| &places.get(place).descriptor.digest);
    let first = digests.next()?;
    digests.all(|digest| digest == first).then_some(joined)
}

/// The distinct values that were found instead.
#[derive(Default)]
struct There {
    values: Vec<String>,
    known: BTreeSet<String>,
}

impl There {
    fn extend(&mut self, value: Option<String>) {
        if let Some(value) = value
            && self.known.insert(value.clone())
        {
            self.values.push(value);
        }
    }

    /// Notes an index that the store lacks: anything could be below it.
    fn missing(&mut self, place: &Place) {
        let problem = place.problem.as_ref();
        self.extend(problem.map(|_| format!("index {} (not in the store)", place.descriptor.digest)));
    }
}

/// Returns the shortest selector that selects only the object at a place. The exact path of the place always
/// does.
pub(super) fn shortest<S: BlobRead>(places: &Places<'_, S>, place: usize, want: Want) -> Selector {
    let digest = &places.get(place).descriptor.digest;
    let way = places.way(place);
    let tag =
        way.first().and_then(|&root| places.get(root).descriptor.tag()).map(|tag| Clause::Tag(tag.into()));
    // An index may name a platform that reads as something else.
    let readable = |platform: &&Platform| {
        platform.to_string().parse().is_ok_and(|read: Platform| read.normalized() == platform.normalized())
    };
    let platform = places.platform(place).filter(readable).cloned().map(Clause::Platform);
    let short = Clause::Digest(format!("{}:{}", digest.algorithm_name(), prefix(digest, 12)));
    let mut options: Vec<Vec<Step>> = Vec::new();
    if let Some(tag) = &tag {
        options.push(vec![vec![tag.clone()]]);
    }
    if let Some(platform) = &platform {
        options.push(vec![vec![platform.clone()]]);
        if let Some(tag) = &tag {
            options.push(match way.len() {
                1 => vec![vec![tag.clone(), platform.clone()]],
                _ => vec![vec![tag.clone()], vec![platform.clone()]],
            });
        }
    }
    options.push(vec![vec![short]]);
    options.push(vec![vec![Clause::Digest(digest.to_string())]]);
    let unique = options.into_iter().filter_map(Selector::new).filter(|selector| {
        let found = matches(places, selector, want);
        !found.is_empty() && found.iter().all(|&found| places.get(found).descriptor.digest == *digest)
    });
    let exact = resolution(places, place, 1).selector();
    unique.min_by_key(|selector| selector.to_string().len()).unwrap_or(exact)
}

fn prefix(digest: &Digest, length: usize) -> &str {
    let encoded = digest.encoded();
    encoded.get(..length).unwrap_or(encoded)
}

fn no_default(there: &[String]) -> String {
    if there.is_empty() {
        return "the store is empty".into();
    }
    format!("expected a selector, since no image is tagged latest: there is {}", some_of(there))
}

fn not_found(looked_for: &str, there: &[String], instead: &Option<Selector>) -> String {
    let mut text = format!("nothing matches {looked_for}");
    if !there.is_empty() {
        text.push_str(&format!("; there is {}", some_of(there)));
    }
    if let Some(instead) = instead {
        text.push_str(&format!("\nhint: `//` means below; the object itself is #{instead}"));
    }
    text
}

fn some_of(there: &[String]) -> String {
    let more = if there.len() > SHOWN { format!(" and {} more", there.len() - SHOWN) } else { String::new() };
    let shown = &there[..there.len().min(SHOWN)];
    format!("{}{more}", shown.join(", "))
}

fn ambiguous(candidates: &[Candidate]) -> String {
    let mut text = format!("ambiguous: {} objects match; one of these means one alone:", candidates.len());
    for candidate in candidates.iter().take(SHOWN) {
        text.push_str(&format!("\n  {candidate}"));
    }
    if candidates.len() > SHOWN {
        text.push_str(&format!("\n  and {} more", candidates.len() - SHOWN));
    }
    text
}

/// `#SELECTOR`, then a description.
impl fmt::Display for Candidate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Descriptor { media_type, digest, .. } = &self.descriptor;
        let platform =
            self.platform.as_ref().map_or_else(|| "-".into(), |platform| printable(&platform.to_string()));
        write!(f, "#{}  {}  {platform}  {digest}", self.selector, kind_of(media_type))?;
        f.write_str(if self.present { "" } else { "  (not in the store)" })
    }
}

#[cfg(test)]
mod model;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
