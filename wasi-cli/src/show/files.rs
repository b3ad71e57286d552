//! The files of an image, or what one layer does.

use std::fmt;

use ocicle::image::look::{Facts, FileRow, Files};

use super::{Column, Show, columns};

impl Show for Files {
    fn table(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        let least = if self.files.iter().any(|row| row.change.is_some()) { 22 } else { 10 };
        let rows: Vec<_> = self.files.iter().map(cells).collect();
        let [left, right] = [Column::left, Column::right];
        columns(out, [left(least), left(0), right(0), left(19), right(3), left(0)], &rows)
    }

    /// A line for each name: path, layer, change or `-`, type, mode, uid, gid, bytes, time, target or `-`.
    fn plain(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        for FileRow { path, layer, change, now, .. } in &self.files {
            write!(out, "{path}\t{layer}\t{}", change.unwrap_or("-"))?;
            match now {
                Some(Facts { kind, mode, uid, gid, size, mtime, target, .. }) => writeln!(
                    out,
                    "\t{kind}\t{mode}\t{uid}\t{gid}\t{size}\t{mtime}\t{}",
                    target.as_deref().unwrap_or("-")
                )?,
                None => writeln!(out, "\t-\t-\t-\t-\t-\t-\t-")?,
            }
        }
        Ok(())
    }
}

/// Change, type and mode; owner; size; time; layer; path and target.
fn cells(FileRow { path, layer, change, now, .. }: &FileRow) -> [String; 6] {
    let change = change.map_or_else(String::new, |change| format!("{change:<10}  "));
    let layer = layer.to_string();
    let Some(Facts { kind, mode, uid, gid, size, mtime, target, .. }) = now else {
        return [change, String::new(), String::new(), String::new(), layer, path.clone()];
    };
    let what = format!("{change}{kind:<5} {mode}");
    let path = match target {
        Some(target) => format!("{path} -> {target}"),
        None => path.clone(),
    };
    [what, format!("{uid}:{gid}"), size.to_string(), format!("{mtime:.19}"), layer, path]
}
