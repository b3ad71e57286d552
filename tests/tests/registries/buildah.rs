//! An image of buildah on its way over a registry: built and pushed by buildah, copied by ocicle, and pulled
//! by buildah.

use std::{fs, path::Path};

use ocicle_tests::{
    ocicle::{at, ocicle, text},
    registry::{Protection, Registry},
    tools::{have, root, run},
};

#[test]
fn an_image_of_buildah_there_and_back_is_the_same_bytes() {
    let Some(registry) = Registry::start(Protection::None) else { return };
    if !root() || !have(&["buildah"]) {
        return;
    }
    let (storage, state) = (registry.path("storage"), registry.path("run"));
    let buildah = |words: &[&str]| {
        let place = ["--storage-driver", "vfs", "--root", text(&storage), "--runroot", text(&state)];
        String::from_utf8(run("buildah", [&place, words].concat())).unwrap().trim_end().to_owned()
    };
    let files = registry.path("files");
    fs::create_dir(&files).unwrap();
    fs::write(files.join("large"), [7; 200_000]).unwrap();
    fs::write(files.join("small"), "small").unwrap();
    let container = buildah(&["from", "--isolation", "chroot", "scratch"]);
    buildah(&["copy", "--quiet", &container, text(&files), "/srv"]);
    buildah(&["config", "--env", "A=b", "--label", "c=d", &container]);

    // Both of its formats: OCI's, and Docker's.
    for format in ["oci", "docker"] {
        let image = format!("localhost/{format}:1");
        buildah(&["commit", "--quiet", "--format", format, &container, &image]);
        let theirs = registry.at(&format!("theirs:{format}"));
        let digest = registry.path(&format!("{format}-digest"));
        let to = ["push", "--quiet", "--tls-verify=false", "--format", format];
        buildah(&[&to[..], &["--digestfile", text(&digest), &image, &theirs]].concat());
        let digest = fs::read_to_string(digest).unwrap();
        assert_eq!(registry.digest(&theirs), digest, "{format}");

        let layout = registry.path(&format!("{format}-layout"));
        let local = at(&layout, format);
        let ours = registry.at(&format!("ours:{format}"));
        registry.run(["copy", &theirs, &format!("oci:{}", text(&layout))]);
        ocicle(["check", text(&layout)]);
        registry.run(["copy", &local, &ours]);
        let raw = |reference: &str| registry.run(["raw", "manifest", reference]);
        assert_eq!(raw(&local), raw(&theirs), "{format}");
        assert_eq!(raw(&ours), raw(&theirs), "{format}");

        // It must not have the layers, so that it fetches them.
        buildah(&["rmi", "--force", &image]);
        let pulled = buildah(&["pull", "--quiet", "--tls-verify=false", &ours]);
        let found = ["inspect", "--type", "image", "--format", "{{.FromImageDigest}}", &pulled];
        assert_eq!(buildah(&found), digest, "{format}");
        let name = ours.trim_start_matches("docker://");
        let again = buildah(&["from", "--isolation", "chroot", "--pull-never", name]);
        let mounted = buildah(&["mount", &again]);
        assert_eq!(fs::read(Path::new(&mounted).join("srv/small")).unwrap(), b"small", "{format}");
        assert_eq!(fs::read(Path::new(&mounted).join("srv/large")).unwrap(), [7; 200_000], "{format}");
        buildah(&["umount", &again]);
        buildah(&["rm", &again]);
        buildah(&["rmi", "--force", &pulled]);
    }
}
