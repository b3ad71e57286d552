//! `raw add-layer`.

use std::{
    fs::File,
    io::{self, Read, Write},
};

use ocicle::{
    digest::Digest,
    graph::resolve::Want,
    image::{Image, edit::append_layer},
    layer::import::{Recompress, import_layer},
    limits::Limits,
    spec::media_type::Compression,
    store::{BlobWrite, Pending},
};

use crate::{
    args::{AddLayer, Args, Raw},
    commands::bundle::{Lines, compression},
    failure::Failure,
    output,
    place::Place,
    progress::Watched,
};

pub(super) fn run(args: &Args, step: &Raw, limits: &Limits) -> Result<(), Failure> {
    match step {
        Raw::AddLayer(add) => add_layer(args, add, limits),
    }
}

fn add_layer(args: &Args, add: &AddLayer, limits: &Limits) -> Result<(), Failure> {
    let place = Place::open(&add.reference, limits)?;
    let at = place.resolve(Want::Image, limits)?;
    let base = Image::open(&place.store, at.target(), limits)?;
    let history = add.history.entry("raw add-layer")?;
    let last = base.manifest.view().layers.last().and_then(|layer| layer.media_type.layer_compression());
    let how = match compression(add.compress) {
        Some(wanted) => Recompress::As(wanted),
        None => {
            Recompress::IfPlain(last.filter(|last| *last != Compression::None).unwrap_or(Compression::Gzip))
        }
    };
    let what = add.archive.display().to_string();
    let (mut file, mut input);
    let (archive, what): (&mut dyn Read, &str) = if what == "-" {
        input = io::stdin().lock();
        (&mut input, "standard input")
    } else {
        file = File::open(&add.archive).map_err(|error| Failure::failed(format!("open {what}: {error}")))?;
        (&mut file, &what)
    };
    if add.edit.dry_run {
        let mut lines = Lines::default();
        import_layer(&Nowhere, archive, what, how, &mut lines, limits)?;
        return lines.print();
    }
    let store = Watched::new(args, &place.store, "storing", None);
    let (layer, compression) = import_layer(&store, archive, what, how, &mut (), limits)?;
    let digest = place.edit_image(add.tag.as_deref(), limits, |image| {
        append_layer(&place.store, image, &layer, compression, history.as_ref())
    })?;
    output::print(|out| writeln!(out, "{digest}"))
}

/// A store that keeps nothing: for finding out whether a layer could be stored.
struct Nowhere;

impl BlobWrite for Nowhere {
    fn begin(&self) -> ocicle::Result<Box<dyn Pending + '_>> {
        Ok(Box::new(Self))
    }
}

impl Write for Nowhere {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Pending for Nowhere {
    fn publish(self: Box<Self>, _: &Digest) -> ocicle::Result<()> {
        Ok(())
    }
}
