//! The operating curve as a picture: how many of the shifts of a size are found after how many releases.

use std::fmt::Write as _;

use super::trials::{AFTER, Outcome};

const COLUMNS: usize = 2;
const WIDTH: usize = 470;
const HEIGHT: usize = 300;
/// Room around the axes of a panel: left, above, right, below.
const MARGIN: [usize; 4] = [44, 46, 64, 38];
const HEAD: usize = 56;

/// Colours are set for light and for dark; a line is told from others by its label, too.
const STYLE: &str = "\
text{font:12px system-ui,sans-serif;fill:#24292f}.title{font-size:15px;font-weight:600}.panel{font-weight:600}\
.quiet{fill:#59636e;font-size:11px}.grid{stroke:#d1d9e0;stroke-width:1}.back{fill:#ffffff}\
path{fill:none;stroke-width:2}.c0{stroke:#8250df}.c1{stroke:#0969da}.c2{stroke:#bc4c00}.c3{stroke:#1a7f37}\
text.c0,text.c1,text.c2,text.c3{stroke:none;font-weight:600}\
text.c0{fill:#8250df}text.c1{fill:#0969da}text.c2{fill:#bc4c00}text.c3{fill:#1a7f37}\
.dashed{stroke-dasharray:5 4}\
@media (prefers-color-scheme:dark){text{fill:#f0f6fc}.quiet{fill:#9198a1}.grid{stroke:#3d444d}.back{fill:#0d1117}\
.c0{stroke:#ab7df8}.c1{stroke:#4493f8}.c2{stroke:#f0883e}.c3{stroke:#3fb950}\
text.c0{fill:#ab7df8}text.c1{fill:#4493f8}text.c2{fill:#f0883e}text.c3{fill:#3fb950}}";

/// What is found of the shifts of one kind.
#[derive(Clone, Debug)]
pub struct Panel {
    /// What grew.
    pub title: String,
    /// What else is to be said.
    pub note: String,
    /// By size.
    pub lines: Vec<Line>,
}

/// What is found of the shifts of one size.
#[derive(Clone, Debug)]
pub struct Line {
    /// Size.
    pub label: String,
    /// Which colour.
    pub colour: usize,
    /// For comparison only.
    pub dashed: bool,
    /// Share found, after one release, two, and so on.
    pub found: Vec<f64>,
}

/// Share found after one release, two, and so on.
#[must_use]
pub fn shares(outcomes: &[Outcome]) -> Vec<f64> {
    (1..=AFTER).map(|releases| share(outcomes, releases)).collect()
}

/// Share found within so many releases.
#[must_use]
pub fn share(outcomes: &[Outcome], releases: usize) -> f64 {
    let found = outcomes.iter().filter(|outcome| outcome.found.is_some_and(|found| found <= releases)).count();
    found as f64 / outcomes.len().max(1) as f64
}

/// Draws the panels.
#[must_use]
pub fn svg(title: &str, subtitle: &str, panels: &[Panel]) -> String {
    let (width, height) = (COLUMNS * WIDTH, HEAD + panels.len().div_ceil(COLUMNS) * HEIGHT);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" role=\"img\" aria-label=\"{title}\">\n\
         <style>{STYLE}</style>\n<rect class=\"back\" width=\"{width}\" height=\"{height}\"/>\n\
         <text class=\"title\" x=\"16\" y=\"26\">{title}</text>\n<text class=\"quiet\" x=\"16\" y=\"46\">{subtitle}</text>\n"
    );
    for (place, panel) in panels.iter().enumerate() {
        let (x, y) = ((place % COLUMNS) * WIDTH, HEAD + (place / COLUMNS) * HEIGHT);
        panel.draw(&mut svg, x, y);
    }
    svg.push_str("</svg>\n");
    svg
}

/// Where things are in a panel.
struct Axes {
    left: f64,
    top: f64,
    width: f64,
    height: f64,
}

impl Axes {
    fn x(&self, releases: usize) -> f64 {
        self.left + self.width * releases as f64 / AFTER as f64
    }

    fn y(&self, share: f64) -> f64 {
        self.top + self.height * (1.0 - share)
    }
}

impl Panel {
    fn draw(&self, svg: &mut String, x: usize, y: usize) {
        let [left, above, right, below] = MARGIN;
        let axes = Axes {
            left: (x + left) as f64,
            top: (y + above) as f64,
            width: (WIDTH - left - right) as f64,
            height: (HEIGHT - above - below) as f64,
        };
        let (start, title, note) = (x + left, y + 18, y + 34);
        let _ = writeln!(svg, "<text class=\"panel\" x=\"{start}\" y=\"{title}\">{}</text>", self.title);
        let _ = writeln!(svg, "<text class=\"quiet\" x=\"{start}\" y=\"{note}\">{}</text>", self.note);
        axes.draw(svg);
        let mut labels: Vec<(f64, &Line)> = Vec::new();
        for line in &self.lines {
            let points = line.found.iter().enumerate().map(|(i, share)| (axes.x(i + 1), axes.y(*share)));
            let path: Vec<String> = points.map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
            let dashed = if line.dashed { " dashed" } else { "" };
            let from = format!("{:.1},{:.1}", axes.x(0), axes.y(0.0));
            let _ = writeln!(svg, "<path class=\"c{}{dashed}\" d=\"M{from} L{}\"/>", line.colour, path.join(" "));
            labels.push((axes.y(line.found.last().copied().unwrap_or_default()), line));
        }
        labels.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut free = f64::MIN;
        for (y, line) in labels {
            let y = (y + 4.0).max(free);
            free = y + 14.0;
            let x = axes.x(AFTER) + 6.0;
            let _ = writeln!(svg, "<text class=\"c{}\" x=\"{x:.1}\" y=\"{y:.1}\">{}</text>", line.colour, line.label);
        }
    }
}

impl Axes {
    fn draw(&self, svg: &mut String) {
        let (left, right, top, bottom) = (self.x(0), self.x(AFTER), self.y(1.0), self.y(0.0));
        for percent in [0, 25, 50, 75, 95, 100] {
            let y = self.y(f64::from(percent) / 100.0);
            let _ = writeln!(svg, "<line class=\"grid\" x1=\"{left}\" x2=\"{right}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>");
            if percent != 100 {
                let (x, y) = (left - 6.0, y + 4.0);
                let _ = writeln!(
                    svg,
                    "<text class=\"quiet\" text-anchor=\"end\" x=\"{x}\" y=\"{y:.1}\">{percent} %</text>"
                );
            }
        }
        for releases in (0..=AFTER).step_by(10) {
            let (x, y) = (self.x(releases), bottom + 16.0);
            let _ = writeln!(svg, "<line class=\"grid\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{top}\" y2=\"{bottom}\"/>");
            let _ =
                writeln!(svg, "<text class=\"quiet\" text-anchor=\"middle\" x=\"{x:.1}\" y=\"{y}\">{releases}</text>");
        }
        let (x, y) = (f64::midpoint(left, right), bottom + 31.0);
        let _ = writeln!(
            svg,
            "<text class=\"quiet\" text-anchor=\"middle\" x=\"{x:.1}\" y=\"{y}\">releases since the shift</text>"
        );
    }
}
