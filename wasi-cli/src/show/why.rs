//! The changes of all layers to a path.

use std::fmt;

use ocicle::{
    image::look::{Deed, Why},
    text::printable,
};

use super::{Show, human_size};

impl Show for Why {
    fn table(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        for Deed { layer, what, with, size, created_by, .. } in &self.deeds {
            let what = match with {
                Some(above) => format!("{what} with {above}"),
                None => (*what).to_owned(),
            };
            let size = if *size == 0 { String::new() } else { format!(", {}", human_size(*size)) };
            write!(out, "layer {layer}: {what}{size}")?;
            match created_by {
                Some(command) => writeln!(out, "  ({})", printable(command))?,
                None => writeln!(out)?,
            }
        }
        match self.exists {
            true => Ok(()),
            false => writeln!(out, "{} is not there in the end", self.path),
        }
    }

    /// Writes one line per change: layer, digest, change, bytes, the removed directory or `-`, command or
    /// `-`.
    fn plain(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        for Deed { layer, digest, what, with, size, created_by, .. } in &self.deeds {
            let command = created_by.as_deref().map_or_else(|| "-".into(), printable);
            writeln!(
                out,
                "{layer}\t{digest}\t{what}\t{size}\t{}\t{command}",
                with.as_deref().unwrap_or("-")
            )?;
        }
        Ok(())
    }
}
