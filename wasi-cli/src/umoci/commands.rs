//! Each command of umoci, said in our words.

use std::process::ExitCode;

use ocicle::{graph::RefName, limits::Limits, store::RootIndex as _};

use super::{
    Flag, Parsed, Problem, Volume,
    image::image,
    native,
    options::{
        COMPRESS, CONFIG, HISTORY, IMAGE, INSERT, KEEP_DIRLINKS, LAYOUT, NEW_TAG, REMAP, REPACK, arguments,
        compress, failed, history, layout, make_parents, new_tag, no_arguments, remap, switches, word,
    },
    print, stat, switch,
    syntax::parse,
    usage, validate, value,
};
use crate::{failure::Failure, place::Place};

/// umoci's options of `config`, and ours.
const SETTINGS: [(&str, &str); 15] = [
    ("config.user", "user"),
    ("config.workingdir", "workdir"),
    ("config.stopsignal", "stop-signal"),
    ("created", "created"),
    ("author", "author"),
    ("platform.os", "os"),
    ("platform.arch", "arch"),
    ("platform.variant", "variant"),
    ("config.exposedports", "port"),
    ("config.volume", "volume"),
    ("config.env", "env"),
    ("config.label", "label"),
    ("config.entrypoint", "entrypoint"),
    ("config.cmd", "cmd"),
    ("manifest.annotation", "annotation"),
];

/// Of these, only the last one given counts.
const SCALARS: usize = 8;

const CLEARABLE: [(&str, &str); 7] = [
    ("config.labels", "labels"),
    ("manifest.annotations", "annotations"),
    ("config.exposedports", "ports"),
    ("config.env", "env"),
    ("config.volume", "volumes"),
    ("config.cmd", "cmd"),
    ("config.entrypoint", "entrypoint"),
];

pub(super) fn run(command: &str, words: &[String], volume: Volume) -> Result<ExitCode, Problem> {
    let read = |flags: &[&[Flag]]| parse(words, flags);
    match command {
        "init" => init(&read(&[LAYOUT])?, volume),
        "new" => new(&read(&[IMAGE])?, volume),
        "config" => config(&read(&[IMAGE, NEW_TAG, CONFIG, HISTORY])?, volume),
        "unpack" => unpack(&read(&[IMAGE, KEEP_DIRLINKS, REMAP])?, volume),
        "repack" => repack(&read(&[IMAGE, REPACK, COMPRESS, HISTORY])?, volume),
        "insert" => insert(&read(&[IMAGE, NEW_TAG, INSERT, COMPRESS, REMAP, HISTORY])?, volume),
        "tag" => tag(&read(&[IMAGE])?, volume),
        "remove" | "rm" => remove(&read(&[IMAGE])?, volume),
        "list" | "ls" => list(&read(&[LAYOUT])?),
        "stat" => {
            let parsed = read(&[IMAGE, &[switch(&["json"])]])?;
            no_arguments(&parsed)?;
            let (place, at) = image(&parsed)?.existing("tag not found")?;
            stat::print_image(&place, &at, parsed.is_on("json"))
        }
        "gc" => {
            let parsed = read(&[LAYOUT])?;
            no_arguments(&parsed)?;
            native(vec!["gc".into(), layout(&parsed)?], volume)
        }
        "raw" => match words.split_first() {
            Some((command, words)) => raw(command, words, volume),
            None => Err(Problem::Help),
        },
        "help" | "h" => print(|out| {
            let command = words.first().map_or("", String::as_str);
            out.write_all(usage::of(command).as_bytes())
        })
        .map(|()| ExitCode::SUCCESS),
        _ => unknown(command),
    }
}

fn raw(command: &str, words: &[String], volume: Volume) -> Result<ExitCode, Problem> {
    let read = |flags: &[&[Flag]]| parse(words, flags);
    match command {
        "add-layer" => add_layer(&read(&[IMAGE, NEW_TAG, COMPRESS, HISTORY])?, volume),
        "unpack" => raw_unpack(&read(&[IMAGE, KEEP_DIRLINKS, REMAP])?, volume),
        "runtime-config" | "config" => runtime_config(&read(&[IMAGE, &[value(&["rootfs"])], REMAP])?, volume),
        "mtree-validate" => validate::run(&read(&[validate::FLAGS])?),
        "-h" | "--help" => Err(Problem::Help),
        _ => unknown(command),
    }
}

fn unknown(command: &str) -> Result<ExitCode, Problem> {
    eprintln!("No help topic for '{}'", ocicle::text::printable(command));
    Ok(ExitCode::from(3))
}

fn init(parsed: &Parsed, volume: Volume) -> Result<ExitCode, Problem> {
    no_arguments(parsed)?;
    let path = layout(parsed)?;
    if std::fs::symlink_metadata(&path).is_ok() {
        return failed(format!("image layout creation: path already exists: {path}"));
    }
    make_parents(&path)?;
    native(vec!["init".into(), path], volume)
}

fn new(parsed: &Parsed, volume: Volume) -> Result<ExitCode, Problem> {
    no_arguments(parsed)?;
    native(vec!["new".into(), image(parsed)?.reference()], volume)
}

