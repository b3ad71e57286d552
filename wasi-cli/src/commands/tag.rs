//! `tag`.

use std::{collections::HashMap, path::Path, process::ExitCode};

use clap::Args;
use ocicle::{
    graph::{
        RefName,
        copy::{Plan, What},
        describe::{Description, Merged, Node, Root, SamePlatform, add_roots, merge},
        resolve::Want,
        rewrite::{self, Tagged},
    },
    spec::{Index, Platform, Raw},
    store::{RootIndexExt as _, memory::MemoryStore},
    text::printable,
};

use super::tree::apply;
use crate::{
    args::{Edit, Format},
    context::Context,
    failure::Failure,
    place::Place,
};

/// Tag an object; merge images into one index, or split an index into one tag per image.
#[derive(Debug, Default, Args)]
#[command(after_help = "Examples:\n  ocicle tag images#v1 latest\n  \
    ocicle tag images#v1//platform=linux/arm64 v1-arm64 --only\n  \
    ocicle tag --merge images#v1-amd64 other#v1-arm64 v1\n  ocicle tag --split images#v1")]
pub(crate) struct Tag {
    /// The object; with `--merge`, the first of several.
    #[arg(value_name = "REF")]
    pub(crate) reference: String,
    /// The new tag; if it exists, it is moved. With `--merge`: further objects, then the tag. With `--split`:
    /// a pattern, by default `{tag}-{os}-{architecture}-{variant}`.
    #[arg(value_name = "NAME", required_unless_present = "split")]
    pub(crate) names: Vec<String>,
    /// Tag the object itself, not the tree that contains it.
    #[arg(long, conflicts_with_all = ["merge", "split"])]
    pub(crate) only: bool,
    /// Tag a new index of the given images and of the entries of the given indexes.
    #[arg(long, conflicts_with = "split")]
    pub(crate) merge: bool,
    /// Keep the last of equal platforms.
    #[arg(long, requires = "merge")]
    pub(crate) replace: bool,
    /// Tag each image of an index separately.
    #[arg(long)]
    pub(crate) split: bool,
    #[command(flatten)]
    pub(crate) edit: Edit,
}

impl Tag {
    pub(crate) fn run(&self, context: &Context) -> Result<ExitCode, Failure> {
        let place = context.open_to_edit(&self.reference, &self.edit)?;
        match (&self.names[..], self.merge, self.split) {
            (names, true, _) => self.merge(context, &place, names)?,
            (names @ ([] | [_]), _, true) => {
                let pattern = names.first().map_or("{tag}-{os}-{architecture}-{variant}", String::as_str);
                self.split(context, &place, pattern)?;
            }
            ([name], ..) => self.tag(context, &place, name)?,
            _ => return Err(Failure::usage("expected one tag").hint("--merge takes several objects")),
        }
        Ok(ExitCode::SUCCESS)
    }

    fn tag(&self, context: &Context, place: &Place, name: &str) -> Result<(), Failure> {
        let name: RefName = name.parse()?;
        let mut tagged = None;
        self.change(place, |root| {
            let at = place.resolve_in(root, Want::Any)?;
            let what = if self.only { Tagged::Object } else { Tagged::Entry };
            let index = rewrite::tag(root, &at, &name, what)?;
            let of = if self.only { at.target() } else { &at.root().descriptor };
            tagged = Some(of.digest.clone());
            Ok(index)
        })?;
        context.print_lines(tagged)
    }

