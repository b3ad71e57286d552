//! wasm-bindgen's command is its library and a web server for tests; this is the library alone, which builds
//! in a fraction of the time.
//!
//! Not part of the workspace: set-up builds it in its cache, with the version of wasm-bindgen that Cargo.lock
//! names.

use std::{env, process::ExitCode};

use wasm_bindgen_cli_support::Bindgen;

/// `bindgen MODULE.wasm NAME DIRECTORY`
fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [module, name, directory] = &arguments[..] else {
        eprintln!("usage: bindgen MODULE.wasm NAME DIRECTORY");
        return ExitCode::from(2);
    };
    let mut bindgen = Bindgen::new();
    let made = bindgen.web(true).and_then(|bindgen| {
        // The caller that starts the module says where it is.
        bindgen
            .remove_name_section(true)
            .remove_producers_section(true)
            .omit_default_module_path(true)
            .input_path(module).out_name(name).typescript(true).generate(directory)
    });
    match made {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:?}");
            ExitCode::FAILURE
        }
    }
}
