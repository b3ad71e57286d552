//! Defaults for what an image does not configure (runtime-spec 1.0, config.md and config-linux.md).

use serde_json::{Value, json};

/// Variables that an image may replace.
pub(super) const ENVIRONMENT: [&str; 2] =
    ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "TERM=xterm"];

/// Returns a container without privileges, in namespaces of its own, with the pseudo file systems that
/// programs expect.
///
/// `terminal` is false, which works with and without a terminal; true fails without one.
pub(super) fn spec() -> Value {
    let capabilities = ["CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"];
    json!({
        "ociVersion": "1.0.2",
        "hostname": "ocicle",
        "process": {
            "terminal": false,
            "args": ["sh"],
            "noNewPrivileges": true,
            "capabilities": {
                "bounding": capabilities,
                "effective": capabilities,
                "permitted": capabilities,
            },
            "rlimits": [{ "type": "RLIMIT_NOFILE", "soft": 1024, "hard": 1024 }],
        },
        "mounts": mounts(),
        "linux": {
            "namespaces": namespaces(),
            "resources": { "devices": [{ "allow": false, "access": "rwm" }] },
            "maskedPaths": [
                "/proc/acpi", "/proc/asound", "/proc/interrupts", "/proc/kcore", "/proc/keys",
                "/proc/latency_stats", "/proc/sched_debug", "/proc/scsi", "/proc/timer_list",
                "/proc/timer_stats", "/sys/devices/virtual/powercap", "/sys/firmware",
            ],
            "readonlyPaths": ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"],
        },
    })
}

/// Returns the mount of a volume.
pub(super) fn volume(path: &str, options: &[String]) -> Value {
    json!({ "destination": path, "type": "tmpfs", "source": "tmpfs", "options": options })
}

/// Returns the mount of a file or directory of the host.
pub(super) fn bind(path: &str) -> Value {
    json!({
        "destination": path,
        "type": "none",
        "source": path,
        "options": ["rbind", "nosuid", "noexec", "nodev", "ro"],
    })
}

fn namespaces() -> [Value; 6] {
    ["pid", "network", "ipc", "uts", "mount", "cgroup"].map(|kind| json!({ "type": kind }))
}

fn mounts() -> Vec<Value> {
    let plain = ["nosuid", "noexec", "nodev"];
    vec![
        mount("/proc", "proc", &plain),
        mount("/dev", "tmpfs", &["nosuid", "strictatime", "mode=755", "size=65536k"]),
        mount(
            "/dev/pts",
            "devpts",
            &["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"],
        ),
        mount("/dev/shm", "tmpfs", &["nosuid", "noexec", "nodev", "mode=1777", "size=65536k"]),
        mount("/dev/mqueue", "mqueue", &plain),
        mount("/sys", "sysfs", &["nosuid", "noexec", "nodev", "ro"]),
        mount("/sys/fs/cgroup", "cgroup", &["nosuid", "noexec", "nodev", "relatime", "ro"]),
    ]
}

fn mount(path: &str, kind: &str, options: &[&str]) -> Value {
    json!({ "destination": path, "type": kind, "source": kind, "options": options })
}
