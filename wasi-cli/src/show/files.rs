//! The files of an image, or the changes of one layer.

use std::fmt;

use ocicle::{
    image::look::{FileInfo, FileRow, path_text},
    tree::{mtree::vis, provenance::ChangeKind},
};
use ocicle_report::words;

use super::{Column, Show, columns};

impl Show for [FileRow] {
    fn table(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        let least = if self.iter().any(|row| row.change.is_some()) { 22 } else { 10 };
        let rows: Vec<_> = self.iter().map(cells).collect();
        let [left, right] = [Column::left, Column::right];
        columns(out, [left(least), left(0), right(0), left(19), right(3), left(0)], &rows)
    }

    /// Writes one line per name: path, layer, change or `-`, type, mode, uid, gid, bytes, time, target or
    /// `-`.
    fn plain(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        for FileRow { path, layer, change, file, .. } in self {
            write!(out, "{}\t{layer}\t{}", path_text(path), change.map_or("-", ChangeKind::name))?;
            let Some(FileInfo { file_type, mode, uid, gid, size, mtime, target, .. }) = file else {
                writeln!(out, "\t-\t-\t-\t-\t-\t-\t-")?;
                continue;
            };
            let (file_type, mode) = (words::file_type(*file_type), words::mode(*mode));
            let target = target.as_deref().map_or_else(|| "-".into(), vis::to_text);
            writeln!(out, "\t{file_type}\t{mode}\t{uid}\t{gid}\t{size}\t{mtime}\t{target}")?;
        }
        Ok(())
    }
}

/// Returns the cells: change, type and mode; owner; size; time; layer; path and target.
fn cells(FileRow { path, layer, change, file, .. }: &FileRow) -> [String; 6] {
    let change = change.map_or_else(String::new, |change| format!("{:<10}  ", change.name()));
    let (path, layer) = (path_text(path), layer.to_string());
    let Some(FileInfo { file_type, mode, uid, gid, size, mtime, target, .. }) = file else {
        return [change, String::new(), String::new(), String::new(), layer, path];
    };
    let what = format!("{change}{:<5} {}", words::file_type(*file_type), words::mode(*mode));
    let path = match target {
        Some(target) => format!("{path} -> {}", vis::to_text(target)),
        None => path,
    };
    [what, format!("{uid}:{gid}"), size.to_string(), format!("{:.19}", mtime.to_string()), layer, path]
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests may")]

    use ocicle::image::look::{LayerFiles, list_files};

    use crate::show::testing::{look, path, plain, table};

    #[test]
    fn columns_are_as_wide_as_they_must_be() {
        let (image, look) = look(&[&[("a", Some("1")), ("b", Some("12345"))], &[("a", None)]]);
        let rows = list_files(&look, &path("/")).unwrap();
        assert_eq!(
            table(&rows[..]),
            "dir   0755  0:0  0  1970-01-01T00:00:00    1  /\nfile  0644  0:0  5  1970-01-01T00:00:00    1  /b\n"
        );
        let rows = LayerFiles::of_look(&look, &image, 1).unwrap().list(&look, &path("/"));
        assert_eq!(table(&rows[..]), format!("removed{:44}2  /a\n", ""));
        assert_eq!(plain(&rows[..]), "/a\t2\tremoved\t-\t-\t-\t-\t-\t-\t-\n");
    }
}
