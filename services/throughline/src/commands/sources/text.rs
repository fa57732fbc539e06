//! Providers and sources as people read them on a terminal.

use textwrap::{Options, WordSplitter, wrap};

use super::{Choice, Connection, Listed};

/// What can be read in one line, however wide the terminal is.
const WIDEST: usize = 100;
/// Narrower than this, a table is no table.
const NARROWEST: usize = 40;
/// Room between columns.
const GAP: &str = "  ";

/// The width to write for: that of the terminal, else 80.
pub fn width() -> usize {
    textwrap::termwidth().clamp(NARROWEST, WIDEST)
}

/// All providers, one below the other.
pub fn table(providers: &[Listed], width: usize) -> String {
    let words = |provider: &Listed| provider.proofs.iter().map(|proof| proof.scheme.to_owned()).collect::<Vec<_>>();
    let heading = ["NAME", "TITLE", "PROVES ITSELF BY", "TELLS"].map(|cell| vec![cell.to_owned()]);
    let mut rows = vec![heading];
    for provider in providers {
        rows.push([vec![provider.name.to_owned()], vec![provider.title.to_owned()], words(provider), Vec::new()]);
    }
    let widest = |column: usize| {
        rows.iter().flat_map(|row| &row[column]).map(|line| textwrap::core::display_width(line)).max().unwrap_or(0)
    };
    let widths = [widest(0), widest(1), widest(2)];
    let taken = widths.iter().sum::<usize>() + widths.len() * GAP.len();
    let left = width.saturating_sub(taken).max(NARROWEST / 2);
    for (row, provider) in rows.iter_mut().skip(1).zip(providers) {
        row[3] = wrap(provider.tells, options(left)).into_iter().map(String::from).collect();
    }
    rows.iter().flat_map(|row| lines(row, widths)).collect::<Vec<_>>().join("\n")
}

/// The lines of one row; the last column has no width of its own.
fn lines(row: &[Vec<String>; 4], widths: [usize; 3]) -> Vec<String> {
    let height = row.iter().map(Vec::len).max().unwrap_or(0);
    let cell = |column: usize, line: usize| row[column].get(line).map_or("", String::as_str);
    let padded = |column: usize, line: usize| {
        let text = cell(column, line);
        let room = widths[column].saturating_sub(textwrap::core::display_width(text));
        format!("{text}{}{GAP}", " ".repeat(room))
    };
    let line = |line| format!("{}{}{}{}", padded(0, line), padded(1, line), padded(2, line), cell(3, line));
    (0..height).map(|at| line(at).trim_end().to_owned()).collect()
}

/// How one source is connected, from top to bottom.
pub fn page(connection: &Connection, width: usize) -> String {
    let provider = &connection.provider;
    let proofs: Vec<&str> = provider.proofs.iter().map(|proof| proof.proof).collect();
    let configured = if connection.configured { "In the configuration" } else { "Into the configuration" };
    let steps =
        connection.steps.iter().enumerate().map(|(index, step)| item(&format!("{:>2}. ", index + 1), step, width));
    let parts = [
        item("", &format!("{} ({})", provider.title, provider.name), width),
        section("Tells", [item("  ", provider.tells, width)], width),
        section("Proves itself by", proofs.into_iter().map(|proof| item("  - ", proof, width)), width),
        section(configured, connection.configuration.lines().map(|line| format!("  {line}")), width),
        section("Steps", steps, width),
        section(
            "Events to choose; without one that is marked * a figure is missing",
            connection.events.iter().map(|expected| event(expected, width)),
            width,
        ),
        section("Least permissions", connection.permissions.iter().map(|text| item("  - ", text, width)), width),
        section("Notes", connection.notes.iter().map(|text| item("  - ", text, width)), width),
        section("Documentation", [format!("  {}", connection.documentation)], width),
    ];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n\n")
}

/// A heading with its lines; nothing without lines.
fn section(heading: &str, lines: impl IntoIterator<Item = String>, width: usize) -> String {
    let lines: Vec<String> = lines.into_iter().collect();
    if lines.is_empty() {
        return String::new();
    }
    format!("{}\n{}", item("", &format!("{heading}:"), width), lines.join("\n"))
}

fn event(choice: &Choice, width: usize) -> String {
    let Choice { event, setting, tells, essential } = choice;
    let mark = if *essential { "  * " } else { "    " };
    // A command is to be copied: it stays one line, whatever the width.
    if setting.starts_with("curl ") {
        return format!("{}\n      {setting}", item(mark, &format!("{event}: {tells}"), width));
    }
    let name = if setting == event { (*event).to_owned() } else { format!("{setting} ({event})") };
    item(mark, &format!("{name}: {tells}"), width)
}

/// A text behind a mark, wrapped, its further lines below its first.
fn item(mark: &str, text: &str, width: usize) -> String {
    let indent = " ".repeat(mark.chars().count());
    let lines = wrap(text, options(width).initial_indent(mark).subsequent_indent(&indent));
    // A first word that is longer than the line leaves the mark alone.
    lines.iter().map(|line| line.trim_end()).collect::<Vec<_>>().join("\n")
}

/// Addresses, names of headers and commands stay whole, so that they can be copied.
fn options<'a>(width: usize) -> Options<'a> {
    Options::new(width).break_words(false).word_splitter(WordSplitter::NoHyphenation)
}
