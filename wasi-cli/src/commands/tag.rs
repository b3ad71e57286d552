//! `tag` and `platform`: trees for every day.

use std::path::PathBuf;

use ocicle::{
    Error,
    graph::{
        RefName,
        annotate::set_platform,
        copy::{Plan, What},
        describe::{Description, Node, Root, merge, place as place_roots},
        resolve::Want,
        rewrite,
    },
    image::{
        Image,
        config::{ConfigEdit, Text, edit_config},
    },
    limits::Limits,
    spec::{Descriptor, Index, Platform, REF_NAME, Raw},
    store::{BlobReadExt as _, RootIndex as _, RootIndexExt as _},
};

use super::tree;
use crate::{
    args::{Args, PlatformArgs, Tag},
    dry_run::DryRun,
    failure::Failure,
    output,
    place::Place,
};

pub(super) fn tag(wanted: &Tag, limits: &Limits) -> Result<(), Failure> {
    let place = Place::open(&wanted.reference, limits)?;
    match (&wanted.names[..], wanted.merge, wanted.split) {
        (names, true, _) => merge_images(&place, names, wanted, limits),
        (names @ ([] | [_]), _, true) => {
            let pattern = names.first().map_or("{tag}-{os}-{architecture}-{variant}", String::as_str);
            split(&place, pattern, wanted.edit.dry_run, limits)
        }
        ([name], ..) => one(&place, name, wanted, limits),
        _ => Err(Failure::usage("expected one name; --merge takes several objects")),
    }
}

fn one(place: &Place, name: &str, wanted: &Tag, limits: &Limits) -> Result<(), Failure> {
    let name: RefName = name.parse()?;
    let mut tagged = None;
    let mut with = |root: &Raw<Index>| {
        let at = place.resolve_in(root, Want::Any, limits)?;
        let index = rewrite::tag(root, &at, &name, wanted.only)?;
        let of = if wanted.only { at.target() } else { &at.root().descriptor };
        tagged = Some(of.digest.clone());
        Ok::<_, Failure>(index)
    };
    match wanted.edit.dry_run {
        true => with(&place.store.load()?).map(drop)?,
        false => place.store.update(with).map(drop)?,
    }
    tagged.map_or(Ok(()), |digest| output::print(|out| writeln!(out, "{digest}")))
}

/// The last of `names` is the tag, the others are objects.
fn merge_images(place: &Place, names: &[String], wanted: &Tag, limits: &Limits) -> Result<(), Failure> {
    let Some((name, others)) = names.split_last().filter(|(_, others)| !others.is_empty()) else {
        return Err(Failure::usage("--merge needs two objects or more, and a tag: tag --merge REF REF NAME"));
    };
    let name: RefName = name.parse()?;
    let mut targets = vec![place.resolve(Want::Any, limits)?.target().clone()];
    for reference in others {
        let other = Place::open(reference, limits)?;
        let at = other.resolve(Want::Any, limits)?;
        // What is there already is not copied.
        Plan::new(&other.store, What::Object(&at), limits)?.copy_blobs(&other.store, &place.store)?;
        targets.push(at.target().clone());
    }
    let index = merge(&place.store, &targets, wanted.replace, limits)?;
    let root = Node { tag: Some(name.to_string()), index: Some(index), ..Node::default() };
    let description = Description { root: vec![root] };
    let hint = |failure: Failure| match failure.message().contains("duplicates = ") {
        true => failure.and("; or --replace the first"),
        false => failure,
    };
    if wanted.edit.dry_run {
        let format = crate::args::Format::default();
        return tree::dry_apply(&place.store, &description, PathBuf::new(), &format, limits).map_err(hint);
    }
    let roots = tree::apply(&place.store, &description, PathBuf::new(), limits).map_err(hint)?;
    tree::print_roots(&roots)
}

