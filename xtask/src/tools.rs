//! Programs that tests compare with, from Debian's packages.

use std::process::Command;

use crate::run::{Result, find, output, run};

#[derive(Debug)]
pub(crate) struct Tool {
    pub(crate) program: &'static str,
    pub(crate) package: &'static str,
    /// The tests that do not run without it.
    pub(crate) needed_by: &'static str,
}

const TOOLS: [Tool; 20] = [
    tool("skopeo", "skopeo", "tests that exchange images with skopeo"),
    tool("umoci", "umoci", "tests that exchange images and bundles with umoci"),
    tool("buildah", "buildah", "tests that exchange images with buildah"),
    tool("debootstrap", "debootstrap", "tests on a whole Debian root file system"),
    tool("runc", "runc", "tests that start a bundle"),
    tool("mtree", "mtree-netbsd", "tests of manifests against mtree(8)"),
    tool("bsdtar", "libarchive-tools", "tests of layers and manifests against bsdtar"),
    tool("getfattr", "attr", "tests of extended attributes"),
    tool("strace", "strace", "tests of system calls that fail"),
    tool("getcap", "libcap2-bin", "tests of file capabilities"),
    tool("getfacl", "acl", "tests of access control lists"),
    tool("zstd", "zstd", "tests of zstd layers against zstd(1)"),
    tool("node", "nodejs", "tests of the JavaScript package"),
    tool("npm", "npm", "builds of the JavaScript package and of WASI modules"),
    tool("chromium", "chromium", "tests of the JavaScript package and the application in a browser"),
    tool("docker-registry", "docker-registry", "tests of images on a registry"),
    tool("htpasswd", "apache2-utils", "tests of a registry with passwords"),
    tool("openssl", "openssl", "tests of certificates and tokens"),
    tool("nginx", "nginx-light", "tests of layouts on a web server"),
    tool("python3", "python3", "tests of layers against Python's tarfile, and images it makes"),
];

const fn tool(program: &'static str, package: &'static str, needed_by: &'static str) -> Tool {
    Tool { program, package, needed_by }
}

/// Installs missing programs where possible, and returns those that are still missing.
pub(crate) fn ensure() -> Result<Vec<&'static Tool>> {
    let missing = missing();
    if missing.is_empty() || !can_install() {
        return Ok(missing);
    }
    let packages: Vec<_> = missing.iter().map(|tool| tool.package).collect();
    install(&packages)?;
    Ok(self::missing())
}

/// Installs those of these programs that are missing, each from its package.
pub(crate) fn install_missing(programs: &[(&str, &str)]) -> Result<()> {
    let packages: Vec<_> =
        programs.iter().filter(|(program, _)| find(program).is_none()).map(|(_, package)| *package).collect();
    if packages.is_empty() { Ok(()) } else { install(&packages) }
}

/// Installs packages of Debian.
pub(crate) fn install(packages: &[&str]) -> Result<()> {
    if !can_install() {
        return Err(format!("please install {}; only root can, with apt-get", packages.join(" ")));
    }
    run(apt_get().args(["update", "-qq"]))?;
    run(apt_get().args(["install", "-qq", "--no-install-recommends"]).args(packages))
}

fn can_install() -> bool {
    find("apt-get").is_some() && is_root()
}

fn missing() -> Vec<&'static Tool> {
    TOOLS.iter().filter(|tool| find(tool.program).is_none()).collect()
}

/// Returns an `apt-get` that asks no questions.
pub(crate) fn apt_get() -> Command {
    let mut command = Command::new("apt-get");
    command.arg("--yes").env("DEBIAN_FRONTEND", "noninteractive");
    command
}

pub(crate) fn is_root() -> bool {
    output(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0")
}
