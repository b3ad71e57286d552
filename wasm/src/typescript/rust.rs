//! Structs and enums of Rust that serde writes or reads.

use std::{collections::BTreeMap, fs, path::Path};

use super::{
    lexer::{Reader, Token, tokens},
    shape::{Field, Kind, Shape},
};

/// The types of some crates that derive serde's traits, and all enums.
#[derive(Debug, Default)]
pub(super) struct Types(BTreeMap<String, Vec<Definition>>);

#[derive(Debug)]
struct Definition {
    file: String,
    /// Whether it is read, not written.
    is_input: bool,
    serde: Serde,
    /// Name, attributes and type of each field; the variants of an enum have no type.
    fields: Vec<(String, Serde, Vec<Token>)>,
}

/// Attributes of serde: the value of each, if it has one.
type Serde = BTreeMap<String, Option<String>>;

impl Definition {
    /// Returns the name of its file, without the extension.
    fn stem(&self) -> &str {
        Path::new(&self.file).file_stem().and_then(|stem| stem.to_str()).unwrap_or_default()
    }
}

impl Types {
    /// Reads all files below a directory.
    pub(super) fn read(&mut self, directory: &Path) {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                self.read(&path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let tokens = tokens(&fs::read_to_string(&path).unwrap());
                self.file(&path.display().to_string(), Reader(&tokens));
            }
        }
    }

    fn file(&mut self, file: &str, mut reader: Reader<'_>) {
        let (mut serde, mut derives) = (Serde::new(), Vec::new());
        while let Some(token) = reader.next() {
            match token {
                Token::Sign('#') => {
                    if let Some(attribute) = reader.group('[', ']') {
                        attribute_of(attribute, &mut serde, &mut derives);
                    }
                }
                Token::Word(word) if word == "struct" || word == "enum" => {
                    let Some(name) = reader.word() else { continue };
                    reader.group('<', '>');
                    let is_derived =
                        |name: &str| derives.iter().any(|derive: &String| derive.as_str() == name);
                    let is_written = is_derived("Serialize");
                    // Of an enum without serde, the variants are known all the same.
                    let is_known = is_written || is_derived("Deserialize") || word == "enum";
                    if let Some(body) = reader.group('{', '}')
                        && is_known
                    {
                        let fields = body.split(',').into_iter().filter_map(field).collect();
                        let mut serde = serde.clone();
                        if !is_written && !is_derived("Deserialize") {
                            serde.insert("rename_all".into(), Some("camelCase".into()));
                        }
                        let file = file.into();
                        let made = Definition { file, is_input: !is_written, serde, fields };
                        self.0.entry(name.into()).or_default().push(made);
                    }
                    (serde, derives) = (Serde::new(), Vec::new());
                }
                Token::Sign(';' | '{' | '}') => (serde, derives) = (Serde::new(), Vec::new()),
                _ => {}
            }
        }
    }

    /// Finds a type by its name, or by its file and name. The library's comes before those of other crates.
    fn find(&self, name: &str) -> &Definition {
        let (file, name) = name.split_once("::").map_or((None, name), |(file, name)| (Some(file), name));
        let all = self.0.get(name).map(Vec::as_slice).unwrap_or_default();
        let is_meant = |definition: &&Definition| file.is_none_or(|file| definition.stem() == file);
        let found: Vec<_> = all.iter().filter(is_meant).collect();
        let core: Vec<_> = found.iter().copied().filter(|found| found.file.contains("core/src")).collect();
        match (found.as_slice(), core.as_slice()) {
            ([one], _) | (_, [one]) => one,
            ([], _) => panic!("no Rust type {name} is written or read by serde"),
            _ => panic!("several Rust types are called {name}: {found:?}"),
        }
    }

    /// Returns the strings that an enum is written as.
    pub(super) fn variants(&self, name: &str) -> Vec<String> {
        let definition = self.find(name);
        definition.fields.iter().map(|(name, serde, _)| key(name, serde, &definition.serde)).collect()
    }

    /// Returns the fields of a struct as JSON has them.
    pub(super) fn shape(&self, name: &str) -> Shape {
        let definition = self.find(name);
        let mut shape = Shape::new();
        for (name, serde, tokens) in &definition.fields {
            // What is refused is not in any JSON.
            let is_refused = serde
                .get("serialize_with")
                .is_some_and(|by| by.as_ref().is_some_and(|by| by.contains("refuse")));
            if serde.contains_key("skip") || is_refused {
                continue;
            }
            let (kind, is_option) = self.kind(Reader(tokens));
            if serde.contains_key("flatten") {
                let Kind::Named(inner) = kind else { panic!("{name}: only objects can be flattened") };
                // One of the same file comes first.
                let is_beside = |other: &&Definition| other.file == definition.file;
                let inner = match self.0.get(&inner).and_then(|all| all.iter().find(is_beside)) {
                    Some(beside) => format!("{}::{inner}", beside.stem()),
                    None => inner,
                };
                let missing = |field: Field| Field { optional: field.optional || is_option, ..field };
                shape.extend(self.shape(&inner).into_iter().map(|(key, field)| (key, missing(field))));
                continue;
            }
            let optional = match definition.is_input {
                true => {
                    is_option || serde.contains_key("default") || definition.serde.contains_key("default")
                }
                false => serde.contains_key("skip_serializing_if"),
            };
            let converter = if definition.is_input { "deserialize_with" } else { "serialize_with" };
            let is_converted = serde.contains_key(converter) || serde.contains_key("with");
            let kind = if is_converted { Kind::Any } else { kind };
            let field = Field { kind, optional, nullable: is_option && !optional };
            shape.insert(key(name, serde, &definition.serde), field);
        }
        shape
    }

    /// Returns what a type is in JSON, and whether it is an `Option`.
    fn kind(&self, mut reader: Reader<'_>) -> (Kind, bool) {
        while reader.sign('&') {}
        if let Some(of) = reader.group('[', ']') {
            return (Kind::List(Box::new(self.kind(of).0)), false);
        }
        if reader.0.first() == Some(&Token::Sign('(')) {
            // Seconds and nanoseconds.
            return (Kind::Scalar("Date"), false);
        }
        let mut name = "";
        while let Some(word) = reader.word() {
            name = word;
            while reader.sign(':') {}
        }
        let arguments = reader.group('<', '>').map(|inside| inside.split(',')).unwrap_or_default();
        let of = |position: usize| Box::new(self.kind(arguments[position]).0);
        let kind = match name {
            "Option" => return (*of(0), true),
            "Box" | "Arc" => return self.kind(arguments[0]),
            "Vec" | "BTreeSet" => Kind::List(of(0)),
            "BTreeMap" => Kind::Map(of(1)),
            "Annotations" | "Pairs" => Kind::Map(Box::new(Kind::Scalar("string"))),
            "bool" => Kind::Scalar("boolean"),
            "u32" | "u64" | "usize" | "i64" | "f64" => Kind::Scalar("number"),
            "String" | "str" | "Digest" | "MediaType" | "Selector" => Kind::Scalar("string"),
            "Value" | "RawValue" | "Verbatim" => Kind::Any,
            name if self.is_enum(name) => Kind::Scalar("string"),
            name => Kind::Named(name.into()),
        };
        (kind, false)
    }

    /// Returns whether a type is an enum of strings.
    fn is_enum(&self, name: &str) -> bool {
        let definitions = self.0.get(name).map(Vec::as_slice).unwrap_or_default();
        definitions.iter().any(|definition| definition.fields.iter().all(|(.., tokens)| tokens.is_empty()))
    }
}

