//! The pages that the browser shows on the way: one button, and how it ended.

use std::fmt::Write;

use serde_json::Value;

const STYLE: &str = "
:root { color-scheme: light dark; --back: #f6f7f9; --card: #fff; --ink: #1b1f24; --quiet: #57606a; --line: #d8dee4;
  --button: #1f6f43; --bad: #b3261e }
@media (prefers-color-scheme: dark) { :root { --back: #0e1116; --card: #161b22; --ink: #e6edf3; --quiet: #9aa5b1;
  --line: #30363d; --button: #2b8a57; --bad: #ff8a80 } }
* { box-sizing: border-box }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 1rem; background: var(--back);
  color: var(--ink); font: 1rem/1.5 system-ui, sans-serif }
main { width: 100%; max-width: 36rem; padding: 2rem; background: var(--card); border: 1px solid var(--line);
  border-radius: 12px }
h1 { margin: 0 0 .5rem; font-size: 1.4rem; line-height: 1.25 }
h1.bad { color: var(--bad) }
p { margin: 0 0 1rem; color: var(--quiet) }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .4rem 1rem; margin: 1.25rem 0; padding: 1rem 0;
  border-block: 1px solid var(--line) }
dt { color: var(--quiet) }
dd { margin: 0; overflow-wrap: anywhere }
button, a.button { display: block; width: 100%; padding: .8rem 1rem; border: 0; border-radius: 8px;
  background: var(--button); color: #fff; font: inherit; font-weight: 600; text-align: center; text-decoration: none;
  cursor: pointer }
button:focus-visible, a.button:focus-visible { outline: 3px solid var(--ink); outline-offset: 2px }
small { display: block; margin-top: 1rem; color: var(--quiet) }
@media (max-width: 30rem) { main { padding: 1.25rem } dl { grid-template-columns: 1fr; gap: 0 }
  dd { margin-bottom: .6rem } }
";

/// The page with the button, which sends the manifest to `action`.
pub fn start(action: &str, owner: &str, manifest: &Value) -> String {
    let text = |name: &str| escaped(manifest[name].as_str().unwrap_or_default());
    let permissions = manifest["default_permissions"].as_object().into_iter().flatten();
    let permissions: Vec<String> = permissions.map(|(name, _)| escaped(&name.replace('_', " "))).collect();
    let events = manifest["default_events"].as_array().map_or(0, Vec::len);
    page(
        "Connect GitHub",
        &format!(
            "<h1>Connect GitHub</h1>
<p>GitHub makes an App that belongs to {owner}, tells Throughline what happens, and can change nothing.</p>
<dl>
<dt>App</dt><dd>{name}</dd>
<dt>Tells</dt><dd>{hook}, {events} kinds of events</dd>
<dt>May read</dt><dd>{permissions}</dd>
<dt>May write</dt><dd>nothing</dd>
</dl>
<form method=\"post\" action=\"{action}\">
<input type=\"hidden\" name=\"manifest\" value=\"{manifest}\">
<button type=\"submit\">Create the App at GitHub</button>
</form>
<small>GitHub asks once more, and lets you change the name. Its key and its secret are kept on the machine that runs the \
command, and are shown nowhere.</small>",
            owner = escaped(owner),
            name = text("name"),
            hook = escaped(manifest["hook_attributes"]["url"].as_str().unwrap_or_default()),
            permissions = permissions.join(", "),
            action = escaped(action),
            manifest = escaped(&manifest.to_string()),
        ),
    )
}

/// The App is made; where it is installed.
pub fn made(name: &str, install: &str) -> String {
    page(
        "The App is made",
        &format!(
            "<h1>{} is made</h1>
<p>Its key and its secret are kept. The terminal shows what to put into the configuration.</p>
<a class=\"button\" href=\"{}\">Install it on your repositories</a>",
            escaped(name),
            escaped(install),
        ),
    )
}

/// It did not go well.
pub fn failed(heading: &str, why: &str) -> String {
    page("Not connected", &format!("<h1 class=\"bad\">{}</h1>\n<p>{}</p>", escaped(heading), escaped(why)))
}

fn page(title: &str, body: &str) -> String {
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
{body}
</main>
</body>
</html>
"
    )
}

/// A text that may stand in an element and in an attribute.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '<' | '>' | '&' | '"' | '\'') {
            // Writing to a text cannot fail.
            let _ = write!(safe, "&#{};", u32::from(c));
        } else {
            safe.push(c);
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_shown_cannot_leave_its_place() {
        let evil = "\"><script>alert('1')</script>&";
        let manifest =
            json!({ "name": evil, "hook_attributes": { "url": evil }, "default_permissions": { "contents": "read" } });
        for page in [start(evil, evil, &manifest), made(evil, evil), failed(evil, evil)] {
            assert!(!page.contains("<script"), "{page}");
            assert!(!page.contains("('1')"), "{page}");
        }
    }
}
