//! The settings and output that every command uses.

use std::{
    fmt::Display,
    io::{self, Write},
    path::PathBuf,
};

use ocicle::{
    Repository,
    digest::Digest,
    graph::rewrite::{Destination, Referrers},
    image::{
        Image,
        look::{Look, MissingIndex},
    },
    layer::LostLists,
    limits::Limits,
    spec::Descriptor,
    store::BlobWrite as _,
    text::printable,
};
use ocicle_report::Report;

use crate::{
    args::{Edit, Format},
    cache::Cache,
    failure::Failure,
    net::{Mirrors, Settings},
    output,
    place::Place,
    progress::{Progress, Show, Watched},
    show,
    stores::Opening,
    stream,
};

/// The messages that are printed besides results.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Verbosity {
    /// Errors only.
    Quiet,
    /// Errors and warnings.
    Normal,
    /// Also what was done.
    Verbose,
    /// Also which blobs are read.
    Blobs,
}

/// Whether results are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Results {
    Printed,
    Discarded,
}

/// The settings and output that every command uses.
pub(crate) struct Context {
    pub(crate) limits: Limits,
    verbosity: Verbosity,
    progress: Progress,
    results: Results,
    shared_blob_dir: Option<PathBuf>,
    net: Settings,
}

impl Context {
    pub(crate) fn new(limits: Limits, verbosity: Verbosity, progress: Progress) -> Self {
        let (shared_blob_dir, net) = (None, Settings::default());
        Self { limits, verbosity, progress, results: Results::Printed, shared_blob_dir, net }
    }

    /// Sets the directory into which links of layouts may lead.
    pub(crate) fn sharing(self, shared_blob_dir: Option<PathBuf>) -> Self {
        Self { shared_blob_dir, ..self }
    }

    /// Sets how registries are reached.
    pub(crate) fn connecting(self, net: Settings) -> Self {
        Self { net, ..self }
    }

    /// Returns how registries are reached.
    pub(crate) fn net(&self) -> Settings {
        self.net
    }

    /// Discards results instead of printing them.
    pub(crate) fn without_results(self) -> Self {
        Self { results: Results::Discarded, ..self }
    }

    /// Opens the store of a reference.
    pub(crate) fn open(&self, reference: &str) -> Result<Place, Failure> {
        Place::open(reference, &Opening { mirrors: Mirrors::Asked, ..self.opening() })
    }

    /// Opens the store of a reference, and no mirror: what is read becomes a part of an edit.
    pub(crate) fn open_itself(&self, reference: &str) -> Result<Place, Failure> {
        Place::open(reference, &self.opening())
    }

    /// Opens the store of a reference to edit it: what is found in it from now on is kept.
    pub(crate) fn open_to_edit(&self, reference: &str, edit: &Edit) -> Result<Place, Failure> {
        let place = self.open_itself(reference)?.of_one();
        if !edit.dry_run {
            place.repository.store().hold()?;
        }
        Ok(place)
    }

    /// Opens the store of a reference without a selector.
    pub(crate) fn open_whole(&self, reference: &str) -> Result<Place, Failure> {
        Place::open_whole(reference, &self.opening())
    }

    /// Returns how stores are opened.
    pub(crate) fn opening(&self) -> Opening {
        Opening {
            limits: self.limits,
            show: self.show(),
            shared_blob_dir: self.shared_blob_dir.clone(),
            network: self.net,
            mirrors: Mirrors::Ignored,
        }
    }

    /// Returns whether only errors are printed.
    pub(crate) fn is_quiet(&self) -> bool {
        self.verbosity == Verbosity::Quiet
    }

    /// Opens the image that a reference selects.
    pub(crate) fn open_image(&self, reference: &str) -> Result<(Place, Image), Failure> {
        let place = self.open(reference)?;
        let image = place.image()?;
        Ok((place, image))
    }

    /// Opens the image that a reference selects, to edit it; see [`Context::open_to_edit`].
    pub(crate) fn open_image_to_edit(&self, reference: &str, edit: &Edit) -> Result<(Place, Image), Failure> {
        let place = self.open_to_edit(reference, edit)?;
        let image = place.image()?;
        Ok((place, image))
    }

