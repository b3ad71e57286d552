//! Compares the TypeScript interfaces of the package with the Rust types that become JSON: name by name, with
//! type, optionality and `null`. A field that is added on one side only fails here.
#![allow(clippy::unwrap_used, reason = "tests may")]

mod lexer;
mod rust;
mod shape;
mod ts;

use std::{fs, path::Path};

use ocicle::{fs::FileType, limits::Limits};
use ocicle_report::words;

use self::shape::{Field, Kind, Shape};

/// The correspondence of an interface to a struct.
enum Rule {
    /// Field by field.
    Exact,
    /// The JSON begins with `schemaVersion`.
    Versioned,
    /// A document of image-spec: readers may know fields that the library does not name. These are in
    /// TypeScript only.
    Document(&'static [&'static str]),
    /// An argument that `ts/store.ts` completes: all fields of the struct, whether optional or not, and
    /// these.
    Completed(&'static [&'static str]),
}

use Rule::{Completed, Document, Exact, Versioned};

/// Interface, struct, rule. A struct whose name is not unique is written with its file, such as `files::Row`.
const PAIRS: &[(&str, &str, Rule)] = &[
    ("Box", "Area", Exact),
    ("CheckReport", "CheckReport", Versioned),
    ("Compared", "diff::Diff", Versioned),
    ("ConfigChange", "FieldDiff", Exact),
    ("ConfigEdit", "ConfigChanges", Exact),
    ("ContainerConfig", "ContainerConfig", Document(&["Healthcheck"])),
    ("Deed", "files::Change", Exact),
    ("Descriptor", "Descriptor", Exact),
    ("EditOptions", "EditOptions", Completed(&[])),
    ("FileChange", "diff::File", Exact),
    ("FileRow", "files::Row", Exact),
    ("Files", "files::Files", Versioned),
    ("Finding", "Finding", Exact),
    ("HistoryEntry", "config::History", Exact),
    ("HistoryRow", "HistoryRow", Exact),
    ("Hop", "Hop", Exact),
    ("ImageConfig", "ImageConfig", Document(&[])),
    ("LayerBlob", "LayerBlob", Exact),
    ("LayerWaste", "LayerWaste", Exact),
    ("Listing", "Listing", Versioned),
    ("ListingEntry", "ListEntry", Exact),
    ("Manifest", "Manifest", Document(&[])),
    ("NewFile", "NewFile", Completed(&["content"])),
    ("Page", "Page", Exact),
    ("PathWaste", "waste::Path", Exact),
    ("Platform", "Platform", Exact),
    ("Resolution", "ResolvedObject", Versioned),
    ("RootFs", "RootFs", Exact),
    ("Row", "rows::Row", Exact),
    ("RowQuery", "RowQuery", Exact),
    ("Stat", "Stat", Versioned),
    ("Waste", "waste::Shape", Versioned),
    ("WasteSums", "Sums", Exact),
    ("Why", "files::History", Versioned),
];

/// Interfaces that never are JSON of the wasm module.
const ONLY_TYPESCRIPT: &[&str] = &["Entry", "Healthcheck", "Layer", "OpenOptions", "Progress", "RunOptions"];

/// Unions of strings, and the enums that have the same.
const UNIONS: &[(&str, &str)] = &[
    ("Change", "ChangeKind"),
    ("Clearable", "Clear"),
    ("Dialect", "Dialect"),
    ("ErrorKind", "FailureKind"),
    ("FileAspect", "Property"),
    ("FileChangeKind", "DiffKind"),
];

fn typescript() -> ts::Types {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("ts");
    let source = |name| fs::read_to_string(directory.join(name)).unwrap();
    ts::Types::read(&(source("types.ts") + &source("layers.ts")))
}

fn rust() -> rust::Types {
    let mut types = rust::Types::default();
    for directory in ["../core/src", "../report/src", "src"] {
        types.read(&Path::new(env!("CARGO_MANIFEST_DIR")).join(directory));
    }
    types
}

/// Returns the differences between an interface and a struct.
fn differences(interface: &Shape, object: &Shape, rule: &Rule) -> Vec<String> {
    let mut object = object.clone();
    if matches!(rule, Versioned) {
        let number = Field { kind: Kind::Scalar("number"), optional: false, nullable: false };
        object.insert("schemaVersion".into(), number);
    }
    let only_typescript = match rule {
        Document(names) | Completed(names) => *names,
        _ => &[],
    };
    let mut found = Vec::new();
    for (name, field) in interface {
        match object.remove(name) {
            None if only_typescript.contains(&name.as_str()) => {}
            None => found.push(format!("{name}: only in TypeScript")),
            Some(other) if !agree(field, &other, rule) => {
                found.push(format!("{name}{field} in TypeScript, {name}{other} in Rust"));
            }
            Some(_) => {}
        }
    }
    found.extend(object.keys().map(|name| format!("{name}: only in Rust")));
    found
}

