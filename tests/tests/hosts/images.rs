//! Commands that look at images and change them.

use std::{fs, path::Path};

use ocicle_tests::{
    fixtures::{DEBIAN, ODD, copy_of},
    handmade::Archive,
    ocicle::text,
    tools::run,
};
use tar::EntryType;

use crate::script::same_everywhere;

/// A copy of a layout as `images`, and files to put into it.
fn prepare(layout: &Path, dir: &Path) {
    fs::rename(copy_of(layout, dir), dir.join("images")).unwrap();
    fs::create_dir(dir.join("source")).unwrap();
    fs::write(dir.join("list"), "# one\nimages#flat oci:listed\n").unwrap();
    fs::write(dir.join("source/one"), "1").unwrap();
    fs::write(dir.join("source/two"), "2".repeat(100_000)).unwrap();
    fs::create_dir(dir.join("source/below")).unwrap();
    fs::write(dir.join("source/below/deep"), "").unwrap();
    std::os::unix::fs::symlink("../one", dir.join("source/below/link")).unwrap();
    let archive = Archive::new()
        .entry(EntryType::Directory, "opt", "", b"")
        .file("opt/file", "content")
        .symlink("opt/link", "/etc")
        .entry(EntryType::Fifo, "opt/pipe", "", b"")
        .file("etc/.wh.group", "");
    fs::write(dir.join("layer.tar"), archive.end()).unwrap();
    fs::write(dir.join("damaged.tar"), Archive::new().file("a", "b").end().split_off(100)).unwrap();
    run("chmod", ["-R", "u=rwX,go=rX", text(&dir.join("source"))]);
    run("find", [text(dir), "-exec", "touch", "-hd", "@1600000000", "{}", "+"]);
}

const LOOK: &str = "
    ls images
    ls --json images
    ls --format plain images
    ls --tree images
    stat images#odd
    stat --json images#gnu
    stat --format plain images#odd
    resolve images#odd
    resolve --all --json images#type=manifest
    resolve --explain images#odd
    files images#odd
    files --json images#odd
    files --format plain images#gnu /etc
    files --layer 2 images#odd
    cat images#odd /etc/passwd
    cat images#odd /absolute
    why images#odd /etc/group
    why --json images#odd /etc/group
    5: diff --format plain images#odd images#gnu > difference
    find images#odd --setuid
    find --json images#odd --secret
    find images#odd --name *.wh.*
    find images#gnu --larger 1MB
    waste images#odd
    waste --json images#gnu
    mtree images#odd
    mtree --dialect portable images#odd
    mtree --dialect bsd images#gnu
    mtree --dialect umoci images#odd
    check images
    check --json images
    check --format plain images
    export images#gnu exported.tar
    raw runtime-config images#odd -
    raw runtime-config images#odd runtime.json
    tree export images
    tree export --deep --format json images#odd
    --version
    help
    help raw add-layer
    completions bash
    man config
    umoci list --layout images
    umoci stat --image images:odd
    umoci stat --image images:odd --json
";

#[test]
fn commands_that_inspect() {
    let Some(odd) = ODD.layout() else { return };
    same_everywhere(|dir| prepare(&odd, dir), LOOK);
}