    /// Wraps a repository so that progress is shown. `total` is the number of bytes to read, if known.
    pub(crate) fn watched<'a, S>(
        &self,
        repository: &'a Repository<S>,
        doing: &'static str,
        total: Option<u64>,
    ) -> Repository<Watched<'a, S>> {
        repository.with_store(Watched::new(repository.store(), doing, total, self.show()))
    }

    /// Returns the output while a store is read and written.
    fn show(&self) -> Show {
        match self.verbosity {
            Verbosity::Quiet => Show::Nothing,
            Verbosity::Normal | Verbosity::Verbose => Show::Progress(self.progress),
            // A bar would break the lines about blobs.
            Verbosity::Blobs => Show::Blobs,
        }
    }

    /// Reads or loads the indexes of the layers of an image.
    pub(crate) fn look(&self, place: &Place, image: &Image) -> Result<Look, Failure> {
        let store = self.watched(&place.repository, "reading layers", Some(image.size()));
        Ok(Look::indexed(&store, image, &mut Cache::of_user(), MissingIndex::Read)?)
    }

    /// Lists an image. On another machine, layers with a table of contents are listed by it: to read them
    /// would fetch all of them.
    pub(crate) fn list(&self, place: &Place, image: &Image) -> Result<Look, Failure> {
        if place.repository.store().remote().is_none() {
            return self.look(place, image);
        }
        let store = self.watched(&place.repository, "reading layers", Some(image.size()));
        let look = Look::indexed(&store, image, &mut Cache::of_user(), MissingIndex::Table)?;
        if look.unverified > 0 {
            let (some, all) = (look.unverified, image.layers().len());
            self.note(format_args!(
                "{some} of {all} layers are listed by their own tables of contents, which are not verified"
            ));
        }
        Ok(look)
    }

    /// Prints a result.
    pub(crate) fn print(&self, fill: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), Failure> {
        match self.results {
            Results::Printed => output::print(fill),
            Results::Discarded => Ok(()),
        }
    }

    /// Prints a result of lines.
    pub(crate) fn print_lines(&self, lines: impl IntoIterator<Item = impl Display>) -> Result<(), Failure> {
        self.print(|out| lines.into_iter().try_for_each(|line| writeln!(out, "{line}")))
    }

    /// Prints a report in the requested format.
    pub(crate) fn report(
        &self,
        report: &(impl Report + show::Show + ?Sized),
        format: &Format,
    ) -> Result<(), Failure> {
        match self.results {
            Results::Printed => output::report(report, format),
            Results::Discarded => Ok(()),
        }
    }

    /// Prints the digest of the result of an edit, and warns of referrers of the replaced object.
    pub(crate) fn replaced(
        &self,
        digest: &Digest,
        referrers: &[Descriptor],
        to: &Destination,
    ) -> Result<(), Failure> {
        if to.referrers == Referrers::Keep {
            for Descriptor { digest, artifact_type, media_type, .. } in referrers {
                let kind = printable(artifact_type.as_ref().unwrap_or(media_type).as_str());
                self.warn(format_args!("{digest} ({kind}) refers to the replaced object: see --referrers"));
            }
        }
        self.print(|out| writeln!(out, "{digest}"))
    }

    /// Warns of access control lists that are left out, if there are some.
    pub(crate) fn warn_of_lost(&self, lists: &LostLists) {
        if lists.count > 0 {
            self.warn(printable(&lists.to_string()));
        }
    }

    /// Prints a warning to standard error, unless the command is quiet.
    pub(crate) fn warn(&self, message: impl Display) {
        self.note(format_args!("warning: {message}"));
    }

    /// Prints a message to standard error, unless the command is quiet.
    pub(crate) fn note(&self, message: impl Display) {
        if !self.is_quiet() {
            stream::message(message);
        }
    }

    /// Prints a message to standard error, if the command is verbose.
    pub(crate) fn detail(&self, message: impl Display) {
        if self.verbosity > Verbosity::Normal {
            stream::message(message);
        }
    }
}
