#![allow(clippy::unwrap_used, reason = "tests may")]

use ocicle::{
    Repository,
    attrs::Attrs,
    image::{
        Image,
        edit::{append_layer, blank},
    },
    layer::{Change, ChangeSink as _, Entry, EntryKind, writer::LayerWriter},
    limits::Limits,
    name::EntryPath,
    spec::{Compression, History},
    tree::provenance::ChangeKind,
};

use super::{Area, Look, Open, Query, Row, Sort, Table};

/// A change of a layer, with its content.
struct Item(Change, &'static str);

fn path(text: &str) -> EntryPath {
    EntryPath::clean(text.as_bytes(), &Limits::default()).unwrap()
}

fn put(at: &str, kind: EntryKind, content: &'static str) -> Item {
    Item(Change::Put(Entry { path: path(at), attrs: Attrs::default(), kind }), content)
}

fn dir(at: &str) -> Item {
    put(at, EntryKind::Dir, "")
}

fn file(at: &str, content: &'static str) -> Item {
    put(at, EntryKind::File { size: content.len() as u64 }, content)
}

fn symlink(at: &str, target: &str) -> Item {
    put(at, EntryKind::Symlink { target: target.as_bytes().into() }, "")
}

fn link(at: &str, to: &str) -> Item {
    put(at, EntryKind::HardLink { to: path(to) }, "")
}

fn remove(at: &str) -> Item {
    Item(Change::Remove(path(at)), "")
}

fn look_into(layers: &[&[Item]]) -> Look {
    let repository = Repository::in_memory().unwrap();
    let blank = blank(&repository, &"linux/amd64".parse().unwrap(), "2020-01-01T00:00:00Z").unwrap();
    let mut image = Image::open(&repository, &blank).unwrap();
    for items in layers {
        let mut writer = LayerWriter::new(&repository, Compression::Gzip).unwrap();
        for Item(change, content) in *items {
            writer.put(change, &mut content.as_bytes()).unwrap();
        }
        let layer = writer.finish().unwrap();
        let history = History::default();
        image = append_layer(&repository, &image, &layer, Some(&history)).unwrap();
    }
    Look::inside(&repository, &image).unwrap()
}

fn look() -> Look {
    let base = [
        dir("etc"),
        file("etc/hosts", "old"),
        file("etc/a.d/one", "1"),
        file("etc/a", "22"),
        dir("var"),
        file("var/log/big", "0123456789"),
        file("keep", "kept"),
    ];
    let top = [
        file("etc/hosts", "new one"),
        link("same", "keep"),
        symlink("l", "etc"),
        remove("var/log"),
        file("etc/a.d/one", "1"),
    ];
    look_into(&[&base, &top])
}

fn lines(query: Query, open: &[&str], sort: Sort) -> Vec<String> {
    let look = look();
    let table = Table::new(&look, query);
    let named = || open.iter().map(|at| path(at)).collect();
    let view = table.view(&Open { open: named(), closed: named() }, sort);
    let page = view.page(&table, &look, 0, 100);
    assert_eq!(page.total, page.rows.len());
    let line = |row: &Row| {
        let change = row.change.map(|change| format!(" {}", change.name())).unwrap_or_default();
        let open = if row.open { "-" } else { "+" };
        let open = if row.entries > 0 { open } else { " " };
        format!(
            "{:w$}{open}{} {} {} of layer {}{change} ({}/{})",
            "",
            row.name,
            row.size,
            row.hidden,
            row.layer,
            row.position,
            row.siblings,
            w = row.depth
        )
    };
    page.rows.iter().map(line).chain([format!("{} files, {} bytes", page.files, page.bytes)]).collect()
}

#[test]
fn directories_open_and_close() {
    assert_eq!(
        lines(Query::default(), &["etc", "etc/a.d", "nowhere"], Sort::Name),
        [
            "-/ 14 14 of layer 1 (1/1)",
            " -etc 10 4 of layer 1 (1/5)",
            "   a 2 0 of layer 1 (1/3)",
            "  -a.d 1 1 of layer 1 (2/3)",
            "    one 1 1 of layer 2 (1/1)",
            "   hosts 7 3 of layer 2 (3/3)",
            "  keep 4 0 of layer 1 (2/5)",
            "  l 0 0 of layer 2 (3/5)",
            "  same 4 0 of layer 1 (4/5)",
            "  var 0 10 of layer 1 (5/5)",
            "5 files, 14 bytes",
        ]
    );
}

#[test]
fn the_largest_siblings_come_first() {
    let names: Vec<String> = lines(Query::default(), &["etc"], Sort::Size)
        .iter()
        .filter_map(|line| Some(line.trim_start_matches([' ', '-', '+']).split_once(' ')?.0.to_owned()))
        .collect();
    assert_eq!(names, ["/", "etc", "hosts", "a", "a.d", "keep", "same", "l", "var", "5"]);
}

#[test]
fn changes_of_one_layer() {
    let query = Query { layer: Some(1), ..Query::default() };
    assert_eq!(
        lines(query.clone(), &["etc", "var", "var/log"], Sort::Name),
        [
            "-/ 8 0 of layer 2 (1/1)",
            " -etc 8 0 of layer 2 (1/4)",
            "  +a.d 1 0 of layer 2 (1/2)",
            "   hosts 7 0 of layer 2 replaced (2/2)",
            "  l 0 0 of layer 2 added (2/4)",
            "  same 0 0 of layer 2 linked (3/4)",
            " -var 0 0 of layer 2 (4/4)",
            "  -log 0 0 of layer 2 removed (1/1)",
            "    big 0 0 of layer 2 removed (1/1)",
            "3 files, 8 bytes",
        ]
    );
    let query = Query { changes: [ChangeKind::Linked, ChangeKind::Attributes].into(), ..query };
    assert_eq!(
        lines(query, &[], Sort::Name),
        [
            "-/ 1 0 of layer 2 (1/1)",
            " -etc 1 0 of layer 2 (1/2)",
            "  -a.d 1 0 of layer 2 (1/1)",
            "    one 1 0 of layer 2 attributes (1/1)",
            "  same 0 0 of layer 2 linked (2/2)",
            "2 files, 1 bytes",
        ]
    );
}

#[test]
fn hidden_content_is_shown_in_its_directories() {
    let query = Query { wasted: true, ..Query::default() };
    assert_eq!(
        lines(query, &["etc/a.d"], Sort::Name),
        [
            "-/ 14 14 of layer 1 (1/1)",
            " -etc 4 4 of layer 1 (1/2)",
            "  +a.d 1 1 of layer 1 (1/2)",
            "   hosts 3 3 of layer 2 (2/2)",
            " -var 10 10 of layer 1 (2/2)",
            "  -log 10 10 of layer 1 (1/1)",
            "    big 10 10 of layer 1 (1/1)",
            "3 files, 14 bytes",
        ]
    );
    let first = lines(Query { wasted: true, layer: Some(0), ..Query::default() }, &[], Sort::Name);
    assert!(first.contains(&"   hosts 3 3 of layer 1 added (2/2)".into()), "{first:?}");
    let none = Query { wasted: true, layer: Some(1), ..Query::default() };
    assert_eq!(
        lines(none, &[], Sort::Name),
        ["-/ 0 0 of layer 2 (1/1)", "0 files, 0 bytes"].map(|line| line.replace("-/", " /"))
    );
}

#[test]
fn what_is_gone_has_the_layer_and_type_it_had_last() {
    let layers: [&[Item]; 4] = [
        &[dir("d"), file("other", "x")],
        &[dir("d/sub"), file("d/sub/a", "aa"), symlink("d/l", "sub"), file("twice", "1")],
        &[file("twice", "22")],
        &[remove("d"), remove("twice"), dir("other")],
    ];
    let look = look_into(&layers);
    let rows = |query: Query| {
        let table = Table::new(&look, query);
        let page = table.view(&Open::default(), Sort::Name).page(&table, &look, 0, 100);
        let line = |row: &Row| {
            let state = if row.exists { "is there" } else { "is gone" };
            format!("{} {} of layer {} {state}", row.path, row.kind, row.layer)
        };
        page.rows.iter().map(line).collect::<Vec<_>>()
    };
    assert_eq!(
        rows(Query { wasted: true, ..Query::default() }),
        [
            "/ dir of layer 1 is there",
            "/d dir of layer 1 is gone",
            "/d/sub dir of layer 2 is gone",
            "/d/sub/a file of layer 2 is gone",
            "/other dir of layer 4 is there",
            "/twice file of layer 3 is gone",
        ]
    );
    assert_eq!(
        rows(Query { layer: Some(1), wasted: true, ..Query::default() }),
        [
            "/ dir of layer 2 is there",
            "/d dir of layer 2 is gone",
            "/d/sub dir of layer 2 is gone",
            "/d/sub/a file of layer 2 is gone",
            "/twice file of layer 2 is gone",
        ]
    );
    // A file here, a directory later.
    let first = rows(Query { layer: Some(0), ..Query::default() });
    assert!(first.contains(&"/other file of layer 1 is there".into()), "{first:?}");
    let last = rows(Query { layer: Some(3), ..Query::default() });
    assert!(last.contains(&"/twice file of layer 4 is gone".into()), "{last:?}");
    assert!(last.contains(&"/d dir of layer 4 is gone".into()), "{last:?}");
    let named = |pattern: &str| rows(Query { name: Some(pattern.into()), ..Query::default() });
    assert_eq!(
        named("{A,other}"),
        [
            "/ dir of layer 1 is there",
            "/d dir of layer 1 is gone",
            "/d/sub dir of layer 2 is gone",
            "/d/sub/a file of layer 2 is gone",
            "/other dir of layer 4 is there",
        ]
    );
    assert_eq!(named("l")[2..], ["/d/l link of layer 2 is gone"]);
}

#[test]
fn search_matches_names() {
    let query = Query { search: Some("O".into()), ..Query::default() };
    assert_eq!(
        lines(query, &[], Sort::Name),
        [
            "-/ 8 14 of layer 1 (1/1)".replace("14", "4"),
            " -etc 8 4 of layer 1 (1/1)".into(),
            "  -a.d 1 1 of layer 1 (1/2)".into(),
            "    one 1 1 of layer 2 (1/1)".into(),
            "   hosts 7 3 of layer 2 (2/2)".into(),
            "2 files, 8 bytes".into(),
        ]
    );
}

#[test]
fn a_page_is_part_of_a_view() {
    let look = look();
    let table = Table::new(&look, Query::default());
    let view = table.view(&Open { open: [path("etc")].into(), ..Open::default() }, Sort::Name);
    let page = view.page(&table, &look, 3, 2);
    let paths: Vec<_> = page.rows.iter().map(|row| row.path.as_str()).collect();
    assert_eq!((page.total, paths), (9, vec!["/etc/a.d", "/etc/hosts"]));
    assert_eq!(view.page(&table, &look, 9, 5).rows, []);
    assert_eq!(view.position(&table, &path("etc/hosts")), Some(4));
    assert_eq!(view.position(&table, &path("etc/a.d/one")), None);
}

#[test]
fn control_characters_are_escaped() {
    let look = look_into(&[&[file("exe\u{202e}txt", ""), file("back\\slash", ""), file("ünï", "")]]);
    let table = Table::new(&look, Query::default());
    let page = table.view(&Open::default(), Sort::Name).page(&table, &look, 1, 10);
    let names: Vec<_> = page.rows.iter().map(|row| (row.name.as_str(), row.path.as_str())).collect();
    assert_eq!(
        names,
        [(r"back\\slash", r"/back\\slash"), (r"exe\342\200\256txt", r"/exe\342\200\256txt"), ("ünï", "/ünï")]
    );
}

#[test]
fn areas_are_nested() {
    fn text(of: &Area) -> String {
        let layer = of.layer.map(|layer| format!("@{layer}")).unwrap_or_default();
        let rest = if of.rest > 0 { format!(" +{}", of.rest) } else { String::new() };
        let children: Vec<_> = of.children.iter().map(text).collect();
        let children = if children.is_empty() { String::new() } else { format!("[{}]", children.join(" ")) };
        format!("{}{layer}={}{rest}{children}", of.path, of.size)
    }
    let look = look();
    let table = Table::new(&look, Query::default());
    let all = |parts| text(&Area::of_directory(&table, &path(""), parts).unwrap());
    assert_eq!(all(100), "/=14[/etc=10[/etc/hosts@2=7 /etc/a@1=2 /etc/a.d=1[/etc/a.d/one@2=1]] /keep@1=4]");
    assert_eq!(all(3), "/=14[/etc=10 +3[/etc/hosts@2=7] /keep@1=4]");
    assert_eq!(Area::of_directory(&table, &path("nowhere"), 3), None);
    assert_eq!(
        text(&Area::of_layers(&look, 2, 4)),
        "/=28[/@1=20 +10[/var=10[/var/log=10[/var/log/big@1=10]]] /@2=8[/etc=8 +1[/etc/hosts@2=7]]]"
    );
}
