//! What to do about an alert: the page that its `runbook_url` leads to.

use axum::Router;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd, html};

const TEXT: &str = include_str!("../../../../deploy/prometheus/RUNBOOKS.md");
/// What a section begins with.
const HEADING: &str = "\n## ";

const STYLE: &str = "
:root { color-scheme: light dark; --back: #f6f7f9; --card: #fff; --ink: #1b1f24; --quiet: #57606a; --line: #d8dee4; --link: #0b5cad }
@media (prefers-color-scheme: dark) { :root { --back: #0e1116; --card: #161b22; --ink: #e6edf3; --quiet: #9aa5b1;
  --line: #30363d; --link: #6cb2ff } }
* { box-sizing: border-box }
body { margin: 0; padding: 1rem; background: var(--back); color: var(--ink); font: 1rem/1.6 system-ui, sans-serif }
main { max-width: 46rem; margin: 0 auto; padding: 1.5rem 2rem; background: var(--card); border: 1px solid var(--line);
  border-radius: 12px; overflow-wrap: anywhere }
h1 { margin: .2rem 0 1rem; font-size: 1.5rem; line-height: 1.25 }
h2 { margin: 2rem 0 .75rem; font-size: 1.25rem }
a { color: var(--link) }
code { padding: .1em .3em; border: 1px solid var(--line); border-radius: 4px; font-size: .9em }
table { display: block; overflow-x: auto; border-collapse: collapse; margin: 1rem 0 }
th, td { padding: .4rem .8rem .4rem 0; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top;
  overflow-wrap: normal }
nav { color: var(--quiet) }
@media (max-width: 30rem) { body { padding: 0 } main { padding: 1rem; border: 0; border-radius: 0 } }
";

/// `/runbooks`, and `/runbooks/NAME` for each alert.
pub fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new().route("/runbooks", get(all)).route("/runbooks/{name}", get(one))
}

async fn all() -> Html<String> {
    let contents: String = sections().map(|(heading, _)| format!("- [{heading}]({})\n", link(heading))).collect();
    let (introduction, _) = TEXT.split_once(HEADING).unwrap_or((TEXT, ""));
    Html(page("Runbooks", &format!("{introduction}\n\n{contents}")))
}

async fn one(Path(wanted): Path<String>) -> Response {
    match sections().find(|(heading, _)| name(heading) == wanted) {
        Some((heading, text)) => {
            Html(page(heading, &format!("[All runbooks](/runbooks)\n\n# {heading}\n{text}"))).into_response()
        }
        None => {
            let known: Vec<String> = sections().map(|(heading, _)| name(heading)).collect();
            (StatusCode::NOT_FOUND, format!("no runbook {wanted:?}; there are {}\n", known.join(", "))).into_response()
        }
    }
}

/// Headings and texts of the sections.
fn sections() -> impl Iterator<Item = (&'static str, &'static str)> {
    TEXT.split(HEADING).skip(1).map(|section| section.split_once('\n').unwrap_or((section, "")))
}

/// The heading as an address has it: `lead-time-regressed`.
fn name(heading: &str) -> String {
    let plain = |char: char| if char.is_ascii_alphanumeric() { char.to_ascii_lowercase() } else { '-' };
    heading.trim().chars().map(plain).collect()
}

fn link(heading: &str) -> String {
    format!("/runbooks/{}", name(heading))
}

fn page(title: &str, text: &str) -> String {
    // Files of the repository are not served: what leads to one is plain text here.
    let mut leads_nowhere = false;
    let events = Parser::new_ext(text, Options::ENABLE_TABLES).filter(|event| match event {
        Event::Start(Tag::Link { dest_url, .. }) => {
            leads_nowhere = !(dest_url.starts_with("https://") || dest_url.starts_with('/'));
            !leads_nowhere
        }
        Event::End(TagEnd::Link) => !std::mem::take(&mut leads_nowhere),
        _ => true,
    });
    let mut body = String::new();
    html::push_html(&mut body, events);
    format!(
        "<!doctype html>
<html lang=\"en\">
<head>
<meta charset=\"utf-8\">
<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">
<title>{title} · Throughline</title>
<style>{STYLE}</style>
</head>
<body>
<main>
{body}</main>
</body>
</html>
"
    )
}
