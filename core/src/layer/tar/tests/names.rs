//! Names: their sources, and their limits.

use super::*;

#[test]
fn the_prefix_of_ustar_only() {
    let header = || Header::new(kind::FILE, "name").with(field::PREFIX, b"some/dir");
    assert_eq!(only(&[&header().finish()]).path, path("some/dir/name"));
    assert_eq!(only(&[&header().gnu().finish()]).path, path("name"));
    assert_eq!(only(&[&header().with(field::MAGIC, &[0; 8]).finish()]).path, path("name"));
}

#[test]
fn a_name_may_fill_its_field() {
    let name = "n".repeat(100);
    assert_eq!(only(&[&Header::new(kind::FILE, &name).finish()]).path, path(&name));
}

#[test]
fn gnu_long_names() {
    let (name, target) = ("d/".repeat(100) + "name", "t/".repeat(100));
    let long =
        |kind, text: &str| Header::new(kind, "././@LongLink").gnu().body(format!("{text}\0").as_bytes());
    let entry = only(&[
        &long(kind::GNU_LONG_LINK, &target),
        &long(kind::GNU_LONG_NAME, &name),
        &Header::new(kind::SYMLINK, "short").link("short").gnu().finish(),
    ]);
    assert_eq!(entry.path, path(&name));
    assert_eq!(entry.kind, EntryKind::Symlink { target: target.as_bytes().into() });
    assert!(read_err(&[&long(kind::GNU_LONG_NAME, ""), &file("a", b"")]).contains("empty GNU long name"));
}

#[test]
fn pax_records_apply_to_the_entry_after_a_long_name() {
    let entry = only(&[
        &pax(kind::PAX, &[("uid", "5"), ("size", "1")]),
        &Header::new(kind::GNU_LONG_NAME, "L").gnu().body(b"long\0"),
        &Header::new(kind::FILE, "short").gnu().body(b"x"),
    ]);
    assert_eq!((entry.path, entry.attrs.uid), (path("long"), 5));
}

#[test]
fn names_are_cleaned_into_the_root() {
    for (name, clean) in [("./a", "a"), ("/a//b/", "a/b"), ("../../a", "a"), ("a/../b", "b"), ("./", "")] {
        assert_eq!(only(&[&Header::new(kind::DIR, name).finish()]).path, path(clean), "{name}");
    }
    let link = Header::new(kind::HARD_LINK, "n").link("/../t").finish();
    assert_eq!(only(&[&link]).kind, EntryKind::HardLink { to: path("t") });
}

#[test]
fn the_root_is_a_directory() {
    for name in [".", "/", "", "a/.."] {
        assert!(
            read_err(&[&Header::new(kind::SYMLINK, name).link("x").finish()]).contains("root"),
            "{name:?}"
        );
        assert!(
            read_err(&[&Header::new(kind::HARD_LINK, "a").link(name).finish()]).contains("root"),
            "{name:?}"
        );
    }
}

#[test]
fn paths_have_a_limit() {
    let long = "a/".repeat(3000);
    assert!(read_err(&[&pax(kind::PAX, &[("path", &long)]), &file("a", b"")]).contains("4096"));
    let link = Header::new(kind::SYMLINK, "n").finish();
    assert!(read_err(&[&pax(kind::PAX, &[("linkpath", &long)]), &link]).contains("4096"));
    assert!(read_err(&[&link]).contains("has no target"));
}
