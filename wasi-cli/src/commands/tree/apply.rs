//! `tree apply`.

use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::Args;
use ocicle::{
    Error, Repository,
    digest::Digest,
    graph::{
        copy::{Plan, What},
        describe::{self, Description, ListingDiff, Root, Sources},
        resolve::Want,
        selector::{Clause, Selector},
    },
    limits::Limits,
    spec::{Descriptor, Index, Raw},
    store::{BlobWrite as _, RootIndexExt as _, Store, memory::MemoryStore},
};

use crate::{args::Format, context::Context, failure::Failure, place::Place};

/// Build the tree that a description describes.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  ocicle tree apply --dry-run v1.toml images\n  ocicle tree apply v1.toml images"
)]
pub(in crate::commands) struct Apply {
    /// The description, in TOML or JSON; `-` for standard input.
    #[arg(value_name = "FILE")]
    description: PathBuf,
    /// The store to change.
    #[arg(value_name = "STORE")]
    store: String,
    /// Print what would change, as a tree, and change nothing.
    #[arg(short = 'n', long)]
    dry_run: bool,
    #[command(flatten)]
    format: Format,
}

impl Apply {
    pub(super) fn run(&self, context: &Context) -> Result<ExitCode, Failure> {
        let place = context.open_whole(&self.store)?;
        let base = self.description.parent().unwrap_or(Path::new(""));
        let description = read(&self.description, &context.limits)?;
        if self.dry_run {
            let scratch = place.repository.with_upper(MemoryStore::new()?);
            let changes = dry_apply(context, &place, &scratch, &description, base)?;
            context.report(&changes, &self.format)?;
        } else {
            print_roots(context, &apply(context, &place, &description, base)?)?;
        }
        Ok(ExitCode::SUCCESS)
    }
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

/// Builds the tree of a description. Paths of files are relative to `base`.
pub(in crate::commands) fn apply(
    context: &Context,
    place: &Place,
    description: &Description,
    base: &Path,
) -> Result<Vec<Root>, Failure> {
    let repository = &place.repository;
    repository.store().hold()?;
    let root = repository.index()?;
    let mut sources = Here { context, place, root, to: repository, base, whole: true };
    let roots = describe::build(repository, description, &mut sources)?;
    repository.store().update(|root| describe::add_roots(root, &roots))?;
    Ok(roots)
}

/// Returns what [`apply`] would change. New documents go to `scratch`, which reads from the store as well.
pub(in crate::commands) fn dry_apply<T: Store>(
    context: &Context,
    place: &Place,
    scratch: &Repository<T>,
    description: &Description,
    base: &Path,
) -> Result<ListingDiff, Failure> {
    let repository = &place.repository;
    let root = repository.index()?;
    let mut sources = Here { context, place, root: root.clone(), to: scratch, base, whole: false };
    let roots = describe::build(scratch, description, &mut sources)?;
    let after = describe::add_roots(&root, &roots)?;
    Ok(ListingDiff::between(&repository.list_in(&root, None)?, &scratch.list_in(&after, None)?))
}

pub(in crate::commands) fn print_roots(context: &Context, roots: &[Root]) -> Result<(), Failure> {
    context.print_lines(roots.iter().map(|Root { tag, descriptor }| match tag {
        Some(tag) => format!("{}  #{tag}", descriptor.digest),
        None => descriptor.digest.to_string(),
    }))
}

/// The objects and files that a description refers to: in this store, in other stores, on disk.
struct Here<'a, T> {
    context: &'a Context,
    place: &'a Place,
    root: Raw<Index>,
    /// The store to which objects of other stores are copied.
    to: &'a Repository<T>,
    base: &'a Path,
    /// Whether layers are copied, or only documents.
    whole: bool,
}

impl<T: Store> Here<'_, T> {
    fn found(&self, selector: &Selector) -> Result<Descriptor, Error> {
        let found = self.place.repository.resolve_in(&self.root, selector, Want::Any)?;
        Ok(found.target().clone())
    }

    fn elsewhere(&self, reference: &str) -> Result<Descriptor, Failure> {
        let other = self.context.open_itself(reference)?;
        let at = other.resolve(Want::Any)?;
        let plan = Plan::new(&other.repository, What::Object(&at))?;
        let plan = if self.whole { plan } else { plan.documents() };
        plan.copy_blobs(&other.repository, self.to)?;
        Ok(at.target().clone())
    }
}

impl<T: Store> Sources for Here<'_, T> {
    fn object(&mut self, reference: &str) -> ocicle::Result<Descriptor> {
        if let Some(selector) = reference.strip_prefix('#') {
            return self.found(&selector.parse()?);
        }
        if reference.parse::<Digest>().is_ok() {
            return self.found(&Selector::of(Clause::Digest(reference.into())));
        }
        self.elsewhere(reference).map_err(|failure| Error::NotFound(failure.to_string()))
    }

    fn file(&mut self, path: &str) -> ocicle::Result<Box<dyn Read + '_>> {
        let path = self.base.join(path);
        let file = File::open(&path)
            .map_err(|source| Error::Io { doing: format!("open {}", path.display()), source })?;
        Ok(Box::new(file))
    }
}
