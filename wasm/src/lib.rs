//! ocicle for JavaScript: the same reports as the command's, on a layout that is handed in as files.
//!
//! ```js
//! const layout = new Layout({ "oci-layout": bytes, "index.json": bytes, "blobs/sha256/…": bytes });
//! console.log(layout.ls("table"));
//! ```

use js_sys::{Array, Object, Uint8Array};
use ocicle::{
    graph::{
        Resolution,
        list::list,
        resolve::{Want, resolve},
        selector::Selector,
    },
    image::{Image, layers::merged},
    layer::on_disk::OnDisk,
    limits::Limits,
    store::{RootIndex as _, memory::MemoryStore},
    text::Report,
    tree::mtree,
};
use wasm_bindgen::prelude::*;

/// An OCI layout in memory.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Layout {
    store: MemoryStore,
    limits: Limits,
}

#[wasm_bindgen]
impl Layout {
    /// Takes the files of a layout: an object with paths as keys and `Uint8Array`s as values. Throws an `Error` if they are
    /// not a layout.
    #[wasm_bindgen(constructor)]
    pub fn new(files: &Object) -> Result<Layout, JsError> {
        let entries = Object::entries(files);
        let files = entries.iter().map(|pair| {
            let pair: Array = pair.unchecked_into();
            (pair.get(0).as_string().unwrap_or_default(), Uint8Array::new(&pair.get(1)).to_vec())
        });
        let limits = Limits::default();
        Ok(Self { store: MemoryStore::from_layout(files, &limits)?, limits })
    }

    /// What `ocicle ls` prints: `format` is `table`, `json` or `plain`.
    pub fn ls(&self, format: &str) -> Result<String, JsError> {
        render(&list(&self.store, &self.store.load()?, &self.limits)?, format)
    }

    /// What `ocicle resolve` prints: `fragment` is what follows `#` in a reference, or nothing.
    pub fn resolve(&self, fragment: Option<String>, format: &str) -> Result<String, JsError> {
        render(&self.find(fragment, Want::Any)?.report(&self.store, &self.limits), format)
    }

    /// What `ocicle mtree` prints, in the dialect `native`, `portable`, `bsd` or `umoci`, as bytes.
    pub fn mtree(&self, fragment: Option<String>, dialect: &str) -> Result<Vec<u8>, JsError> {
        let resolution = self.find(fragment, Want::Image)?;
        let image = Image::open(&self.store, resolution.target(), &self.limits)?;
        let tree = merged(&self.store, &image, &OnDisk::default(), &self.limits)?;
        let mut text = Vec::new();
        mtree::write(&tree, dialect.parse()?, &mut text)?;
        Ok(text)
    }

    fn find(&self, fragment: Option<String>, want: Want) -> Result<Resolution, JsError> {
        let selector: Option<Selector> = fragment.map(|text| text.parse()).transpose()?;
        Ok(resolve(&self.store, &self.store.load()?, selector.as_ref(), want, &self.limits)?)
    }
}

fn render(report: &impl Report, format: &str) -> Result<String, JsError> {
    match format {
        "plain" => {
            let mut text = String::new();
            report.plain(&mut text).map_err(|error| JsError::new(&error.to_string()))?;
            Ok(text)
        }
        "table" => Ok(report.to_string()),
        "json" => Ok(serde_json::to_string_pretty(report)? + "\n"),
        other => {
            Err(JsError::new(&format!("unknown format {other:?}: expected \"table\", \"json\" or \"plain\"")))
        }
    }
}
