//! Rows in columns.

use std::fmt;

/// The alignment of a column.
#[derive(Debug, Clone, Copy)]
pub(super) struct Column {
    is_right: bool,
    least: usize,
}

impl Column {
    /// Returns a left-aligned column with a minimum width.
    pub(super) const fn left(least: usize) -> Self {
        Self { is_right: false, least }
    }

    /// Returns a right-aligned column with a minimum width.
    pub(super) const fn right(least: usize) -> Self {
        Self { is_right: true, least }
    }
}

/// Writes one line per row. Each column but the last is as wide as its widest cell, followed by two spaces.
pub(super) fn columns<const N: usize>(
    out: &mut dyn fmt::Write,
    columns: [Column; N],
    rows: &[[String; N]],
) -> fmt::Result {
    let mut widths = columns.map(|column| column.least);
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    for row in rows {
        for (number, ((cell, column), width)) in row.iter().zip(columns).zip(widths).enumerate() {
            match column.is_right {
                _ if number + 1 == N => writeln!(out, "{cell}")?,
                true => write!(out, "{cell:>width$}  ")?,
                false => write!(out, "{cell:<width$}  ")?,
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Column, columns};

    #[test]
    fn cells_are_padded_to_the_widest() {
        let rows = [["a", "1", "x"], ["bcd", "äöüß", "y z"]].map(|row| row.map(String::from));
        let mut text = String::new();
        assert!(columns(&mut text, [Column::left(0), Column::right(2), Column::left(9)], &rows).is_ok());
        assert_eq!(text, "a       1  x\nbcd  äöüß  y z\n");
    }
}