fn split(place: &Place, pattern: &str, dry_run: bool, limits: &Limits) -> Result<(), Failure> {
    let mut made = Vec::new();
    let mut with = |root: &Raw<Index>| {
        let at = place.resolve_in(root, Want::Any, limits)?;
        let target = at.target();
        if !target.media_type.is_index() {
            return Err(Failure::failed(format!("{} is no index: there is nothing to split", target.digest)));
        }
        let tag = at.tag().unwrap_or_default();
        let index: Raw<Index> = place.store.document(target, limits)?;
        made = roots_of(index.view(), tag, pattern)?;
        Ok(place_roots(root, &made)?)
    };
    match dry_run {
        true => with(&place.store.load()?).map(drop)?,
        false => place.store.update(with).map(drop)?,
    }
    tree::print_roots(&made)
}

/// A tag for each entry that says what it runs on; attestations say nothing.
fn roots_of(index: &Index, tag: &str, pattern: &str) -> Result<Vec<Root>, Failure> {
    let mut roots: Vec<Root> = Vec::new();
    for entry in &index.manifests {
        let Some(platform) = entry.platform.as_ref().filter(|platform| platform.os != "unknown") else {
            continue;
        };
        let name = named(pattern, tag, platform);
        let name: RefName = name.trim_matches('-').parse()?;
        if let Some(other) = roots.iter().find(|root| root.tag.as_ref() == Some(&name)) {
            return Err(Failure::failed(format!(
                "{} and {} would both be {name}: say a pattern with {{tag}}, {{os}}, {{architecture}} and {{variant}}",
                other.descriptor.digest, entry.digest
            )));
        }
        let mut descriptor: Descriptor = entry.clone();
        descriptor.annotations.remove(REF_NAME);
        roots.push(Root { tag: Some(name), descriptor });
    }
    match roots.is_empty() {
        true => Err(Failure::failed("no entry of the index says what it runs on")),
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

pub(super) fn platform(args: &Args, wanted: &PlatformArgs, limits: &Limits) -> Result<(), Failure> {
    let place = Place::open(&wanted.reference, limits)?;
    let to = wanted.result.destination();
    let said: Option<Platform> = match &wanted.platform {
        Some(text) => Some(text.parse().map_err(|error| Failure::usage(format!("{error}")))?),
        None => None,
    };
    if let (Some(platform), true) = (&said, wanted.config) {
        let edits = edits(platform);
        if wanted.edit.dry_run {
            let image = Image::open(&place.store, place.resolve(Want::Image, limits)?.target(), limits)?;
            edit_config(&DryRun(&place.store), &image, &edits, None)?;
            return Ok(());
        }
        let done = place.edit_image(&to, limits, |image| {
            let mut image = edit_config(&place.store, image, &edits, None)?;
            // Whatever it said before.
            if image.descriptor.platform.is_some() {
                image.descriptor.platform = Some(platform.clone());
            }
            Ok(image)
        })?;
        return output::replaced(args, &done.resolution.target().digest, &done.referrers, &to);
    }
    let mut digest = None;
    let mut with = |root: &Raw<Index>| {
        let at = place.resolve_in(root, Want::Image, limits)?;
        let platform = match &said {
            Some(platform) => platform.clone(),
            None => Image::open(&place.store, at.target(), limits)?.config.view().platform(),
        };
        digest = Some(at.target().digest.clone());
        let done = match wanted.edit.dry_run {
            true => set_platform(&DryRun(&place.store), root, &at, &platform, &to, limits),
            false => set_platform(&place.store, root, &at, &platform, &to, limits),
        };
        Ok::<_, Failure>(done?.root)
    };
    match wanted.edit.dry_run {
        true => with(&place.store.load()?).map(drop)?,
        false => place.store.update(with).map(drop)?,
    }
    let digest = digest.ok_or_else(|| Error::NotFound("nothing was edited".into()))?;
    output::print(|out| writeln!(out, "{digest}"))
}

fn edits(platform: &Platform) -> Vec<ConfigEdit> {
    let variant = platform.variant.clone().unwrap_or_default();
    let mut edits = vec![
        ConfigEdit::Set(Text::Os, platform.os.clone()),
        ConfigEdit::Set(Text::Architecture, platform.architecture.clone()),
        ConfigEdit::Set(Text::Variant, variant),
    ];
    edits.extend(platform.os_version.iter().map(|version| ConfigEdit::Set(Text::OsVersion, version.clone())));
    edits
}
