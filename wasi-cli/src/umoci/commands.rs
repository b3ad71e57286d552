//! The commands of umoci, as commands of ours.

use std::{fs, process::ExitCode};

use ocicle::{graph::RefName, text::printable};

use super::{
    image::{Image, image, new_tag},
    options::{arguments, compress, history, layers, layout, make_parents, no_arguments, owners},
    problem::{Problem, failed, note},
    stat,
    syntax::Parsed,
};
use crate::{
    args::{Defaults, Edit, Follow, Format, Target},
    commands::{
        BundleFormat, Clear, Config, Gc, Init, Insert, New, Repack, Rm, Tag, Unpack,
        raw::{self, AddLayer, RuntimeConfig},
    },
    context::Context,
    output::print,
};

const CLEARABLE: [(&str, Clear); 7] = [
    ("config.labels", Clear::Labels),
    ("manifest.annotations", Clear::Annotations),
    ("config.exposedports", Clear::Ports),
    ("config.env", Clear::Env),
    ("config.volume", Clear::Volumes),
    ("config.cmd", Clear::Cmd),
    ("config.entrypoint", Clear::Entrypoint),
];

pub(super) fn init(context: &Context, parsed: &Parsed) -> Result<ExitCode, Problem> {
    no_arguments(parsed)?;
    let path = layout(parsed)?;
    if fs::symlink_metadata(&path).is_ok() {
        return failed(format!("image layout creation: path already exists: {path}"));
    }
    make_parents(&path)?;
    Ok(Init { path: path.into() }.run(context)?)
}

pub(super) fn new(context: &Context, parsed: &Parsed) -> Result<ExitCode, Problem> {
    no_arguments(parsed)?;
    let new = New { reference: image(parsed)?.reference(), platform: None, edit: Edit::default() };
    Ok(new.run(context)?)
}

pub(super) fn config(context: &Context, parsed: &Parsed) -> Result<ExitCode, Problem> {
    no_arguments(parsed)?;
    let image = image(parsed)?;
    let all = |option: &str| parsed.all(option).map(str::to_owned).collect::<Vec<_>>();
    let last = |option: &str| parsed.last(option).map(str::to_owned);
    let config = Config {
        reference: image.reference(),
        result: in_tag(parsed, &image)?,
        clear: parsed.all("clear").map(clear).collect::<Result<_, _>>()?,
        user: last("config.user"),
        workdir: last("config.workingdir"),
        entrypoint: all("config.entrypoint"),
        cmd: all("config.cmd"),
        env: pairs(parsed, "config.env")?,
        label: pairs(parsed, "config.label")?,
        annotation: pairs(parsed, "manifest.annotation")?,
        port: all("config.exposedports"),
        volume: all("config.volume"),
        stop_signal: last("config.stopsignal"),
        author: last("author"),
        created: last("created"),
        os: last("platform.os"),
        arch: last("platform.arch"),
        variant: last("platform.variant"),
        history: history(parsed, "umoci config")?,
        ..Config::default()
    };
    image.existing(context, "tag not found")?;
    Ok(config.run(context)?)
}

fn clear(key: &str) -> Result<Clear, Problem> {
    match CLEARABLE.iter().find(|(theirs, _)| *theirs == key) {
        Some((_, ours)) => Ok(*ours),
        None if key == "rootfs.diffids" => failed("--clear=rootfs.diffids is not safe"),
        None => failed(format!("unknown key to --clear: {key}")),
    }
}

fn pairs(parsed: &Parsed, option: &str) -> Result<Vec<String>, Problem> {
    let pairs = parsed.all(option).map(|pair| match pair.split_once('=') {
        Some((name, _)) if !name.is_empty() => Ok(pair.to_owned()),
        _ => failed(format!("{option}: must contain '=': {pair}")),
    });
    pairs.collect()
}

/// Returns the destination of an edit: `--tag`, or else the tag of the image.
fn in_tag(parsed: &Parsed, image: &Image) -> Result<Target, Problem> {
    Ok(Target { tag: Some(new_tag(parsed, image)?), ..Target::default() })
}

pub(super) fn unpack(context: &Context, parsed: &Parsed) -> Result<ExitCode, Problem> {
    let [bundle] = arguments(parsed, "invalid number of positional arguments: expected <bundle>")?;
    let image = image(parsed)?;
    image.existing(context, "tag is not found")?;
    make_parents(bundle)?;
    let unpack = Unpack {
        reference: Some(image.reference()),
        bundle: Some(bundle.into()),
        format: BundleFormat::Umoci,
        owners: owners(parsed)?,
        layers: layers(parsed),
        ..Unpack::default()
    };
    Ok(unpack.run(context)?)
}

pub(super) fn repack(context: &Context, parsed: &Parsed) -> Result<ExitCode, Problem> {
    let [bundle] = arguments(parsed, "invalid number of positional arguments: expected <bundle>")?;
    let repack = Repack {
        bundle: bundle.into(),
        reference: image(parsed)?.reference(),
        compress: compress(parsed)?,
        verify: false,
        mask_path: parsed.all("mask-path").map(str::to_owned).collect(),
        no_mask_volumes: parsed.is_on("no-mask-volumes"),
        refresh_bundle: parsed.is_on("refresh-bundle"),
        defaults: Defaults::default(),
        follow: Follow::default(),
        edit: Edit::default(),
        history: history(parsed, "umoci repack")?,
    };
    tell_no_history(context, parsed);
    Ok(repack.run(context)?)
}

