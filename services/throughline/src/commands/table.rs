//! Tables on a terminal.

use textwrap::{Options, WordSplitter, core::display_width, wrap};

/// What can be read in one line, however wide the terminal is.
const WIDEST: usize = 120;
/// Narrower than this, a table is no table.
const NARROWEST: usize = 40;
/// Narrower than this, a text is no column: it stands below its row.
const NARROWEST_TEXT: usize = 36;

/// The width to write for: that of the terminal, else 80.
pub fn width() -> usize {
    textwrap::termwidth().clamp(NARROWEST, WIDEST)
}

/// Lays rows out in columns, the last of which is a text that is wrapped.
pub fn wrapped(rows: &[Vec<String>], indent: &str, width: usize) -> String {
    let widest =
        |column: usize| rows.iter().filter(|row| row.len() > column + 1).map(|row| display_width(&row[column])).max();
    let widths: Vec<usize> = (0..).map_while(widest).collect();
    let taken = indent.len() + widths.iter().map(|width| width + 2).sum::<usize>();
    let below = width.saturating_sub(taken) < NARROWEST_TEXT;
    let hanging = if below { format!("{indent}    ") } else { " ".repeat(taken) };
    let options = Options::new(width).break_words(false).word_splitter(WordSplitter::NoHyphenation);
    let lines = |row: &Vec<String>| {
        let (text, cells) = row.split_last()?;
        let padded: String = cells
            .iter()
            .zip(&widths)
            .map(|(cell, width)| format!("{cell}{}  ", " ".repeat(width.saturating_sub(display_width(cell)))))
            .collect();
        let head = format!("{indent}{padded}");
        let options = options.clone().subsequent_indent(&hanging);
        if !below {
            return Some(wrap(text, options.initial_indent(&head)).join("\n"));
        }
        Some(format!("{}\n{}", head.trim_end(), wrap(text, options.initial_indent(&hanging)).join("\n")))
    };
    rows.iter().filter_map(lines).collect::<Vec<_>>().join("\n")
}

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
    use super::{columns, wrapped};

    #[test]
    fn numbers_stand_at_the_right() {
        let rows = [["Größe", "9"], ["x", "10"]].map(|row| row.map(str::to_owned).to_vec());
        assert_eq!(columns(&rows, |column| column == 1), "Größe   9\nx      10");
        assert_eq!(columns(&rows, |_| false), "Größe  9\nx      10");
        assert_eq!(columns(&[], |_| false), "");
    }

    #[test]
    fn a_text_is_wrapped_beside_its_row_or_below_it() {
        let rows = [["a", "b c d e f"], ["größe", "g"]].map(|row| row.map(str::to_owned).to_vec());
        assert_eq!(wrapped(&rows, "", 80), "a      b c d e f\ngröße  g");
        let long = [["a".to_owned(), "word ".repeat(9).trim().to_owned()].to_vec()];
        assert_eq!(wrapped(&long, " ", 44), " a  word word word word word word word word\n    word");
        assert_eq!(wrapped(&long, " ", 30), " a\n     word word word word word\n     word word word word");
    }
}
