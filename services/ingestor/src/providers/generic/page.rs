//! How a script tells something: a line for each kind.

use crate::providers::{Expected, Page};

/// A line that sends a body.
macro_rules! curl {
    ($body:literal) => {
        concat!(
            "curl -fsS {url} -H \"Authorization: Bearer {secret}\" -H 'Content-Type: application/json' -d '",
            $body,
            "'"
        )
    };
}

const fn kind(event: &'static str, setting: &'static str, tells: &'static str, essential: bool) -> Expected {
    Expected { event, setting, tells, essential }
}

/// Every kind of body, with the line that sends one.
pub const EVENTS: &[Expected] = &[
    kind(
        "commit",
        curl!(
            r#"{"kind": "commit", "repository": "github.com/acme/shop", "commit": "6dcb09b5b57875f334f61aebed695e2e4193db5e", "parents": ["3f1c0a9e5b7d2468ace013579bdf02468ace1357"], "authored_at": "2026-05-01T08:00:00Z", "author": "author@example.org"}"#
        ),
        "one commit",
        false,
    ),
    kind(
        "push",
        curl!(
            r#"{"kind": "push", "repository": "github.com/acme/shop", "branch": "main", "default_branch": "main", "before": "3f1c0a9e5b7d2468ace013579bdf02468ace1357", "commit": "6dcb09b5b57875f334f61aebed695e2e4193db5e", "commits": [{"commit": "6dcb09b5b57875f334f61aebed695e2e4193db5e", "authored_at": "2026-05-01T08:00:00Z"}], "at": "2026-05-01T09:00:00Z"}"#
        ),
        "a branch that moved, and what came with it",
        true,
    ),
    kind(
        "change",
        curl!(
            r#"{"kind": "change", "id": "12", "repository": "github.com/acme/shop", "status": "merged", "branch": "basket", "target_branch": "main", "commit": "9b1d0c2e3f4a5b6c7d8e9f0a1b2c3d4e5f6a7b8c", "merge_commit": "6dcb09b5b57875f334f61aebed695e2e4193db5e", "created_at": "2026-04-30T08:30:00Z", "at": "2026-05-01T09:00:00Z", "by": "github.com/octocat"}"#
        ),
        "a pull or merge request",
        true,
    ),
    kind(
        "review",
        curl!(
            r#"{"kind": "review", "repository": "github.com/acme/shop", "change": "12", "status": "approved", "by": "github.com/hubot", "at": "2026-04-30T15:00:00Z"}"#
        ),
        "a review of a change",
        false,
    ),
    kind(
        "build",
        curl!(
            r#"{"kind": "build", "id": "142", "pipeline": "shop", "repository": "github.com/acme/shop", "commit": "6dcb09b5b57875f334f61aebed695e2e4193db5e", "branch": "main", "status": "success", "queued_at": "2026-05-01T09:00:10Z", "started_at": "2026-05-01T09:01:00Z", "at": "2026-05-01T09:08:00Z"}"#
        ),
        "a run of a pipeline",
        true,
    ),
    kind(
        "job",
        curl!(
            r#"{"kind": "job", "build": "142", "name": "unit tests", "status": "failure", "started_at": 1777626120, "at": 1777626240}"#
        ),
        "a job of a build",
        false,
    ),
    kind(
        "test",
        curl!(
            r#"{"kind": "test", "build": "142", "name": "unit", "status": "success", "total": 812, "passed": 810, "skipped": 2, "failed": 0, "at": "2026-05-01T09:07:00Z"}"#
        ),
        "the result of a test suite",
        false,
    ),
    kind(
        "artifact",
        curl!(
            r#"{"kind": "artifact", "artifact": "ghcr.io/acme/shop:1.4.0", "repository": "github.com/acme/shop", "commit": "6dcb09b5b57875f334f61aebed695e2e4193db5e", "build": "142", "at": "2026-05-01T09:07:30Z"}"#
        ),
        "which commit an image or a package was built from",
        false,
    ),
    kind(
        "approval",
        curl!(
            r#"{"kind": "approval", "id": "CHG-77", "name": "release board", "gate": "change_board", "status": "requested", "environment": "production", "repository": "github.com/acme/shop", "commit": "6dcb09b5b57875f334f61aebed695e2e4193db5e", "at": "2026-05-01T09:10:00Z"}"#
        ),
        "an approval that is asked for",
        false,
    ),
    kind(
        "approval",
        curl!(
            r#"{"kind": "approval", "id": "CHG-77", "name": "release board", "gate": "change_board", "status": "approved", "by": "approver@example.org", "at": "2026-05-01T09:20:00Z"}"#
        ),
        "how it is decided",
        false,
    ),
    kind(
        "deployment",
        curl!(
            r#"{"kind": "deployment", "id": "142", "environment": "production", "repository": "github.com/acme/shop", "commit": "6dcb09b5b57875f334f61aebed695e2e4193db5e", "status": "started", "at": "2026-05-01T09:25:00Z"}"#
        ),
        "a deployment that begins",
        false,
    ),
    kind(
        "deployment",
        curl!(
            r#"{"kind": "deployment", "id": "142", "environment": "production", "repository": "github.com/acme/shop", "commit": "6dcb09b5b57875f334f61aebed695e2e4193db5e", "status": "success", "at": "2026-05-01T09:30:00Z"}"#
        ),
        "how it ends",
        true,
    ),
    kind(
        "deployment",
        curl!(
            r#"{"kind": "deployment", "id": "143", "action": "rollback", "environment": "production", "repository": "github.com/acme/shop", "commit": "3f1c0a9e5b7d2468ace013579bdf02468ace1357", "status": "success", "at": "2026-05-01T10:15:00Z"}"#
        ),
        "a rollback",
        false,
    ),
    kind(
        "release",
        curl!(
            r#"{"kind": "release", "repository": "github.com/acme/shop", "tag": "v1.4.0", "commit": "6dcb09b5b57875f334f61aebed695e2e4193db5e", "at": "2026-05-01T09:08:30Z"}"#
        ),
        "a release that is published, or a tag",
        false,
    ),
    kind(
        "incident",
        curl!(
            r#"{"kind": "incident", "id": "INC-9", "status": "opened", "severity": "high", "service": "shop", "environment": "production", "started_at": "2026-05-01T09:50:00Z", "at": "2026-05-01T09:55:00Z"}"#
        ),
        "an incident that is noticed",
        false,
    ),
    kind(
        "incident",
        curl!(r#"{"kind": "incident", "id": "INC-9", "status": "resolved", "at": "2026-05-01T10:20:00Z"}"#),
        "an incident that is over",
        false,
    ),
];

pub(super) const PAGE: Page = Page {
    title: "Generic JSON",
    tells: "whatever a script can tell with one line of curl: commits, changes, builds, tests, approvals, deployments, incidents",
    steps: &[
        "POST one object, or a list of them, to {url}. Its member `kind` says what it tells; below is a line for each kind.",
        "Send the header `Authorization: Bearer {secret}`, or sign the body with the secret: `X-Hub-Signature-256: sha256=<HMAC-SHA256 in hex>`.",
        "Repeat the line until it is answered with 202, with the same header `Idempotency-Key: <any name of this delivery>` each time; without one, a body that is the same byte for byte is the same delivery.",
    ],
    permissions: &["None: it only sends."],
    events: EVENTS,
    notes: &[
        "`at` is when it happened: RFC 3339 with an offset, or the seconds of `date +%s`. Without it the time of receipt counts.",
        "A member that the kind does not have is refused, with its name: it is a misspelt one.",
        "An id without a slash is one of this source. One with a slash is taken as it is: an address, or an id that begins with its host or its source.",
        "`by` and `author` are accounts (`github.com/octocat`) or addresses; they leave the inbox as keyed hashes.",
        "`schemas/README.md` lists the members of each kind.",
    ],
    documentation: "schemas/README.md#generic-json",
};
