//! `cargo xtask`: set up a machine, test everything, show what there is.

mod bench;
mod bindgen;
mod cargo;
mod component;
mod debian_packages;
mod debian_toolchain;
mod demo;
mod dist;
mod npm;
mod package;
mod paths;
mod report;
mod run;
mod setup;
mod test;
mod tools;
mod wasi_runner;
mod wasm_toolchain;
mod web_demo;

use std::process::ExitCode;

const USAGE: &str = "\
Usage: cargo xtask COMMAND

  setup          Make available what the tests need: wasm targets, programs to compare with, wasm-bindgen, WASI runtimes
  test           Set up what is missing, then run everything CI runs
  test --fast    Leave out the wasm targets, the documentation and the end-to-end tests
  demo           Show the main job, step by step, on an image it makes itself; more of it as root
  demo --keep    Leave its files behind, to look at
  demo --web     Build the application for the browser, and serve it to this machine
  dist --wasi    Make the command as a small WASI module, target/dist/ocicle.wasm; one without SIMD and the library as a component
                 beside it
  dist --npm     Make the JavaScript package, target/dist/ocicle-VERSION.tgz
  bench [IMAGE]… Measure ocicle beside umoci, bsdtar and GNU tar on debian, many and big; as root
  bench --wasi [IMAGE]…
                 Measure it in wasmtime and Node beside the native one, each on one core

Environment:
  OCICLE_WASM_TOOLCHAIN=debian   build the wasm targets with Debian's compiler (default: rustup's; Debian's if that fails)
  OCICLE_BIN=FILE                the command that the demo shows (default: a new build)
  OCICLE_CACHE=DIR               where set-up keeps what it makes (default: $XDG_CACHE_HOME/ocicle or ~/.cache/ocicle)
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match arguments[..] {
        ["setup"] => setup::setup(),
        ["test"] => test::all(),
        ["test", "--fast"] => test::fast(),
        ["demo"] => demo::demo(false),
        ["demo", "--keep"] => demo::demo(true),
        ["demo", "--web"] => demo::web(),
        ["dist", "--wasi"] => dist::wasi(),
        ["dist", "--npm"] => dist::npm(),
        ["bench", "--wasi", ref images @ ..] => bench::wasi(images),
        ["bench", ref images @ ..] => bench::bench(images),
        ["help" | "--help" | "-h"] => {
            print!("{USAGE}");
            Ok(())
        }
        _ => Err(format!("no such command: {:?}\n\n{USAGE}", arguments.join(" "))),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("xtask: {message}");
            ExitCode::FAILURE
        }
    }
}
