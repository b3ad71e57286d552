//! ocicle as a WebAssembly component: `wit/world.wit` says what it does. The host opens directories for it, and it sees no others.
#![cfg(target_os = "wasi")]

#[allow(
    unsafe_code,
    unreachable_pub,
    unused_qualifications,
    missing_debug_implementations,
    reason = "generated from wit/world.wit"
)]
mod bindings {
    use super::Component;

    wit_bindgen::generate!({ world: "ocicle" });
    export!(Component with_types_in self);
}
mod failure;
mod place;

use bindings::exports::ocicle::image::images::{Failure, Guest, Kind};
use ocicle::{
    attrs::Time,
    bundle::{self, Bundle, RepackOptions, UnpackOptions},
    fs::Readable,
    graph::{
        list::{list, list_below},
        resolve::Want,
        rewrite::Destination,
    },
    image::{
        Image,
        layers::merged,
        look::{Files, Look, read_file},
    },
    layer::on_disk::OnDisk,
    limits::Limits,
    name::EntryPath,
    spec::History,
    store::RootIndex as _,
    tree::mtree,
};

use crate::place::{Place, open_dir};

type Done<T> = Result<T, Failure>;

/// What a host may be handed in one piece.
const MOST: usize = 64 << 20;

struct Component;

impl Guest for Component {
    fn ls(reference: String) -> Done<String> {
        let limits = Limits::default();
        let place = Place::open(&reference, &limits)?;
        let root = place.store.load()?;
        json(&match place.selector {
            None => list(&place.store, &root, &limits)?,
            Some(_) => list_below(&place.store, &root, &place.resolve(Want::Any, &limits)?, &limits)?,
        })
    }

    fn stat(reference: String) -> Done<String> {
        let (_, image) = image(&reference, &Limits::default())?;
        json(&image)
    }

    fn files(reference: String, path: String) -> Done<String> {
        let limits = Limits::default();
        let (place, image) = image(&reference, &limits)?;
        let path = EntryPath::clean(path.as_bytes(), &limits).map_err(failure::misuse)?;
        json(&Files::merged(&Look::inside(&place.store, &image, &limits)?, &path)?)
    }

    fn cat(reference: String, path: String) -> Done<Vec<u8>> {
        let limits = Limits::default();
        let (place, image) = image(&reference, &limits)?;
        let path = EntryPath::clean(path.as_bytes(), &limits).map_err(failure::misuse)?;
        let look = Look::inside(&place.store, &image, &limits)?;
        let mut content = Bounded(Vec::new());
        read_file(&place.store, &image, &look, &path, &mut content, &limits)?;
        Ok(content.0)
    }

    fn mtree(reference: String, dialect: String) -> Done<Vec<u8>> {
        let limits = Limits::default();
        let (place, image) = image(&reference, &limits)?;
        let tree = merged(&place.store, &image, &OnDisk::default(), &limits)?;
        let mut text = Vec::new();
        mtree::write(&tree, dialect.parse()?, &mut text)?;
        Ok(text)
    }

    fn unpack(reference: String, bundle: String) -> Done<()> {
        let limits = Limits::default();
        let place = Place::open(&reference, &limits)?;
        let resolution = place.resolve(Want::Image, &limits)?;
        let image = Image::open(&place.store, resolution.target(), &limits)?;
        let made = std::fs::create_dir(&bundle).is_ok();
        let dir = open_dir(&bundle)?;
        let options = UnpackOptions::default();
        let done = bundle::unpack(&place.store, &image, &resolution, &dir, &options, &limits);
        if done.is_err() && made {
            let _ = std::fs::remove_dir(&bundle); // only if it is empty; the first error is the one to tell
        }
        done?;
        Ok(())
    }

    fn repack(bundle: String, layout: String, tag: String, now: u64) -> Done<String> {
        let limits = Limits::default();
        let dir = Readable::new(open_dir(&bundle)?);
        let place = Place::open(&layout, &limits)?;
        let bundle = Bundle::open(&dir, &limits)?;
        let now = Time::from_seconds(i64::try_from(now).map_err(failure::misuse)?);
        let history = History {
            created: Some(now.to_string()),
            created_by: Some("ocicle repack".into()),
            ..History::default()
        };
        let options = RepackOptions::default().latest(now).history(history);
        let to = Destination::tag(tag.parse()?);
        let at = bundle.resolution(&place.store)?;
        let image = Image::open(&place.store, at.target(), &limits)?;
        let done = bundle.repack(&place.store, &image, &at, &to, &options)?;
        Ok(done.resolution.target().digest.to_string())
    }
}

/// The image of a reference, and the store it is in.
fn image(reference: &str, limits: &Limits) -> Done<(Place, Image)> {
    let place = Place::open(reference, limits)?;
    let image = Image::open(&place.store, place.resolve(Want::Image, limits)?.target(), limits)?;
    Ok((place, image))
}

fn json(report: &impl ocicle_report::Report) -> Done<String> {
    ocicle_report::to_string_pretty(report)
        .map_err(|error| Failure { kind: Kind::Io, message: error.to_string() })
}

/// A writer that ends at [`MOST`].
struct Bounded(Vec<u8>);

impl std::io::Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if self.0.len() + bytes.len() > MOST {
            return Err(std::io::Error::other(ocicle::Error::Unsupported(format!(
                "the file has more than {MOST} bytes: unpack the image instead"
            ))));
        }
        self.0.write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
