//! `cargo xtask bench`: compares ocicle with umoci, bsdtar, GNU tar and skopeo on the same data, one after
//! the other.
//!
//! What is measured is wall time, CPU time and peak memory of whole programs, as GNU time reports them.
//! Between runs the results are removed, outside the measured time.

mod data;
mod measure;
mod peers;
mod record;
mod registry;
mod table;
mod wasi;

use std::{
    fs,
    path::{Path, PathBuf},
};

pub(crate) use self::wasi::wasi;
use self::{data::Image, measure::Bench, peers::Peers, table::Table};
use crate::{
    cargo::cargo,
    paths,
    run::{Result, at, run},
    tools,
};

/// Measures the images that are named among the arguments; all of them if none is named. `--peer NAME=PATH`
/// takes another program than the system's; `--record` writes the figures to `docs/speed.md`.
pub(crate) fn bench(arguments: &[&str]) -> Result<()> {
    let (mut names, mut peers, mut is_recorded) = (Vec::new(), Peers::default(), false);
    let mut arguments = arguments.iter();
    while let Some(&argument) = arguments.next() {
        match argument {
            "--record" => is_recorded = true,
            "--peer" => peers.add(arguments.next().copied().unwrap_or_default())?,
            name => names.push(name),
        }
    }
    if is_recorded && !names.is_empty() {
        return Err("--record is for all images: figures of one machine at one time".into());
    }
    tools::install_missing(&[
        ("time", "time"),
        ("umoci", "umoci"),
        ("bsdtar", "libarchive-tools"),
        ("mtree", "mtree-netbsd"),
        ("skopeo", "skopeo"),
        ("docker-registry", "docker-registry"),
    ])?;
    let ocicle = native()?;
    let versions = peers.versions(&ocicle)?;
    println!("{}", versions.join("\n"));
    let work = workspace()?;
    let (mut files, mut registry) = (Table::default(), Table::default());
    let path = peers.search_path(&work.join("peers"))?;
    let result = Image::all(&names)?.iter().try_for_each(|image| {
        let layout = image.layout()?;
        let bench = Bench { ocicle: &ocicle, image: image.name, layout: &layout, work: &work, path: &path };
        println!("\n# {}", image.name);
        measure_image(&bench, &mut files)?;
        registry::measure(&bench, &mut registry)
    });
    at(&work, fs::remove_dir_all(&work))?;
    result?;
    println!("\n{files}\n{registry}");
    if is_recorded { record::record(&files, &registry, &versions) } else { Ok(()) }
}

/// Returns the command, as released.
fn native() -> Result<PathBuf> {
    run(cargo().args(["build", "--quiet", "--release", "--package", "ocicle-cli"]))?;
    Ok(paths::target().join("release/ocicle"))
}

/// Returns the directory for results: in memory, if there is enough, since the disks of build machines would
/// dominate the numbers.
fn workspace() -> Result<PathBuf> {
    let base = Path::new("/dev/shm");
    let base = if base.is_dir() { base.to_path_buf() } else { std::env::temp_dir() };
    println!("results go to {}", base.display());
    let work = base.join(format!("ocicle-bench-{}", std::process::id()));
    at(&work, fs::create_dir(&work))?;
    Ok(work)
}

