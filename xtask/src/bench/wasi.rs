//! `cargo xtask bench --wasi`: the command in a sandbox beside the native one, on one core.

use std::{fs, path::Path, process::Command};

use super::{
    data::Image,
    measure::{Bench, Measured},
    native,
    table::Table,
    workspace,
};
use crate::{
    paths,
    run::{Result, at, find, run, search_path},
    tools, wasi_module, wasi_runner, wasm_toolchain,
};

/// Measures the named images; debian and big if none is named.
pub(crate) fn wasi(names: &[&str]) -> Result<()> {
    tools::install_missing(&[("time", "time")])?;
    let names = if names.is_empty() { &["debian", "big"] } else { names };
    let module = wasi_module::command(&wasm_toolchain::ensure()?)?;
    let ocicle = native()?;
    let wasmtime = wasi_runner::wasmtime_command()?;
    let work = workspace()?;
    let path = search_path();
    let mut table = Table::default();
    let result = compile(&wasmtime, &module, &work).and_then(|()| {
        Image::all(names)?.iter().try_for_each(|image| {
            let layout = image.layout()?;
            let bench =
                Bench { ocicle: &ocicle, image: image.name, layout: &layout, work: &work, path: &path };
            println!("\n# {}", image.name);
            measure_image(&bench, &wasmtime, &module, &mut table)
        })
    });
    at(&work, fs::remove_dir_all(&work))?;
    result?;
    println!("\n{table}\n{}", table.throughput());
    Ok(())
}

/// Hosts compile a module once and keep the result; so this is not measured.
fn compile(wasmtime: &Path, module: &Path, work: &Path) -> Result<()> {
    run(Command::new(wasmtime).args(["compile", "-o"]).arg(work.join("ocicle.cwasm")).arg(module))
}

fn measure_image(bench: &Bench<'_>, wasmtime: &Path, module: &Path, table: &mut Table) -> Result<()> {
    let Bench { ocicle, image, layout, work, .. } = *bench;
    let dirs = format!("--dir {}::/image --dir {}::/work", layout.display(), work.display());
    let scratch = work.join("scratch");
    let hosts = [
        ("native", ocicle.display().to_string(), [layout, work]),
        (
            "wasmtime",
            format!("{} run --allow-precompiled {dirs} {}/ocicle.cwasm", wasmtime.display(), work.display()),
            [Path::new("/image"), Path::new("/work")],
        ),
        (
            "Node",
            format!(
                "{} {} {dirs} {}",
                find("node").ok_or("Node is not installed")?.display(),
                paths::checkout().join("xtask/assets/wasi_node.mjs").display(),
                module.display()
            ),
            [Path::new("/image"), Path::new("/work")],
        ),
    ];
    let clean = format!("rm -rf {}", scratch.display());
    for (job, runs) in [("unpack", 3), ("mtree", 3), ("check", 3), ("ls", 15)] {
        let measured = hosts.iter().map(|(host, command, [layout, work])| {
            let (layout, work) = (layout.display(), work.display());
            let words = match job {
                // No owners, as in a sandbox.
                "unpack" if *host == "native" => format!("--rootless {layout}#t {work}/scratch"),
                "unpack" => format!("{layout}#t {work}/scratch"),
                "mtree" => format!("{layout}#t"),
                _ => layout.to_string(),
            };
            bench.measure(host, runs, &clean, &format!("taskset -c 0 {command} {job} {words} > /dev/null"))
        });
        table.job(image, job, measured.collect::<Result<Vec<Measured>>>()?);
    }
    bench.shell(&clean)
}
