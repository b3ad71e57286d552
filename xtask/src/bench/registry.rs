//! Copies to and from a registry on this machine, beside skopeo.

use std::{
    ffi::OsStr,
    fs,
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use super::{measure::Bench, table::Table};
use crate::run::{Result, at};

/// Debian's `docker-registry`, which ends with this value.
struct Registry {
    process: Child,
    port: u16,
}

impl Registry {
    fn start(dir: &Path, search_path: &OsStr) -> Result<Self> {
        let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
        let port = free.map_err(|error| format!("no free port: {error}"))?.port();
        let (settings, data) = (dir.join("registry.yml"), dir.join("registry"));
        let text = format!(
            "version: 0.1\nlog: {{level: error, accesslog: {{disabled: true}}}}\n\
             storage: {{filesystem: {{rootdirectory: {}}}}}\nhttp: {{addr: 127.0.0.1:{port}}}\n",
            data.display()
        );
        at(&settings, fs::write(&settings, text))?;
        let process = Command::new("docker-registry")
            .arg("serve")
            .arg(&settings)
            .env("PATH", search_path)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| format!("docker-registry: {error}"))?;
        let registry = Self { process, port };
        let started = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            if started.elapsed() > Duration::from_secs(30) {
                return Err("docker-registry does not answer".into());
            }
            thread::sleep(Duration::from_millis(20));
        }
        Ok(registry)
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Measures copies of an image. A push goes to a new repository each time, and skopeo forgets before which
/// blobs it has seen where, or it would send none.
pub(super) fn measure(bench: &Bench<'_>, table: &mut Table) -> Result<()> {
    let Bench { ocicle, image, layout, work, .. } = *bench;
    let registry = Registry::start(work, bench.path)?;
    let (ocicle, layout, scratch) = (ocicle.display(), layout.display(), work.join("scratch"));
    let (at, scratch) = (format!("docker://localhost:{}", registry.port), scratch.display());
    let forget = "rm -rf /var/lib/containers/cache ~/.local/share/containers/cache";
    let clean = format!("{forget}; rm -rf {scratch}");
    let skopeo = "skopeo copy --quiet --src-tls-verify=false --dest-tls-verify=false";
    let new = "$(date +%s%N)";
    table.job(
        image,
        "push",
        vec![
            bench.measure("ocicle", 3, "true", &format!("{ocicle} copy -q {layout}#t {at}/a{new}:t"))?,
            bench.measure("skopeo", 3, forget, &format!("{skopeo} oci:{layout}:t {at}/b{new}:t"))?,
        ],
    );
    bench.shell(&format!("{ocicle} copy -q {layout}#t {at}/app:t"))?;
    table.job(
        image,
        "push what is there",
        vec![
            bench.measure("ocicle", 9, "true", &format!("{ocicle} copy -q {layout}#t {at}/app:t"))?,
            bench.measure("skopeo", 9, forget, &format!("{skopeo} oci:{layout}:t {at}/app:t"))?,
        ],
    );
    table.job(
        image,
        "pull",
        vec![
            bench.measure("ocicle", 3, &clean, &format!("{ocicle} copy -q {at}/app:t oci:{scratch}"))?,
            bench.measure("skopeo", 3, &clean, &format!("{skopeo} {at}/app:t oci:{scratch}:t"))?,
        ],
    );
    table.job(
        image,
        "pull what is there",
        vec![
            bench.measure("ocicle", 9, "true", &format!("{ocicle} copy -q {at}/app:t oci:{scratch}"))?,
            bench.measure("skopeo", 9, forget, &format!("{skopeo} {at}/app:t oci:{scratch}:t"))?,
        ],
    );
    bench.shell(&clean)?;
    drop(registry);
    bench.shell(&format!("rm -rf {0}/registry {0}/registry.yml", work.display()))
}
