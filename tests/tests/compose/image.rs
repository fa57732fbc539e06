//! The Dockerfile: hadolint has nothing to say, and what it builds from is all that a build needs.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use end_to_end::compose::{root, tool};
use globset::{GlobBuilder, GlobMatcher};

use crate::read;

const DOCKERFILE: &str = "deploy/docker/Dockerfile";

/// What hadolint says of a text.
fn faults(text: &str) -> Option<String> {
    let Some(hadolint) = tool("hadolint").unwrap() else {
        eprintln!("SKIPPED: no pip, so hadolint was not fetched (Debian and Ubuntu: apt-get install python3-pip)");
        return None;
    };
    let mut child = Command::new(hadolint)
        .args(["--no-color", "--failure-threshold", "style", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.success(), said.is_empty(), "{said}");
    Some(said)
}

#[test]
fn hadolint_has_nothing_to_say() {
    let Some(faults) = faults(&read(DOCKERFILE)) else { return };
    assert_eq!(faults, "");
}

/// hadolint sees what it is there to see.
#[test]
fn what_is_wrong_with_a_dockerfile_is_found() {
    for (right, wrong, rule) in [
        ("FROM rust:1.95.0-trixie", "FROM rust", "DL3006"),
        ("FROM rust:1.95.0-trixie", "FROM rust:latest", "DL3007"),
        ("ENTRYPOINT [\"throughline\"]", "ENTRYPOINT throughline", "DL3025"),
        ("COPY schemas schemas", "ADD schemas schemas", "DL3020"),
        ("WORKDIR /source", "WORKDIR source", "DL3000"),
        ("FROM base AS throughline", "FROM base AS demo", "DL3024"),
        ("COPY --from=build ", "COPY --from=biuld ", "DL3022"),
    ] {
        let text = read(DOCKERFILE);
        assert!(text.contains(right), "{right} is not in the file any more");
        let Some(faults) = faults(&text.replacen(right, wrong, 1)) else { return };
        assert!(faults.contains(rule), "{wrong}: {faults}");
    }
}

#[test]
fn every_base_is_pinned() {
    let text = read(DOCKERFILE);
    let stages: BTreeSet<&str> =
        text.lines().filter_map(|line| line.strip_prefix("FROM ")?.split_once(" AS ")).map(|(_, name)| name).collect();
    let mut bases = 0;
    for from in text.lines().filter_map(|line| line.strip_prefix("FROM ")?.split(' ').next()) {
        if !stages.contains(from) {
            let (_, tag) = from.split_once(':').unwrap_or_else(|| panic!("{from} has no tag"));
            assert!(tag.contains("@sha256:") || tag.split('.').count() >= 3, "{from} names no release");
            bases += 1;
        }
    }
    assert_eq!(bases, 2);
    assert!(text.contains(&format!("image.version=\"{}\"", env!("CARGO_PKG_VERSION"))));
}

/// The rules of `.dockerignore`, the last that fits counts.
struct Ignored(Vec<(bool, GlobMatcher)>);

impl Ignored {
    fn read() -> Self {
        let text = read(".dockerignore");
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        Self(
            lines
                .map(|line| {
                    let (kept, pattern) = line.strip_prefix('!').map_or((false, line), |pattern| (true, pattern));
                    let glob = GlobBuilder::new(pattern.trim_end_matches('/')).literal_separator(true).build().unwrap();
                    (kept, glob.compile_matcher())
                })
                .collect(),
        )
    }

    /// Whether a build sees this file: a rule for a folder is one for what is in it.
    fn lets_through(&self, path: &Path) -> bool {
        let fits = |glob: &GlobMatcher| path.ancestors().any(|part| part != Path::new("") && glob.is_match(part));
        self.0.iter().rev().find(|(_, glob)| fits(glob)).is_none_or(|(kept, _)| *kept)
    }
}

/// What the first stage copies, relative to the top of the repository.
fn copied() -> Vec<String> {
    let text = read(DOCKERFILE);
    let lines = text.lines().filter_map(|line| line.strip_prefix("COPY ")).filter(|line| !line.starts_with("--from"));
    let sources = lines.flat_map(|line| {
        let words: Vec<&str> = line.split(' ').collect();
        words[..words.len() - 1].to_vec()
    });
    sources.map(str::to_owned).collect()
}

/// Files below a path, relative to the top; what is not part of the repository is left out.
fn files(path: &Path, found: &mut Vec<PathBuf>) {
    let full = root().join(path);
    if full.is_file() {
        found.push(path.to_owned());
        return;
    }
    for entry in std::fs::read_dir(&full).unwrap_or_else(|error| panic!("{}: {error}", full.display())) {
        let name = entry.unwrap().file_name();
        if name != "target" && name != "node_modules" {
            files(&path.join(name), found);
        }
    }
}

/// What `include_str!` and its like name in a source, relative to the top.
fn included(source: &Path) -> Vec<PathBuf> {
    let text = std::fs::read_to_string(root().join(source)).unwrap();
    let after = ["include_str!(\"", "include_bytes!(\""].map(|macro_| text.split(macro_).skip(1).collect::<Vec<_>>());
    let named = after.into_iter().flatten().filter_map(|rest| rest.split('"').next());
    let resolve = |named: &str| {
        let mut path = source.parent().unwrap().to_owned();
        for part in Path::new(named).components() {
            match part {
                std::path::Component::ParentDir => {
                    assert!(path.pop(), "{named} of {} leaves the repository", source.display())
                }
                part => path.push(part),
            }
        }
        path
    };
    named.map(resolve).collect()
}

#[test]
fn a_build_has_all_that_it_needs_and_nothing_that_it_must_not_have() {
    let ignored = Ignored::read();
    let mut seen = Vec::new();
    for source in copied() {
        let mut of_it = Vec::new();
        files(Path::new(&source), &mut of_it);
        of_it.retain(|path| ignored.lets_through(path));
        assert!(!of_it.is_empty(), "nothing of {source} is let through by .dockerignore");
        seen.append(&mut of_it);
    }
    // Cargo finds every member of the workspace, and in each the programs that its manifest and its folders promise.
    let build = tempfile::tempdir().unwrap();
    for path in &seen {
        let copy = build.path().join(path);
        std::fs::create_dir_all(copy.parent().unwrap()).unwrap();
        std::fs::copy(root().join(path), copy).unwrap();
    }
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--no-deps", "--offline", "--locked", "--format-version", "1"])
        .current_dir(build.path())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    // And the compiler every file that becomes part of a program.
    let is_part = |path: &&PathBuf| {
        path.extension().is_some_and(|end| end == "rs") && !path.iter().any(|part| part == "tests.rs")
    };
    let mut texts = 0;
    for source in seen.iter().filter(is_part) {
        for named in included(source) {
            assert!(
                build.path().join(&named).is_file(),
                "{} includes {}, which a build does not see",
                source.display(),
                named.display()
            );
            texts += 1;
        }
    }
    assert!(texts > 40, "{texts}");
    for secret in [
        ".env",
        "target/debug/throughline",
        ".git/config",
        "deploy/docker/secrets/pagerduty",
        "tests/node_modules/a.js",
    ] {
        assert!(!ignored.lets_through(Path::new(secret)), "{secret} gets into the build");
    }
}
