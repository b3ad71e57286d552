use super::*;
use crate::{attrs::Attrs, limits::Limits};

/// Says what comes through.
#[derive(Default)]
struct Said(Vec<String>);

impl ChangeSink for Said {
    fn put(&mut self, change: &Change, body: &mut dyn Read) -> Result<()> {
        let mut content = String::new();
        body.read_to_string(&mut content).map_err(Error::io("read"))?;
        self.0.push(match change {
            Change::Put(entry) => {
                let names = entry.attrs.xattrs.keys().map(|name| String::from_utf8_lossy(name));
                let kind = match &entry.kind {
                    EntryKind::HardLink { to } => format!("={to}"),
                    EntryKind::Dir => "/".into(),
                    _ => String::new(),
                };
                format!("+{}{kind} {content}{}", entry.path, names.collect::<Vec<_>>().join(" "))
            }
            Change::Remove(path) => format!("-{path}"),
            Change::ClearLower(path) => format!("!{path}"),
        });
        Ok(())
    }
}

fn path(text: &str) -> EntryPath {
    EntryPath::clean(text.as_bytes(), &Limits::default()).unwrap()
}

fn put(at: &str, kind: EntryKind, xattrs: &[(&str, &str)]) -> (Change, &'static str) {
    let content = if matches!(kind, EntryKind::File { size: 1.. }) { "x" } else { "" };
    let xattrs =
        xattrs.iter().map(|(name, value)| (name.as_bytes().into(), value.as_bytes().into())).collect();
    (Change::Put(Entry { path: path(at), attrs: Attrs { xattrs, ..Attrs::default() }, kind }), content)
}

fn link(at: &str, to: &str) -> (Change, &'static str) {
    put(at, EntryKind::HardLink { to: path(to) }, &[])
}

fn said(namespace: Namespace, changes: &[(Change, &str)]) -> Result<Vec<String>> {
    let mut said = Said::default();
    let mut upper = FromUpper::new(&mut said, namespace);
    changes.iter().try_for_each(|(change, content)| upper.put(change, &mut content.as_bytes()))?;
    Ok(said.0)
}

fn trusted(changes: &[(Change, &str)]) -> Vec<String> {
    said(Namespace::Trusted, changes).unwrap()
}

const NULL: EntryKind = EntryKind::Char { major: 0, minor: 0 };

#[test]
fn devices_are_whiteouts_under_each_of_their_names() {
    let other = EntryKind::Char { major: 0, minor: 1 };
    let changes =
        [put("a", NULL, &[]), link("d/b", "a"), put("c", other, &[]), link("e", "c"), put("f", NULL, &[])];
    assert_eq!(trusted(&changes), ["-a", "-d/b", "+c ", "+e=c ", "-f"]);
}

#[test]
fn an_opaque_directory_clears_lower_layers() {
    let changes = [
        put("d", EntryKind::Dir, &[("trusted.overlay.opaque", "y"), ("user.a", "1")]),
        put("d/f", EntryKind::File { size: 1 }, &[]),
        put("e", EntryKind::Dir, &[("user.overlay.opaque", "y")]),
        put("f", EntryKind::File { size: 1 }, &[("trusted.overlay.opaque", "y")]),
    ];
    assert_eq!(trusted(&changes), ["+d/ user.a", "!d", "+d/f x", "+e/ user.overlay.opaque", "+f x"]);
    let user = said(Namespace::User, &changes).unwrap();
    assert_eq!(
        user,
        ["+d/ trusted.overlay.opaque user.a", "+d/f x", "+e/ ", "!e", "+f xtrusted.overlay.opaque"]
    );
}

#[test]
fn marked_files_are_whiteouts_in_marking_directories_only() {
    let marked = |at| put(at, EntryKind::File { size: 0 }, &[("trusted.overlay.whiteout", "")]);
    let marking = |at| put(at, EntryKind::Dir, &[("trusted.overlay.opaque", "x")]);
    let changes = [
        marking("d"),
        marked("d/a"),
        put("d/sub", EntryKind::Dir, &[]),
        marked("d/sub/a"),
        link("d/sub/l", "d/a"),
        link("d/z", "d/sub/a"),
        put("d/zz", EntryKind::File { size: 0 }, &[]),
        put("d2", EntryKind::Dir, &[]),
        marked("d2/a"),
    ];
    let expected =
        ["+d/ ", "-d/a", "+d/sub/ ", "+d/sub/a ", "+d/sub/l ", "-d/z", "+d/zz ", "+d2/ ", "+d2/a "];
    assert_eq!(trusted(&changes), expected);
    assert_eq!(
        trusted(&[marking(""), marked("a"), put("d", EntryKind::Dir, &[]), marked("d/a"), marked("e")]),
        ["+/ ", "-a", "+d/ ", "+d/a ", "-e"]
    );
}

#[test]
fn overlayfs_attributes_are_dropped_and_escaped_ones_restored() {
    let xattrs = [
        ("trusted.overlay.impure", "y"),
        ("trusted.overlay.origin", "o"),
        ("trusted.overlay.overlay.opaque", "y"),
        ("trusted.overlay.overlay.overlay.x", "y"),
        ("trusted.other", ""),
    ];
    let changes = [put("d", EntryKind::Dir, &xattrs)];
    assert_eq!(trusted(&changes), ["+d/ trusted.other trusted.overlay.opaque trusted.overlay.overlay.x"]);
}

#[test]
fn content_in_lower_layers_is_refused() {
    for (change, mark) in [
        (put("d", EntryKind::Dir, &[("trusted.overlay.redirect", "/old")]), "redirect"),
        (put("d", EntryKind::File { size: 1 }, &[("trusted.overlay.metacopy", "")]), "metacopy"),
    ] {
        let error = said(Namespace::Trusted, &[change]).unwrap_err().to_string();
        assert!(
            error.starts_with("/d of the upper directory") && error.contains(&format!("({mark})")),
            "{error}"
        );
        assert!(error.contains("redirect_dir=off,metacopy=off"), "{error}");
    }
}
