//! `tree export`, `tree apply`.

use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};

use ocicle::{
    Error,
    digest::Digest,
    graph::{
        copy::{Plan, What},
        describe::{self, Changes, Description, Root, Sources},
        list::list,
        resolve::Want,
        selector::{Clause, Selector},
    },
    limits::Limits,
    spec::{Descriptor, Index, Raw},
    store::{
        BlobRead, BlobWrite, RootIndex as _, RootIndexExt as _, Store, memory::MemoryStore, overlay::Overlay,
    },
};

use crate::{
    args::{Format, Language, TreeCommand},
    failure::Failure,
    output,
    place::Place,
    stores::AnyStore,
};

pub(super) fn run(command: &TreeCommand, limits: &Limits) -> Result<(), Failure> {
    match command {
        TreeCommand::Export { reference, deep, format } => export(reference, *deep, *format, limits),
        TreeCommand::Apply { description, store, dry_run, format } => {
            let place = Place::open_whole(store, limits)?;
            let base = description.parent().unwrap_or(Path::new("")).to_owned();
            let description = read(description, limits)?;
            if *dry_run {
                return dry_apply(&place.store, &description, base, format, limits);
            }
            print_roots(&apply(&place.store, &description, base, limits)?)
        }
    }
}

fn export(reference: &str, deep: bool, language: Language, limits: &Limits) -> Result<(), Failure> {
    let place = Place::open(reference, limits)?;
    let root = place.store.load()?;
    let entries = match &place.selector {
        None => root.view().manifests.clone(),
        Some(_) => vec![place.resolve_in(&root, Want::Any, limits)?.target().clone()],
    };
    let description = describe::export(&place.store, &entries, deep, limits)?;
    let text = match language {
        Language::Json => serde_json::to_string_pretty(&description).map_err(|error| error.to_string()),
        Language::Toml => toml::to_string(&description).map_err(|error| error.to_string()),
    };
    let text = text.map_err(|error| Failure::failed(format!("write the description: {error}")))?;
    output::print(|out| writeln!(out, "{}", text.trim_end()))
}

fn read(path: &Path, limits: &Limits) -> Result<Description, Failure> {
    let name = path.display();
    let wrong = |error: &dyn std::fmt::Display| Failure::failed(format!("read {name}: {error}"));
    let file: Box<dyn Read> = match path.as_os_str() == "-" {
        true => Box::new(io::stdin().lock()),
        false => Box::new(File::open(path).map_err(|error| wrong(&error))?),
    };
    let mut text = String::new();
    file.take(limits.document + 1).read_to_string(&mut text).map_err(|error| wrong(&error))?;
    if text.len() as u64 > limits.document {
        return Err(wrong(&format_args!("more than the limit of {} bytes", limits.document)));
    }
    let usage = |error: &dyn std::fmt::Display| Failure::usage(format!("{name}: {error}"));
    match text.trim_start().starts_with('{') {
        true => serde_json::from_str(&text).map_err(|error| usage(&error)),
        false => toml::from_str(&text).map_err(|error| usage(&error.to_string().trim_end())),
    }
}

/// Makes what a description says. Files are found from the directory `base`.
pub(super) fn apply(
    store: &AnyStore,
    description: &Description,
    base: PathBuf,
    limits: &Limits,
) -> Result<Vec<Root>, Failure> {
    let root = store.load()?;
    let mut sources = Here { store, root, to: store, base, limits, whole: true };
    let roots = describe::build(store, description, &mut sources, limits)?;
    store.update(|root| describe::place(root, &roots))?;
    Ok(roots)
}

/// Finds out what that would change.
pub(super) fn dry_apply(
    store: &AnyStore,
    description: &Description,
    base: PathBuf,
    format: &Format,
    limits: &Limits,
) -> Result<(), Failure> {
    let scratch = Overlay::new(store, MemoryStore::new()?, limits);
    let root = store.load()?;
    let mut sources = Here { store, root: root.clone(), to: &scratch, base, limits, whole: false };
    let roots = describe::build(&scratch, description, &mut sources, limits)?;
    let after = describe::place(&root, &roots)?;
    output::report(&Changes::between(&list(store, &root, limits)?, &list(&scratch, &after, limits)?), format)
}

pub(super) fn print_roots(roots: &[Root]) -> Result<(), Failure> {
    output::print(|out| {
        roots.iter().try_for_each(|Root { tag, descriptor }| match tag {
            Some(tag) => writeln!(out, "{}  #{tag}", descriptor.digest),
            None => writeln!(out, "{}", descriptor.digest),
        })
    })
}

/// What descriptions refer to: this store, other stores, files.
struct Here<'a, T> {
    store: &'a AnyStore,
    root: Raw<Index>,
    /// Where objects of other stores are copied to.
    to: &'a T,
    base: PathBuf,
    limits: &'a Limits,
    /// With layers; else documents alone.
    whole: bool,
}

impl<T: Store> Here<'_, T> {
    fn found(&self, selector: &Selector) -> Result<Descriptor, Error> {
        let found =
            ocicle::graph::resolve::resolve(self.store, &self.root, Some(selector), Want::Any, self.limits)?;
        Ok(found.target().clone())
    }

    fn elsewhere(&self, reference: &str) -> Result<Descriptor, Failure> {
        let other = Place::open(reference, self.limits)?;
        let at = other.resolve(Want::Any, self.limits)?;
        let plan = Plan::new(&other.store, What::Object(&at), self.limits)?;
        let plan = if self.whole { plan } else { plan.documents() };
        plan.copy_blobs(&other.store, self.to)?;
        Ok(at.target().clone())
    }
}

impl<T: Store + BlobRead + BlobWrite> Sources for Here<'_, T> {
    fn object(&mut self, reference: &str) -> ocicle::Result<Descriptor> {
        if let Some(selector) = reference.strip_prefix('#') {
            return self.found(&selector.parse()?);
        }
        if reference.parse::<Digest>().is_ok() {
            return self.found(&Selector::of(Clause::Digest(reference.into())));
        }
        self.elsewhere(reference).map_err(|failure| Error::NotFound(failure.message().into()))
    }

    fn file(&mut self, path: &str) -> ocicle::Result<Box<dyn Read + '_>> {
        let path = self.base.join(path);
        let file = File::open(&path)
            .map_err(|source| Error::Io { doing: format!("open {}", path.display()), source })?;
        Ok(Box::new(file))
    }
}