fn measure_image(bench: &Bench<'_>, table: &mut Table) -> Result<()> {
    let Bench { ocicle, image, layout, work, .. } = *bench;
    let (ocicle, layout) = (ocicle.display(), layout.display());
    let bundle = |tool: &str| format!("{}/{tool}", work.display());
    let (ours, theirs, scratch) = (bundle("ocicle"), bundle("umoci"), bundle("scratch"));
    let layers: String = bench.layers()?.iter().map(|layer| format!(" {layer}")).collect();
    let clean = format!("rm -rf {scratch}");

    table.job(image, "unpack", vec![
        bench.measure("ocicle", 3, &clean, &format!("{ocicle} unpack {layout}#t {scratch}"))?,
        bench.measure("umoci", 3, &clean, &format!("umoci unpack --image {layout}:t {scratch}"))?,
        bench.measure("bsdtar", 3, &clean, &format!(
            "mkdir {scratch} && for layer in{layers}; do bsdtar -xpf $layer -C {scratch} || exit 1; done"
        ))?,
        bench.measure("GNU tar", 3, &clean, &format!(
            "mkdir {scratch} && for layer in{layers}; do tar --xattrs -xpzf $layer -C {scratch} || exit 1; done"
        ))?,
    ]);
    bench.shell(&clean)?;

    // Bundles to repack, and a layout of their own to write to.
    let target = format!("{}/layout", work.display());
    bench.shell(&format!("cp -r {layout} {target}"))?;
    bench.shell(&format!("{ocicle} unpack {target}#t {ours} && umoci unpack --image {target}:t {theirs}"))?;
    let repack = |ours_first: &str| -> Result<_> {
        Ok(vec![
            bench.measure("ocicle", 3, ours_first, &format!("{ocicle} repack {ours} {target}#ours"))?,
            bench.measure(
                "umoci",
                3,
                ours_first,
                &format!("umoci repack --image {target}:theirs {theirs}"),
            )?,
        ])
    };
    table.job(image, "repack unchanged", repack("true")?);
    for rootfs in [&ours, &theirs] {
        data::new_file(&Path::new(rootfs).join("rootfs/new-200-MB"), 200 << 20)?;
    }
    table.job(image, "repack with 200 MB more", repack("true")?);

    let at_signs: String = bench.layers()?.iter().map(|layer| format!(" @{layer}")).collect();
    table.job(
        image,
        "mtree",
        vec![
            bench.measure("ocicle, layers", 3, "true", &format!("{ocicle} mtree {layout}#t > /dev/null"))?,
            bench.measure(
                "bsdtar, layers",
                3,
                "true",
                &format!("bsdtar -cf /dev/null --format=mtree --options='mtree:sha256'{at_signs}"),
            )?,
            bench.measure(
                "NetBSD mtree, disk",
                3,
                "true",
                &format!("mtree -c -K sha256 -p {theirs}/rootfs > /dev/null"),
            )?,
        ],
    );
    let cat =
        |dir: &str| format!("OCICLE_CACHE={dir} {ocicle} cat {layout}#t $(cat {scratch}.path) > /dev/null");
    let listed = format!("{ocicle} files --format plain {layout}#t");
    let last = "awk -F'\t' '$4 == \"file\" { path = $1 } END { print path }'";
    bench.shell(&format!("{listed} | {last} > {scratch}.path"))?;
    table.job(
        image,
        "cat one file",
        vec![
            bench.measure("ocicle, again", 5, &cat(&scratch), &cat(&scratch))?,
            bench.measure("ocicle, first", 3, &clean, &cat(&scratch))?,
            bench.measure(
                "bsdtar",
                3,
                "true",
                &format!(
                    "for layer in{layers}; do bsdtar -xOf $layer .$(cat {scratch}.path) $(cut -c2- {scratch}.path) > /dev/null 2>&1; done; true"
                ),
            )?,
        ],
    );
    bench.shell(&format!("rm -rf {scratch} {scratch}.path"))?;
    for command in ["stat", "ls"] {
        let reference = if command == "stat" { format!("{layout}#t") } else { layout.to_string() };
        let (option, image_argument) = if command == "stat" { ("--image", ":t") } else { ("--layout", "") };
        table.job(
            image,
            command,
            vec![
                bench.measure(
                    "ocicle",
                    15,
                    "true",
                    &format!("{ocicle} {command} {reference} > /dev/null"),
                )?,
                bench.measure(
                    "umoci",
                    15,
                    "true",
                    &format!("umoci {command} {option} {layout}{image_argument} > /dev/null"),
                )?,
            ],
        );
    }
    bench.shell(&format!("rm -rf {ours} {theirs} {target}"))
}
