//! ocicle as a WebAssembly component: `wit/world.wit` says what it does. The host opens directories for it,
//! and it sees no others.
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
    Repository,
    attrs::Time,
    bundle::{self, Bundle, RepackOptions, UnpackOptions},
    fs::{Readable, wasi::WasiDir},
    graph::{resolve::Want, rewrite::Destination},
    image::{
        Image,
        layers::merged,
        look::{Look, list_files, read_file},
    },
    layer::on_disk::OnDisk,
    name::EntryPath,
    spec::History,
    store::{BlobWrite as _, layout::LayoutStore},
    tree::mtree,
};

use crate::place::{Place, open_dir};

type Done<T> = Result<T, Failure>;

/// The largest number of bytes that a host gets in one piece.
const MOST: usize = 64 << 20;

struct Component;

impl Guest for Component {
    fn ls(reference: String) -> Done<String> {
        let place = Place::open(&reference)?;
        let at = match place.selector.is_empty() {
            true => None,
            false => Some(place.repository.resolve(&place.selector, Want::Any)?),
        };
        json(&place.repository.list(at.as_ref())?)
    }

    fn stat(reference: String) -> Done<String> {
        let (_, image) = image(&reference)?;
        json(&image)
    }

    fn files(reference: String, path: String) -> Done<String> {
        let (repository, image) = image(&reference)?;
        let path = EntryPath::clean(path.as_bytes(), repository.limits()).map_err(failure::misuse)?;
        json(&list_files(&Look::inside(&repository, &image)?, &path)?[..])
    }

    fn cat(reference: String, path: String) -> Done<Vec<u8>> {
        let (repository, image) = image(&reference)?;
        let path = EntryPath::clean(path.as_bytes(), repository.limits()).map_err(failure::misuse)?;
        let look = Look::inside(&repository, &image)?;
        let mut content = Bounded(Vec::new());
        read_file(&repository, &image, &look, &path, &mut content)?;
        Ok(content.0)
    }

    fn mtree(reference: String, dialect: String) -> Done<Vec<u8>> {
        let (repository, image) = image(&reference)?;
        let tree = merged(&repository, &image, &OnDisk::default())?;
        let mut text = Vec::new();
        mtree::write_tree(&tree, dialect.parse()?, &mut text)?;
        Ok(text)
    }

    fn unpack(reference: String, bundle: String) -> Done<()> {
        let Place { repository, selector } = Place::open(&reference)?;
        let resolution = repository.resolve(&selector, Want::Image)?;
        let image = Image::open(&repository, resolution.target())?;
        let made = std::fs::create_dir(&bundle).is_ok();
        let dir = open_dir(&bundle)?;
        let done = bundle::unpack(&repository, &image, &resolution, &dir, &UnpackOptions::default());
        if done.is_err() && made {
            let _ = std::fs::remove_dir(&bundle); // only if it is empty; the first error is the one to report
        }
        done?;
        Ok(())
    }

    fn repack(bundle: String, layout: String, tag: String, now: u64) -> Done<String> {
        let dir = Readable::new(open_dir(&bundle)?);
        let Place { repository, .. } = Place::open(&layout)?;
        repository.store().hold()?;
        let bundle = Bundle::open(&dir, repository.limits())?;
        let now = Time::from_seconds(i64::try_from(now).map_err(failure::misuse)?);
        let history = History::default().with_created(now.to_string()).with_created_by("ocicle repack");
        let options = RepackOptions::default().latest(now).history(history);
        let to = Destination::tag(tag.parse()?);
        let at = bundle.resolution(&repository)?;
        let image = Image::open(&repository, at.target())?;
        let done = bundle.repack(&repository, &image, &at, &to, &options)?;
        Ok(done.resolution.target().digest.to_string())
    }
}

/// Opens the image of a reference, and the repository it is in.
fn image(reference: &str) -> Done<(Repository<LayoutStore<WasiDir>>, Image)> {
    let Place { repository, selector } = Place::open(reference)?;
    let image = repository.image(&selector)?;
    Ok((repository, image))
}

fn json(report: &(impl ocicle_report::Report + ?Sized)) -> Done<String> {
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
