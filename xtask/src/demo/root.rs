//! The parts that only root can do: unpack, change, repack.

use super::{container, look, shell::Shell};
use crate::run::Result;

/// Returns the parts that are left out.
pub(crate) fn tour(shell: &Shell) -> Result<Vec<String>> {
    let busybox = container::busybox(shell);
    base(shell, busybox.is_ok())?;
    change(shell)?;
    look(shell, "v2")?;
    reproduce(shell)?;
    let run = busybox.and_then(|()| container::possible());
    match run {
        Ok(()) => container::run(shell).map(|()| Vec::new()),
        Err(reason) => Ok(vec![format!("a container of the image: {reason}")]),
    }
}

fn base(shell: &Shell, busybox: bool) -> Result<()> {
    shell.say("Unpacked, an image is a bundle: its files, what a runtime needs, and what ocicle needs to find changes.");
    shell.run("ocicle unpack images#blank base")?;
    shell.shows("ls base", "rootfs.mtree")?;
    shell.say("Put a base system in: a setuid program, a hard link, a device, some files.");
    shell.run("mkdir base/rootfs/bin base/rootfs/dev base/rootfs/etc")?;
    shell.run("mknod -m 666 base/rootfs/dev/null c 1 3")?;
    shell.run("echo welcome > base/rootfs/etc/motd && echo old > base/rootfs/etc/old.conf")?;
    let program = if busybox { "cp busybox" } else { "cp .bin/ocicle" };
    shell.run(&format!("{program} base/rootfs/bin/sh && chmod 4755 base/rootfs/bin/sh"))?;
    shell.run("ln base/rootfs/bin/sh base/rootfs/bin/cat")?;
    shell.say("What is new in the bundle becomes a layer, and the image gets a tag.");
    shell.shows("ocicle repack base images#v1", "sha256:")?;
    shell.shows("ocicle stat images#v1", "Layers       1")
}

fn change(shell: &Shell) -> Result<()> {
    shell.say("Another user unpacks it. Nothing differs from the manifest.");
    shell.run("ocicle unpack images#v1 bundle")?;
    shell.shows(
        "(cd bundle/rootfs && stat -c '%A %h %t,%T %n' bin/sh bin/cat dev/null etc/motd)",
        "-rwsr-xr-x 2 0,0 bin/sh",
    )?;
    shell.run("ocicle mtree check bundle/rootfs.mtree bundle/rootfs")?;
    shell.say("Change a file, remove one. The check now finds differences, and says so with exit code 5.");
    shell.run("echo changed > bundle/rootfs/etc/motd && rm bundle/rootfs/etc/old.conf")?;
    shell.fails("ocicle mtree check bundle/rootfs.mtree bundle/rootfs", 5, "etc/old.conf: missing")?;
    shell.say("Only what changed goes into the new layer.");
    shell.shows("ocicle repack --dry-run bundle images#v2", "remove /etc/old.conf")?;
    shell.shows("ocicle repack bundle images#v2", "sha256:")?;
    shell.shows("ocicle ls images", "v2")
}

fn reproduce(shell: &Shell) -> Result<()> {
    shell.say("With a fixed time, the result is the same every time: two images, one digest.");
    let first = shell.run("SOURCE_DATE_EPOCH=1700000000 ocicle repack bundle images#first")?;
    let second = shell.run("SOURCE_DATE_EPOCH=1700000000 ocicle repack bundle images#second")?;
    if first == second { Ok(()) } else { Err(format!("two repacks of one bundle differ: {first}{second}")) }
}