fn agree(typescript: &Field, rust: &Field, rule: &Rule) -> bool {
    let is_present = match rule {
        Completed(_) => true,
        _ => typescript.optional == rust.optional && typescript.nullable == rust.nullable,
    };
    is_present && same_kind(&typescript.kind, &rust.kind)
}

fn same_kind(typescript: &Kind, rust: &Kind) -> bool {
    match (typescript, rust) {
        (_, Kind::Any) => true,
        (Kind::List(a), Kind::List(b)) | (Kind::Map(a), Kind::Map(b)) => same_kind(a, b),
        (Kind::Named(a), Kind::Named(b)) => {
            let is_pair = |(interface, object, _): &(&str, &str, Rule)| {
                interface == a && object.rsplit(':').next() == Some(b.as_str())
            };
            a == b || PAIRS.iter().any(is_pair)
        }
        (a, b) => a == b,
    }
}

#[test]
fn interfaces_and_structs_agree() {
    let (typescript, rust) = (typescript(), rust());
    let mut found = Vec::new();
    for (interface, object, rule) in PAIRS {
        let shape =
            typescript.interfaces.get(*interface).unwrap_or_else(|| panic!("no interface {interface}"));
        let differences = differences(shape, &rust.shape(object), rule);
        found.extend(
            differences.into_iter().map(|difference| format!("{interface} and {object}: {difference}")),
        );
    }
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

#[test]
fn every_interface_is_compared() {
    let is_known = |name: &str| {
        ONLY_TYPESCRIPT.contains(&name) || PAIRS.iter().any(|(interface, ..)| *interface == name)
    };
    let unknown: Vec<_> = typescript().interfaces.into_keys().filter(|name| !is_known(name)).collect();
    assert!(unknown.is_empty(), "with no struct to compare them with: {unknown:?}");
}

#[test]
fn unions_and_enums_have_the_same_strings() {
    let (typescript, rust) = (typescript(), rust());
    for (union, name) in UNIONS {
        let (mut strings, mut variants) = (typescript.unions[*union].clone(), rust.variants(name));
        strings.sort();
        variants.sort();
        assert_eq!(strings, variants, "{union} and {name}");
    }
}

#[test]
fn file_types_have_the_words_of_reports() {
    use FileType::{Block, Char, Dir, Fifo, File, Socket, Symlink};
    let all = [File, Dir, Symlink, Char, Block, Fifo, Socket];
    assert_eq!(all.len(), rust().variants("FileType").len());
    assert_eq!(typescript().unions["FileType"], all.map(words::file_type));
}

#[test]
fn limits_have_the_names_of_the_library() {
    assert_eq!(typescript().unions["LimitName"], Limits::NAMES.map(|(name, _)| name));
}

#[test]
fn a_field_on_one_side_is_found() {
    let typescript = ts::Types::read(
        "export interface A { both: number; some?: string; none: B | null; list: B[];\n\
         [more: string]: unknown }\n/** Text. */ export interface B extends A {\n\
         \"a.b\": Record<string, boolean>; }",
    );
    let directory = std::env::temp_dir().join(format!("ocicle-types-{}", std::process::id()));
    fs::create_dir_all(&directory).unwrap();
    let differences_to = |name: &str, fields: &str| {
        let source = format!(
            "#[derive(Serialize)]\n#[serde(rename_all = \"camelCase\")]\npub struct A<'a> {{ {fields} }}"
        );
        fs::write(directory.join("a.rs"), source).unwrap();
        let mut rust = rust::Types::default();
        rust.read(&directory);
        differences(&typescript.interfaces[name], &rust.shape("A"), &Exact)
    };
    let skipped = "#[serde(skip_serializing_if = \"Option::is_none\")] pub some: Option<String>";
    let good = format!("/// A.\npub both: u64, {skipped}, none: Option<&'a B>, list: Vec<B>,");
    assert_eq!(differences_to("A", &good), [] as [&str; 0]);
    assert_eq!(differences_to("A", &format!("{good} pub new_one: bool")), ["newOne: only in Rust"]);
    assert_eq!(differences_to("B", &good), ["a.b: only in TypeScript"]);
    assert_eq!(
        differences_to("A", "both: String, some: Option<String>, none: B, list: BTreeSet<u32>"),
        [
            "both: number in TypeScript, both: string in Rust",
            "list: B[] in TypeScript, list: number[] in Rust",
            "none: B | null in TypeScript, none: B in Rust",
            "some?: string in TypeScript, some: string | null in Rust",
        ]
    );
    fs::remove_dir_all(&directory).unwrap();
}
