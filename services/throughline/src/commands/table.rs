//! Tables on a terminal.

/// Lays rows out in columns; columns of numbers are told by `right` and stand at the right.
pub fn columns(rows: &[Vec<String>], right: impl Fn(usize) -> bool) -> String {
    let width = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max();
    let widths: Vec<usize> = (0..).map_while(width).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).enumerate().map(|(column, (cell, width))| {
            let width = *width;
            if right(column) { format!("{cell:>width$}") } else { format!("{cell:<width$}") }
        });
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::columns;

    #[test]
    fn numbers_stand_at_the_right() {
        let rows = [["Größe", "9"], ["x", "10"]].map(|row| row.map(str::to_owned).to_vec());
        assert_eq!(columns(&rows, |column| column == 1), "Größe   9\nx      10");
        assert_eq!(columns(&rows, |_| false), "Größe  9\nx      10");
        assert_eq!(columns(&[], |_| false), "");
    }
}
