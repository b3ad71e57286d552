//! Runs the suite of directory drivers in a WASI sandbox, on the directory `/work` that the host gives it,
//! and in memory: `RUNNER --dir EMPTY::/work dir-suite.wasm [CASE]…`, without the cases that are named.

use ocicle::fs::{conformance, mem::MemDir};

/// Names that preview 1, or every runtime, cannot express.
#[cfg(target_os = "wasi")]
const BEYOND_WASI: &[&str] = &["names and targets are bytes", "times before 1970"];

fn main() {
    conformance::dir_posix(&MemDir::new(), &[]);
    #[cfg(target_os = "wasi")]
    {
        let work = std::fs::File::open("/work").expect("a directory /work, provided by the host");
        let beyond_runtime: Vec<String> = std::env::args().skip(1).collect();
        let except = BEYOND_WASI.iter().copied().chain(beyond_runtime.iter().map(String::as_str));
        let except: Vec<&str> = except.collect();
        conformance::dir_posix(&ocicle::fs::wasi::WasiDir::new(work.into()), &except);
    }
    println!("passed");
}
