//! A container of the image that was made: that needs runc, and a program that runs without libraries.

use std::{fs, process::Command};

use super::shell::Shell;
use crate::{
    run::{Result, at, find, output},
    tools,
};

/// Puts a static busybox into the demonstration's directory: of this machine, or else out of Debian's
/// package. Nothing is installed: the package would put out another busybox.
pub(crate) fn busybox(shell: &Shell) -> Result<()> {
    let place = shell.directory().join("busybox");
    if let Some(installed) = find("busybox").or_else(|| find("busybox-static")) {
        let dynamic = output(Command::new("ldd").arg(&installed)).is_ok();
        if !dynamic {
            return at(&installed, fs::copy(&installed, &place)).map(drop);
        }
    }
    if find("apt-get").is_none() {
        return Err("there is no static busybox".into());
    }
    let directory = shell.directory().join(".busybox");
    at(&directory, fs::create_dir(&directory))?;
    let download =
        || output(tools::apt_get().args(["download", "--quiet", "busybox-static"]).current_dir(&directory));
    download()
        .or_else(|_| output(tools::apt_get().args(["update", "-qq"])).and_then(|_| download()))
        .map_err(|_| "there is no static busybox, and apt cannot download busybox-static".to_string())?;
    for archive in at(&directory, fs::read_dir(&directory))? {
        let archive = at(&directory, archive)?.path();
        output(Command::new("dpkg-deb").arg("--extract").arg(archive).arg(&directory))?;
    }
    let extracted = directory.join("bin/busybox");
    let extracted = if extracted.exists() { extracted } else { directory.join("usr/bin/busybox") };
    at(&extracted, fs::copy(&extracted, &place)).map(drop)
}

/// Why there can be no container here.
pub(crate) fn possible() -> Result<()> {
    if find("runc").is_none() {
        return Err("runc is not installed (package runc)".into());
    }
    let namespaces = ["--mount", "--pid", "--net", "--ipc", "--uts", "--cgroup", "--fork", "true"];
    output(Command::new("unshare").args(namespaces))
        .map(drop)
        .map_err(|_| "this system does not allow user namespaces".into())
}

/// Starts one.
pub(crate) fn run(shell: &Shell) -> Result<()> {
    shell.say("A bundle is what runc starts. A fresh one shows the new image, and stays as it is for the next repack.");
    shell.run("ocicle unpack images#v2 run")?;
    let name = format!("ocicle-demo-{}", std::process::id());
    shell.shows(&format!("echo 'cat /etc/motd' | runc --root runc-state run --bundle run {name}"), "changed")
}