    /// Merges objects. The last of `names` is the tag, the others are objects.
    fn merge(&self, context: &Context, place: &Place, names: &[String]) -> Result<(), Failure> {
        let Some((name, others)) = names.split_last().filter(|(_, others)| !others.is_empty()) else {
            return Err(Failure::usage("expected two objects or more and a tag: tag --merge REF REF NAME"));
        };
        let name: RefName = name.parse()?;
        let scratch = place.repository.with_upper(MemoryStore::new()?);
        let mut targets = vec![place.resolve(Want::Any)?.target().clone()];
        for reference in others {
            let other = context.open_itself(reference)?;
            let at = other.resolve(Want::Any)?;
            let plan = Plan::new(&other.repository, What::Object(&at))?;
            // Existing blobs are not copied.
            match self.edit.dry_run {
                true => plan.documents().copy_blobs(&other.repository, &scratch)?,
                false => plan.copy_blobs(&other.repository, &place.repository)?,
            };
            targets.push(at.target().clone());
        }
        let same = if self.replace { SamePlatform::KeepLast } else { SamePlatform::Refuse };
        let Merged { index, contradicted, .. } = merge(&scratch, &targets, same)?;
        for (name, value) in contradicted {
            let kept = index.annotations.get(&name).map_or("", String::as_str);
            let [name, kept, value] = [&name, kept, &value].map(printable);
            context
                .warn(format_args!("annotation {name}: keeping {kept:?} of an index before, not {value:?}"));
        }
        let root = Node { tag: Some(name.to_string()), index: Some(index), ..Node::default() };
        let description = Description { root: vec![root] };
        let base = Path::new("");
        let done = if self.edit.dry_run {
            apply::dry_apply(context, place, &scratch, &description, base)
                .and_then(|changes| context.report(&changes, &Format::default()))
        } else {
            apply::apply(context, place, &description, base)
                .and_then(|roots| apply::print_roots(context, &roots))
        };
        done.map_err(|failure| match failure.message().contains("duplicates = ") {
            true => failure.hint("--replace keeps the last of equal platforms"),
            false => failure,
        })
    }

    fn split(&self, context: &Context, place: &Place, pattern: &str) -> Result<(), Failure> {
        let mut made = Vec::new();
        self.change(place, |root| {
            let at = place.resolve_in(root, Want::Any)?;
            let target = at.target();
            if !target.media_type.is_index() {
                return Err(Failure::failed(format!("cannot split {}: not an index", target.digest)));
            }
            let tag = at.tag().unwrap_or_default();
            let index: Raw<Index> = place.repository.document(target)?;
            made = roots_of(index.view(), tag, pattern)?;
            Ok(add_roots(root, &made)?)
        })?;
        apply::print_roots(context, &made)
    }

    /// Changes the root index. With `--dry-run`, only checks that it would succeed.
    fn change(
        &self,
        place: &Place,
        mut with: impl FnMut(&Raw<Index>) -> Result<Raw<Index>, Failure>,
    ) -> Result<(), Failure> {
        match self.edit.dry_run {
            true => with(&place.repository.index()?).map(drop),
            false => place.repository.store().update(with).map(drop),
        }
    }
}

/// Returns a tagged entry for each entry with a platform. Attestations have none.
fn roots_of(index: &Index, tag: &str, pattern: &str) -> Result<Vec<Root>, Failure> {
    let (mut roots, mut names) = (Vec::new(), HashMap::new());
    for entry in &index.manifests {
        let Some(platform) = entry.platform.as_ref().filter(|platform| platform.os != "unknown") else {
            continue;
        };
        let name = named(pattern, tag, platform);
        let name: RefName = name.trim_matches('-').parse()?;
        if let Some(other) = names.insert(name.clone(), &entry.digest) {
            return Err(Failure::failed(format!("{other} and {} would both be tagged {name}", entry.digest))
                .hint("use a pattern with {tag}, {os}, {architecture} and {variant}"));
        }
        roots.push(Root { tag: Some(name), descriptor: entry.clone().without_names() });
    }
    match roots.is_empty() {
        true => Err(Failure::failed("cannot split the index: no entry has a platform")),
        false => Ok(roots),
    }
}

fn named(pattern: &str, tag: &str, platform: &Platform) -> String {
    pattern
        .replace("{tag}", tag)
        .replace("{os}", &platform.os)
        .replace("{architecture}", &platform.architecture)
        .replace("{variant}", platform.variant.as_deref().unwrap_or_default())
}
