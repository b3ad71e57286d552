//! `cargo xtask`: sets up a machine, runs all tests, builds releases, shows what the command does.
//!
//! Modules use only their own row and the rows above; a test checks it.
//!
//! | row | modules | contents |
//! |---|---|---|
//! | 1 | [`run`] | running programs |
//! | 2 | [`paths`], [`report`] | directories, the summary of a run |
//! | 3 | [`cargo`], [`npm`], [`tools`] | the programs that do the work |
//! | 4 | [`bindgen`], [`debian_packages`], [`wasi_runner`] | further tools, made on first use |
//! | 5 | [`debian_toolchain`] | a compiler for wasm made of Debian's packages |
//! | 6 | [`wasm_toolchain`] | the compiler for wasm |
//! | 7 | [`package`], [`wasi_module`], [`web_demo`] | what is built for wasm |
//! | 8 | [`component`] | the component and its hosts |
//! | 9 | [`bench`], [`demo`], [`dist`], [`fuzz`], [`setup`], [`soak`] | commands |
//! | 10 | [`test`] | the command that uses most of the others |

mod bench;
mod bindgen;
mod cargo;
mod component;
mod debian_packages;
mod debian_toolchain;
mod demo;
mod dist;
mod fuzz;
mod npm;
mod package;
mod paths;
mod report;
mod run;
mod setup;
mod soak;
mod test;
mod tools;
mod wasi_module;
mod wasi_runner;
mod wasm_toolchain;
mod web_demo;

use std::process::ExitCode;

const USAGE: &str = "\
Usage: cargo xtask COMMAND

  setup          Install or build what the tests need: wasm targets, programs to
                 compare with, wasm-bindgen, WASI runtimes
  test           Set up what is missing, then run everything CI runs
  test --fast    Run format, lints, and the tests of the library and the command,
                 and list what was left out
  demo           Show the main job, step by step, on an image it makes itself;
                 as root, show more
  demo --keep    Keep the demo's files
  demo --web     Build the page and serve it to this machine
  dist --wasi    Build the command as a small WASI module, target/dist/ocicle.wasm;
                 also one without SIMD, and the library as a component
  dist --npm     Build the JavaScript package, target/dist/ocicle-VERSION.tgz
  bench [IMAGE]… Compare speed with umoci, bsdtar and GNU tar on the images debian,
                 many and big; with skopeo to and from a registry; needs root
  bench --peer NAME=PATH …
                 Compare with this umoci, skopeo, bsdtar, … instead of the system's
  bench --record Write the figures of all images to docs/speed.md
  bench --wasi [IMAGE]…
                 Compare the speed in wasmtime, in Node and native, each on one core
  fuzz SECONDS   Run each libFuzzer target of fuzz/ for so long; needs a C++ compiler
  soak [SEED]    Kill, race and starve the command, many times, and fuzz it

Environment:
  OCICLE_WASM_TOOLCHAIN=debian   build the wasm targets with Debian's compiler
                                 (default: rustup's; Debian's if that fails)
  OCICLE_BIN=FILE                the command that demo and soak run (default: a new build)
  OCICLE_CACHE=DIR               where set-up keeps what it makes
                                 (default: $XDG_CACHE_HOME/ocicle or ~/.cache/ocicle)
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
        ["soak"] => soak::soak(None),
        ["soak", seed] => soak::soak(Some(seed)),
        ["fuzz", seconds] => seconds
            .parse()
            .map_err(|_| format!("{seconds:?} is not a number of seconds"))
            .and_then(fuzz::fuzz),
        ["help" | "--help" | "-h"] => {
            print!("{USAGE}");
            Ok(())
        }
        _ => Err(format!("unknown command: {:?}\n\n{USAGE}", arguments.join(" "))),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("xtask: {message}");
            ExitCode::FAILURE
        }
    }
}
