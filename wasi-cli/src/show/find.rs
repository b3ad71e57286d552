//! Files that `find` finds.

use std::fmt;

use ocicle::image::find::{Find, Finds, Secret};

use super::{Show, human_size};

impl Show for Finds {
    fn table(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        for Find { path, layer, kind, mode, uid, gid, size, secret, hidden_by, hidden_how, .. } in &self.found
        {
            let owner = format!("{uid}:{gid}");
            write!(out, "{kind:<8}  {mode}  {owner:<9}  {:>8}  {layer:>3}  {path}", human_size(*size))?;
            if let Some(secret) = secret {
                write!(out, "  {}", secret.name())?;
            }
            match (hidden_by, hidden_how) {
                (Some(layer), Some(how)) => writeln!(out, "  ({how} by layer {layer})")?,
                _ => writeln!(out)?,
            }
        }
        Ok(())
    }

    /// A line for each: path, layer, type, mode, uid, gid, bytes, secret or `-`, hidden by layer or `-`, how or `-`.
    fn plain(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        for Find { path, layer, kind, mode, uid, gid, size, secret, hidden_by, hidden_how, .. } in &self.found
        {
            let secret = secret.as_ref().map_or("-", Secret::name);
            let hidden_by = hidden_by.map_or_else(|| "-".into(), |layer| layer.to_string());
            writeln!(
                out,
                "{path}\t{layer}\t{kind}\t{mode}\t{uid}\t{gid}\t{size}\t{secret}\t{hidden_by}\t{}",
                hidden_how.unwrap_or("-")
            )?;
        }
        Ok(())
    }
}
