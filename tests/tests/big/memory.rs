//! How much memory a command takes.

use ocicle_tests::{ocicle::binary, tools::run};

/// The most memory in use at once, in MiB, as the kernel counted it for the whole run. What the command prints is dropped; it may
/// find differences.
pub(crate) fn peak_mebibytes(words: &[&str]) -> u64 {
    let script = "import os, sys\n\
        out = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]\n\
        child = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ, file_actions=out)\n\
        _, status, usage = os.wait4(child, 0)\n\
        assert os.waitstatus_to_exitcode(status) in (0, 5), status\n\
        print(usage.ru_maxrss)";
    let binary = binary();
    let words = words.iter().map(AsRef::as_ref);
    let said = run("python3", ["-c".as_ref(), script.as_ref(), binary.as_os_str()].into_iter().chain(words));
    String::from_utf8(said).unwrap().trim().parse::<u64>().unwrap() / 1024
}
