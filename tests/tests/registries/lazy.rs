//! The bytes that are fetched.

use std::{
    io::{Read as _, Write as _},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};

use ocicle_tests::{
    ocicle::{ocicle, text},
    registry::{Protection, Registry},
    tools::{have, root, run},
};

/// Passes connections on, counts what comes back, and cuts them where it is told.
struct Wire {
    port: u16,
    received: Arc<AtomicU64>,
}

impl Wire {
    /// `cut`: the bytes after which a connection breaks.
    fn to(registry: &Registry, cut: u64) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let received = Arc::new(AtomicU64::new(0));
        let (host, counted) = (registry.host(), Arc::clone(&received));
        thread::spawn(move || {
            for here in listener.incoming() {
                let (mut here, mut there) = (here.unwrap(), TcpStream::connect(&host).unwrap());
                let (mut from, mut to) = (here.try_clone().unwrap(), there.try_clone().unwrap());
                thread::spawn(move || {
                    let _ = std::io::copy(&mut from, &mut to);
                    let _ = to.shutdown(Shutdown::Write);
                });
                let counted = Arc::clone(&counted);
                thread::spawn(move || {
                    let (mut buffer, mut passed) = ([0; 4096], 0);
                    while let Ok(got @ 1..) = there.read(&mut buffer) {
                        passed += got as u64;
                        counted.fetch_add(got as u64, Ordering::Relaxed);
                        if passed > cut || here.write_all(&buffer[..got]).is_err() {
                            break;
                        }
                    }
                    let _ = (here.shutdown(Shutdown::Both), there.shutdown(Shutdown::Both));
                });
            }
        });
        Self { port, received }
    }

    fn at(&self, name: &str) -> String {
        format!("docker://localhost:{}/{name}", self.port)
    }

    fn received(&self) -> u64 {
        self.received.swap(0, Ordering::Relaxed)
    }
}

/// Pushes an image with 20 MB that cannot be compressed and a small file in two layers.
fn push(registry: &Registry) {
    let layout = registry.path("layout");
    let image = format!("{}#v1", text(&layout));
    ocicle(["init", text(&layout)]);
    ocicle(["new", &image]);
    let mut state = 1_u64;
    let random: Vec<u8> = std::iter::repeat_with(|| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 56) as u8
    })
    .take(20_000_000)
    .collect();
    std::fs::write(registry.path("big"), random).unwrap();
    std::fs::write(registry.path("small"), "small").unwrap();
    ocicle(["insert", &image, text(&registry.path("small")), "/small"]);
    ocicle(["insert", &image, text(&registry.path("big")), "/big"]);
    registry.run(["copy", &image, &registry.at("app")]);
}

#[test]
fn only_what_is_shown_is_fetched() {
    let Some(registry) = Registry::start(Protection::None) else { return };
    push(&registry);
    let wire = Wire::to(&registry, u64::MAX);
    registry.run(["stat", &wire.at("app:v1")]);
    let stat = wire.received();
    assert!(stat < 20_000, "{stat} bytes for documents");
    let cache = registry.path("cache");
    let mut cat = registry.command();
    cat.env("OCICLE_CACHE", &cache).args(["cat", &wire.at("app:v1"), "/small"]);
    assert_eq!(cat.output().unwrap().stdout, b"small");
    let first = wire.received();
    assert!(first > 20_000_000, "{first}: without an index, layers are read once");
    assert_eq!(cat.output().unwrap().stdout, b"small");
    let second = wire.received();
    assert!(second < 100_000, "{second} bytes for a small file");
}

#[test]
fn a_transfer_that_breaks_goes_on() {
    let Some(registry) = Registry::start(Protection::None) else { return };
    push(&registry);
    let wire = Wire::to(&registry, 3_000_000);
    let back = registry.path("back");
    registry.run(["copy", &wire.at("app:v1"), &format!("oci:{}", text(&back))]);
    ocicle(["check", text(&back)]);
    let received = wire.received();
    assert!(received < 22_000_000, "{received} bytes for 20,000,000");
}

#[test]
fn blobs_are_kept_if_wanted() {
    let Some(registry) = Registry::start(Protection::None) else { return };
    push(&registry);
    let wire = Wire::to(&registry, u64::MAX);
    let copy = |to: &str| {
        let mut command = registry.command();
        command.env("OCICLE_BLOB_CACHE", registry.path("blobs"));
        command.args(["copy", &wire.at("app:v1"), &format!("oci:{}", text(&registry.path(to)))]);
        assert!(command.status().unwrap().success());
        ocicle(["check", text(&registry.path(to))]);
        wire.received()
    };
    let first = copy("first");
    assert!(first > 20_000_000, "{first}");
    let second = copy("second");
    assert!(second < 20_000, "{second} bytes were fetched again");
}

/// buildah writes a table of contents into layers of the format zstd:chunked.
#[test]
fn a_table_of_contents_is_all_that_a_list_needs() {
    let Some(registry) = Registry::start(Protection::None) else { return };
    if !root() || !have(&["buildah"]) {
        return;
    }
    push(&registry); // for its files
    let (storage, state) = (registry.path("storage"), registry.path("run"));
    let buildah = |words: &[&str]| {
        let place = ["--storage-driver", "vfs", "--root", text(&storage), "--runroot", text(&state)];
        String::from_utf8(run("buildah", [&place, words].concat())).unwrap().trim_end().to_owned()
    };
    let container = buildah(&["from", "--isolation", "chroot", "scratch"]);
    for name in ["big", "small"] {
        buildah(&["copy", "--quiet", &container, text(&registry.path(name)), "/srv/"]);
    }
    buildah(&["commit", "--quiet", &container, "localhost/chunked:1"]);
    let to = registry.at("chunked:1");
    let how = ["push", "--quiet", "--tls-verify=false", "--compression-format", "zstd:chunked"];
    buildah(&[&how[..], &["localhost/chunked:1", &to]].concat());

    let wire = Wire::to(&registry, u64::MAX);
    let output =
        registry.command().args(["files", "--format", "plain", &wire.at("chunked:1")]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let fetched = wire.received();
    assert!(fetched < 60_000, "{fetched} bytes of 20 MB");
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("1 of 1 layers are listed by their own tables"), "{said}");
    let local = format!("oci:{}", text(&registry.path("local")));
    registry.run(["copy", &to, &local]);
    let read = registry.run(["files", "--format", "plain", &format!("{local}#1")]);
    assert_eq!(String::from_utf8(output.stdout).unwrap(), read);
    assert!(read.contains("srv/big"), "{read}");
}
