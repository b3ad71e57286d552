//! The command, and how much memory it takes.

use std::process::Command;

use ocicle_tests::ocicle::binary;

/// Runs `ocicle`, which must succeed or find differences. Returns its output.
///
/// At no time may it have more than that many MiB in memory, as the kernel counts it for the whole run.
pub(crate) fn within(most: u64, words: &[&str]) -> Vec<u8> {
    let script = "import os, sys\n\
        child = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ)\n\
        _, status, usage = os.wait4(child, 0)\n\
        print(usage.ru_maxrss, file=sys.stderr)\n\
        sys.exit(os.waitstatus_to_exitcode(status))";
    let output = Command::new("python3").args(["-c", script]).arg(binary()).args(words).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!([Some(0), Some(5)].contains(&output.status.code()), "{words:?}: {said}");
    let peak = said.trim().parse::<u64>().unwrap() / 1024;
    assert!(peak < most, "{words:?} takes {peak} MiB; there is room for {most}");
    output.stdout
}