fn attribute_of(mut reader: Reader<'_>, serde: &mut Serde, derives: &mut Vec<String>) {
    match (reader.word(), reader.group('(', ')')) {
        (Some("derive"), Some(names)) => {
            derives.extend(names.split(',').into_iter().filter_map(|mut name| name.word().map(Into::into)));
        }
        (Some("serde"), Some(settings)) => {
            for mut setting in settings.split(',') {
                let Some(name) = setting.word() else { continue };
                let value = match setting.0 {
                    [Token::Sign('='), Token::Text(value)] => Some(value.clone()),
                    _ => None,
                };
                serde.insert(name.into(), value);
            }
        }
        _ => {}
    }
}

/// Reads a field of a struct, or a variant of an enum.
fn field(mut reader: Reader<'_>) -> Option<(String, Serde, Vec<Token>)> {
    let mut serde = Serde::new();
    while reader.sign('#') {
        attribute_of(reader.group('[', ']')?, &mut serde, &mut Vec::new());
    }
    let mut name = reader.word()?;
    if name == "pub" {
        reader.group('(', ')');
        name = reader.word()?;
    }
    reader.sign(':');
    Some((name.into(), serde, reader.0.to_vec()))
}

/// Returns the name in JSON.
fn key(name: &str, field: &Serde, container: &Serde) -> String {
    if let Some(Some(name)) = field.get("rename") {
        return name.clone();
    }
    let words = |text: &str| -> Vec<String> {
        let mut words = vec![String::new()];
        for character in text.chars() {
            if (character == '_' || character.is_uppercase()) && words.last().is_some_and(|w| !w.is_empty()) {
                words.push(String::new());
            }
            if character != '_' {
                words.last_mut().unwrap().extend(character.to_lowercase());
            }
        }
        words
    };
    let capital = |word: &String| word[..1].to_uppercase() + &word[1..];
    let rule = container.get("rename_all").and_then(Option::as_deref);
    match (rule, words(name)) {
        (None, _) => name.into(),
        (Some("camelCase"), words) => words[0].clone() + &words[1..].iter().map(capital).collect::<String>(),
        (Some("PascalCase"), words) => words.iter().map(capital).collect(),
        (Some("kebab-case"), words) => words.join("-"),
        (Some("lowercase"), words) => words.concat(),
        (Some(other), _) => panic!("{name}: no rule for {other}"),
    }
}