const EDIT: &str = "
    tag images#odd v1
    tag --dry-run images#odd v2
    2: tag --merge images#odd images#gnu both --dry-run
    platform images#v1 linux/arm64 --config --tag arm
    tag --merge images#odd images#arm both
    tag --split images#both
    platform images#both//pos=1 linux/arm/v7
    config images#v1 --label who=any --cmd /bin/sh --env A=b --port 80/tcp --tag v2
    config images#v2 --clear labels --user 5:6 --healthcheck true --health-interval 30s
    config images#v2 --no-history --created 2020-01-02T03:04:05Z
    annotate images#v2 org.example=x
    annotate --descriptor images#both//pos=0 example.note=y
    insert images#v2 source /opt/source --tag v3
    insert images#v3 source/one /etc/one --compress none
    insert images#v3 --opaque source /etc
    insert images#v3 --whiteout /bin
    raw add-layer images#v3 layer.tar --tag v4
    raw add-layer images#v4 layer.tar --compress none --dry-run
    files --format plain images#v4
    5: diff --format json images#v1 images#v4 > difference
    squash images#v4 --tag flat
    squash images#v4 --tag plain --compress none
    layers drop images#v4 5 --tag less --on-conflict upper
    layers reorder images#odd 1 2 3 --tag order
    new images#blank --platform linux/amd64
    rebase images#v3 --onto images#gnu --old-base images#odd --tag based --on-conflict upper
    mtree images#flat
    4: check images
    tree export --deep images > images.toml
    init other
    tree apply --dry-run images.toml images
    copy images#v3 oci:other
    copy images#flat oci-archive:flat.tar
    copy images#flat oci-archive:flat.tar#again
    copy images#flat docker-archive:saved.tar#example/app:1
    copy images oci:all
    copy docker-archive:saved.tar oci:all#saved --format oci
    attach images#flat source/one:text/plain source/two --type a/b --annotation x=y
    attach images#flat source/one --type a/c --dry-run
    discover images#flat
    discover --json images#flat --type a/b
    pull images#artifact=a/b --output pulled
    1: pull images#artifact=a/b --output pulled --keep-old-files
    copy --platform linux/amd64 images#both oci:amd
    copy --platform linux/amd64 --platform linux/arm/v7 images#both oci:two
    copy --dry-run images#flat oci:never
    copy --from-file list
    ls flat.tar
    check saved.tar
    rm images#v3
    rm images#gnu
    gc --dry-run images
    gc images
    gc --json other
    4: check images
    check other
    umoci tag --image images:v1 v5
    umoci rm --image images:v5
    umoci config --image images:v1 --config.user me
    umoci raw add-layer --image images:v1 layer.tar
    umoci gc --layout images
    umoci init --layout third
    umoci new --image third:v1
";

#[test]
fn commands_that_edit() {
    let Some(odd) = ODD.layout() else { return };
    same_everywhere(|dir| prepare(&odd, dir), EDIT);
}

const MISTAKES: &str = "
    2: nonsense
    2: ls
    2: resolve images#nonsense=
    2: resolve oci:images:odd
    3: resolve images#nothing
    3: stat images
    3: ls source
    1: ls nowhere
    1: ls ftp://nowhere
    1: init images
    1: init source
    2: tag images#odd not/../a..tag
    3: rm images#nothing
    3: cat images#odd /nothing
    1: cat images#odd /etc
    4: raw add-layer images#odd damaged.tar
    1: raw add-layer images#odd nothing.tar
    1: insert images#odd nothing /x
    3: copy images#nothing oci:other
    2: squash images#odd --compress best
    1: repack source images
    2: repack images#odd source
    unpack images#odd bundle
    1: unpack images#odd bundle
    1: tree apply nothing.toml images
    5: waste images#odd --fail-above 0%
    1: umoci stat --image images:nothing
";

#[test]
fn commands_that_fail() {
    let Some(odd) = ODD.layout() else { return };
    same_everywhere(|dir| prepare(&odd, dir), MISTAKES);
}

const DEBIAN_SCRIPT: &str = "
    stat images#debian
    mtree images#debian
    cat images#zstd /etc/os-release
    insert images#debian source /opt --tag changed
    waste images#changed
    unpack images#changed bundle
    repack --verify --dry-run bundle images
    repack bundle images#again
    insert images#changed bundle/config.json /etc/config.json
    raw runtime-config images#zstd config.json
";

#[test]
fn debian() {
    let Some(debian) = DEBIAN.layout() else { return };
    same_everywhere(|dir| prepare(&debian, dir), DEBIAN_SCRIPT);
}