fn config(parsed: &Parsed, volume: Volume) -> Result<ExitCode, Problem> {
    no_arguments(parsed)?;
    let image = image(parsed)?;
    let mut words = vec!["config".to_owned(), image.reference()];
    for key in parsed.all("clear") {
        match CLEARABLE.iter().find(|(theirs, _)| *theirs == key) {
            Some((_, ours)) => words.push(format!("--clear={ours}")),
            None if key == "rootfs.diffids" => return failed("--clear=rootfs.diffids is not safe"),
            None => return failed(format!("unknown key to --clear: {key}")),
        }
    }
    for (number, (theirs, ours)) in SETTINGS.into_iter().enumerate() {
        let values: Vec<&str> = match number {
            ..SCALARS => parsed.last(theirs).into_iter().collect(),
            _ => parsed.all(theirs).collect(),
        };
        for value in values {
            let pair = ["env", "label", "annotation"].contains(&ours);
            if pair && value.split_once('=').is_none_or(|(name, _)| name.is_empty()) {
                return failed(format!("{theirs}: must contain '=': {value}"));
            }
            words.push(format!("--{ours}={value}"));
        }
    }
    words.extend(history(parsed, "umoci config")?);
    words.push(format!("--tag={}", new_tag(parsed, &image)?));
    image.existing("tag not found")?;
    native(words, volume)
}

fn unpack(parsed: &Parsed, volume: Volume) -> Result<ExitCode, Problem> {
    let [bundle] = arguments(parsed, "invalid number of positional arguments: expected <bundle>")?;
    let image = image(parsed)?;
    image.existing("tag is not found")?;
    make_parents(bundle)?;
    let mut words = vec!["unpack".to_owned(), "--format=umoci".into(), image.reference(), word(bundle)];
    words.extend(switches(parsed, &["keep-dirlinks"]));
    words.extend(remap(parsed));
    native(words, volume)
}

fn repack(parsed: &Parsed, volume: Volume) -> Result<ExitCode, Problem> {
    let [bundle] = arguments(parsed, "invalid number of positional arguments: expected <bundle>")?;
    let mut words = vec!["repack".to_owned(), word(bundle), image(parsed)?.reference()];
    words.extend(parsed.all("mask-path").map(|path| format!("--mask-path={path}")));
    words.extend(switches(parsed, &["no-mask-volumes", "refresh-bundle"]));
    words.extend(compress(parsed)?);
    words.extend(history(parsed, "umoci repack")?);
    native(words, volume)
}

fn insert(parsed: &Parsed, volume: Volume) -> Result<ExitCode, Problem> {
    let image = image(parsed)?;
    let mut words = vec!["insert".to_owned(), image.reference()];
    if parsed.any(&["whiteout"]) {
        let [target] = arguments(parsed, "invalid number of positional arguments: expected 1")?;
        words.push(format!("--whiteout={target}"));
    } else {
        let [source, target] = arguments(parsed, "invalid number of positional arguments: expected 2")?;
        words.extend([word(source), word(target)]);
    }
    words.extend(switches(parsed, &["opaque"]));
    words.extend(compress(parsed)?);
    words.extend(remap(parsed));
    words.extend(history(parsed, "umoci insert")?);
    words.push(format!("--tag={}", new_tag(parsed, &image)?));
    image.existing("tag not found")?;
    native(words, volume)
}

fn tag(parsed: &Parsed, volume: Volume) -> Result<ExitCode, Problem> {
    let [name] = arguments(parsed, "invalid number of positional arguments: expected <new-tag>")?;
    if name.parse::<RefName>().is_err() {
        return failed("new tag is an invalid reference");
    }
    let image = image(parsed)?;
    image.any("tag not found")?;
    native(vec!["tag".into(), image.reference(), name.into()], volume)
}

/// A tag that is not there is no failure: scripts rely on it.
fn remove(parsed: &Parsed, volume: Volume) -> Result<ExitCode, Problem> {
    no_arguments(parsed)?;
    let image = image(parsed)?;
    match image.is_there()? {
        true => native(vec!["rm".into(), image.reference()], volume),
        false => Ok(ExitCode::SUCCESS),
    }
}

fn list(parsed: &Parsed) -> Result<ExitCode, Problem> {
    no_arguments(parsed)?;
    let place = Place::open(&layout(parsed)?, &Limits::default())?;
    let root = place.store.load().map_err(Failure::from)?;
    print(|out| {
        let mut tags = root.view().manifests.iter().filter_map(|entry| entry.ref_name());
        tags.try_for_each(|tag| writeln!(out, "{}", ocicle::text::printable(tag)))
    })?;
    Ok(ExitCode::SUCCESS)
}

fn add_layer(parsed: &Parsed, volume: Volume) -> Result<ExitCode, Problem> {
    let [archive] = arguments(parsed, "invalid number of positional arguments: expected <newlayer.tar>")?;
    let image = image(parsed)?;
    let mut words = vec!["raw".to_owned(), "add-layer".into(), image.reference(), word(archive)];
    words.extend(compress(parsed)?);
    words.extend(history(parsed, "umoci raw add-layer")?);
    words.push(format!("--tag={}", new_tag(parsed, &image)?));
    image.existing("tag not found")?;
    native(words, volume)
}

fn raw_unpack(parsed: &Parsed, volume: Volume) -> Result<ExitCode, Problem> {
    let [rootfs] = arguments(parsed, "invalid number of positional arguments: expected <rootfs>")?;
    let image = image(parsed)?;
    image.existing("tag is not found")?;
    make_parents(rootfs)?;
    let mut words = vec!["raw".to_owned(), "unpack".into(), image.reference(), word(rootfs)];
    words.extend(switches(parsed, &["keep-dirlinks"]));
    words.extend(remap(parsed));
    native(words, volume)
}

fn runtime_config(parsed: &Parsed, volume: Volume) -> Result<ExitCode, Problem> {
    let [file] = arguments(parsed, "invalid number of positional arguments: expected <config.json>")?;
    let image = image(parsed)?;
    image.existing("tag not found")?;
    let mut words = vec!["raw".to_owned(), "runtime-config".into(), image.reference(), word(file)];
    words.extend(parsed.last("rootfs").map(|rootfs| format!("--rootfs={rootfs}")));
    words.extend(remap(parsed));
    native(words, volume)
}
