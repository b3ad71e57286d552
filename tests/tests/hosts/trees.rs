//! Commands on trees of indexes.

use std::fs;

use ocicle_tests::{
    fixtures::{NESTED, copy_of},
    nested,
};

use crate::script::same_everywhere;

const NESTED_SCRIPT: &str = "
    ls images
    ls --tree images
    ls --json images
    ls --tree images#nested
    ls sparse
    check images
    check --json sparse
    resolve --all images#type=manifest
    resolve --json images#nested//platform=linux/riscv64
    3: resolve --explain images#multi//platform=linux/arm
    3: resolve images#twice
    stat images#multi//platform=linux/arm64
    mtree images#docker//platform=linux/amd64
    diff images#single images#also
    tree export --deep images#nested > nested.toml
    tree export --format json images
    tag images#multi//platform=linux/arm64 arm64
    config images#nested//pos=0//platform=linux/arm64 --label a=b
    config images#nested//pos=0//platform=linux/amd64 --label a=b --scope all --referrers copy
    annotate images#attested org.example=x --referrers drop
    annotate --descriptor images#nested//pos=1 note=1
    platform images#nested//pos=1//pos=0 linux/riscv64/v1 --scope tag
    tag --split images#multi
    tag --merge images#single images#docker merged --replace
    copy images#nested oci-archive:nested.tar
    copy images#multi//platform=linux/arm64 oci:part --sparse
    copy images#docker oci:converted --format oci
    copy images#holes oci:holes
    tree apply --dry-run nested.toml images
    tree apply nested.toml images
    ls --tree images
    rm images#multi
    rm images#nested
    gc images
    check images
";

#[test]
fn trees_of_other_tools() {
    let Some(layout) = NESTED.layout() else { return };
    let prepare = |dir: &std::path::Path| {
        fs::rename(copy_of(&layout.with_file_name("sparse"), dir), dir.join("sparse")).unwrap();
        fs::rename(copy_of(&layout, dir), dir.join("images")).unwrap();
    };
    same_everywhere(prepare, NESTED_SCRIPT);
}

const HANDMADE: &str = "
    ls --tree images
    check images
    stat images#v1//platform=linux/amd64
    resolve --all --format plain images#type=manifest
    config images#v1//platform=linux/arm/v7 --env A=b --scope all
    insert images#v1//platform=linux/amd64 --whiteout /file --referrers copy
    annotate images#docker a=b
    1: copy images#docker docker-archive:two.tar
    copy images#docker//platform=linux/amd64 docker-archive:one.tar
    copy images oci-archive:all.tar
    ls --json all.tar
    rm all.tar#same
    tag all.tar#v1 again
    gc images
    ls --tree images
";

#[test]
fn handmade_trees() {
    same_everywhere(|dir| nested::layout(&dir.join("images")), HANDMADE);
}