pub(super) fn insert(context: &Context, parsed: &Parsed) -> Result<ExitCode, Problem> {
    let image = image(parsed)?;
    let mut insert = Insert {
        reference: image.reference(),
        opaque: parsed.is_on("opaque"),
        result: in_tag(parsed, &image)?,
        compress: compress(parsed)?,
        owners: owners(parsed)?,
        history: history(parsed, "umoci insert")?,
        ..Insert::default()
    };
    if parsed.any(&["whiteout"]) {
        let [target] = arguments(parsed, "invalid number of positional arguments: expected 1")?;
        if insert.opaque {
            return failed("--opaque and --whiteout may not be specified together");
        }
        insert.whiteout = Some(target.into());
    } else {
        let [source, target] = arguments(parsed, "invalid number of positional arguments: expected 2")?;
        // A file has no contents to hide; umoci ignores the option.
        insert.opaque &= fs::symlink_metadata(source).is_ok_and(|found| found.is_dir());
        (insert.source, insert.target) = (Some(source.into()), Some(target.into()));
    }
    image.existing(context, "tag not found")?;
    tell_no_history(context, parsed);
    Ok(insert.run(context)?)
}

pub(super) fn tag(context: &Context, parsed: &Parsed) -> Result<ExitCode, Problem> {
    let [name] = arguments(parsed, "invalid number of positional arguments: expected <new-tag>")?;
    if name.parse::<RefName>().is_err() {
        return failed("new tag is an invalid reference");
    }
    let image = image(parsed)?;
    image.any(context, "tag not found")?;
    let tag = Tag { reference: image.reference(), names: vec![name.into()], ..Tag::default() };
    Ok(tag.run(context)?)
}

/// Removes a tag. A missing tag is not a failure: scripts rely on that.
pub(super) fn remove(context: &Context, parsed: &Parsed) -> Result<ExitCode, Problem> {
    no_arguments(parsed)?;
    let image = image(parsed)?;
    match image.is_there(context)? {
        true => Ok(Rm { reference: image.reference(), edit: Edit::default() }.run(context)?),
        false => Ok(ExitCode::SUCCESS),
    }
}

pub(super) fn list(context: &Context, parsed: &Parsed) -> Result<ExitCode, Problem> {
    no_arguments(parsed)?;
    let root = context.open(&layout(parsed)?)?.repository.index()?;
    print(|out| {
        let mut tags = root.view().manifests.iter().filter_map(|entry| entry.ref_name());
        tags.try_for_each(|tag| writeln!(out, "{}", printable(tag)))
    })?;
    Ok(ExitCode::SUCCESS)
}

pub(super) fn stat(context: &Context, parsed: &Parsed) -> Result<ExitCode, Problem> {
    no_arguments(parsed)?;
    let (place, at) = image(parsed)?.existing(context, "tag not found")?;
    stat::print_image(context, &place, &at, parsed.is_on("json"))
}

pub(super) fn gc(context: &Context, parsed: &Parsed) -> Result<ExitCode, Problem> {
    no_arguments(parsed)?;
    let gc = Gc { reference: layout(parsed)?, format: Format::default(), edit: Edit::default() };
    Ok(gc.run(context)?)
}

pub(super) fn add_layer(context: &Context, parsed: &Parsed) -> Result<ExitCode, Problem> {
    let [archive] = arguments(parsed, "invalid number of positional arguments: expected <newlayer.tar>")?;
    let image = image(parsed)?;
    let add = AddLayer {
        reference: image.reference(),
        archive: archive.into(),
        result: in_tag(parsed, &image)?,
        compress: compress(parsed)?,
        edit: Edit::default(),
        history: history(parsed, "umoci raw add-layer")?,
    };
    image.existing(context, "tag not found")?;
    tell_no_history(context, parsed);
    Ok(add.run(context)?)
}

pub(super) fn raw_unpack(context: &Context, parsed: &Parsed) -> Result<ExitCode, Problem> {
    let [rootfs] = arguments(parsed, "invalid number of positional arguments: expected <rootfs>")?;
    let image = image(parsed)?;
    image.existing(context, "tag is not found")?;
    make_parents(rootfs)?;
    let unpack = raw::Unpack {
        reference: image.reference(),
        directory: rootfs.into(),
        owners: owners(parsed)?,
        layers: layers(parsed),
    };
    note(context, "unpacking rootfs ...");
    let done = unpack.run(context)?;
    note(context, "... done");
    note(context, &format!("unpacked image rootfs: {rootfs}"));
    Ok(done)
}

/// Warns as umoci does.
fn tell_no_history(context: &Context, parsed: &Parsed) {
    if parsed.is_on("no-history") {
        note(context, "new layer has no history entry -- this will confuse many tools!");
    }
}

pub(super) fn runtime_config(context: &Context, parsed: &Parsed) -> Result<ExitCode, Problem> {
    let [file] = arguments(parsed, "invalid number of positional arguments: expected <config.json>")?;
    let image = image(parsed)?;
    image.existing(context, "tag not found")?;
    let config = RuntimeConfig {
        reference: image.reference(),
        file: file.into(),
        rootfs: parsed.last("rootfs").map(Into::into),
        owners: owners(parsed)?,
    };
    Ok(config.run(context)?)
}
