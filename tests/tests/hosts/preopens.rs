//! Directories that a sandbox is given: any directories, under any names, some read-only.

use std::{fs, path::Path};

use ocicle_tests::{
    fixtures::{ODD, copy_of},
    hosts::{Call, Host},
    ocicle::text,
    temp::TempDir,
    tools::run,
};

/// Creates a copy of the odd image as `images`, and an empty directory `work`.
fn prepared() -> Option<TempDir> {
    let temp = TempDir::new().unwrap();
    fs::rename(copy_of(&ODD.layout()?, temp.path()), temp.path().join("images")).unwrap();
    fs::create_dir(temp.path().join("work")).unwrap();
    Some(temp)
}

fn done(call: &Call, words: &[&str]) -> String {
    let answer = call.run(words);
    assert_eq!(answer.code, Some(0), "{words:?}: {}", answer.error);
    answer.text()
}

#[test]
fn preopened_directories_have_their_guest_names() {
    let Some(temp) = prepared() else { return };
    let expected = Host::Native.done(temp.path(), &["mtree", "images#odd"]);
    let (images, work) = (&temp.path().join("images"), &temp.path().join("work"));
    for host in Host::sandboxes() {
        for (name, reference) in [
            ("images", "images#odd"),
            ("/srv/images", "/srv/images#odd"),
            ("/", "/#odd"),
            (".", ".#odd"),
            (text(images), &format!("{}#odd", text(images))),
        ] {
            let call = host.bare(temp.path()).open(images, name);
            assert_eq!(done(&call, &["mtree", reference]), expected, "{}: {name}", host.name());
        }
        // A directory above it does as well, and so do two that are apart.
        for (name, reference) in
            [("/all", "/all/images#odd"), (".", "images#odd"), (".", "oci:./images#odd"), ("/", "images#odd")]
        {
            let above = host.bare(temp.path()).open(temp.path(), name);
            assert_eq!(done(&above, &["mtree", reference]), expected, "{}: {name}", host.name());
        }
        let apart = host.bare(temp.path()).open(images, "/in").open(work, "out");
        done(&apart, &["unpack", "/in#odd", "out/bundle"]);
        let digest = done(&apart, &["repack", "out/bundle", "/in#again"]);
        assert!(digest.starts_with("sha256:"), "{digest}");
        fs::remove_dir_all(work.join("bundle")).unwrap();
    }
}

#[test]
fn directories_that_are_not_preopened_are_not_found() {
    let Some(temp) = prepared() else { return };
    let work = &temp.path().join("work");
    std::os::unix::fs::symlink("../images", work.join("link")).unwrap();
    std::os::unix::fs::symlink(temp.path().join("images"), work.join("absolute")).unwrap();
    for host in Host::sandboxes() {
        let call = host.call(work);
        for reference in ["../images", "link", "absolute", text(&temp.path().join("images"))] {
            let refused = call.run(&["ls", reference]);
            assert_eq!(refused.code, Some(1), "{} {reference}: {}", host.name(), refused.text());
            assert_eq!(refused.output, b"");
        }
        let refused = host.bare(work).run(&["ls", "images"]);
        assert_eq!(refused.code, Some(1), "{}", refused.text());
        assert!(
            refused.error.contains("a sandbox can only open preopened directories"),
            "{}: {}",
            host.name(),
            refused.error
        );
    }
}

/// Only wasmtime can preopen directories read-only.
#[test]
fn a_directory_for_reading_is_read_and_not_changed() {
    let Some(temp) = prepared() else { return };
    let Some(host) = Host::sandboxes().into_iter().find(|host| *host == Host::Wasmtime) else { return };
    let (images, work) = (&temp.path().join("images"), &temp.path().join("work"));
    // So that gc has something to do.
    let garbage = "0000000000000000000000000000000000000000000000000000000000000000";
    fs::write(images.join("blobs/sha256").join(garbage), "garbage").unwrap();
    let kept = TempDir::new().unwrap();
    let before = copy_of(images, kept.path());
    let call = host.bare(temp.path()).open_read_only(images, "images").open(work, "work");
    for words in [
        &["ls", "--tree", "images"][..],
        &["mtree", "images#odd"],
        &["files", "images#gnu"],
        &["gc", "--dry-run", "images"],
        &["config", "images#odd", "--label", "a=b", "--dry-run"],
    ] {
        let native = Host::Native.done(temp.path(), words);
        assert_eq!(done(&call, words), native, "{words:?}");
    }
    done(&call, &["unpack", "images#odd", "work/bundle"]);
    done(&call, &["copy", "images#odd", "oci:work/images"]);
    fs::write(work.join("bundle/rootfs/etc/added"), "x").unwrap();
    for words in [
        &["tag", "images#odd", "new"][..],
        &["config", "images#odd", "--label", "a=b"],
        &["insert", "images#odd", "work/bundle/config.json", "/file"],
        &["repack", "work/bundle", "images#new"],
        &["rm", "images#gnu"],
        &["gc", "images"],
        &["unpack", "images#odd", "images/bundle"],
    ] {
        let refused = call.run(words);
        assert_eq!(refused.code, Some(1), "{words:?}: {}", refused.error);
        assert_eq!(refused.error.lines().count(), 2, "{words:?}: {}", refused.error);
        assert!(
            refused.error.contains("\nhint: the directory is preopened read-only"),
            "{words:?}: {}",
            refused.error
        );
        run("diff", [Path::new("-r"), &before, images]);
    }
}
