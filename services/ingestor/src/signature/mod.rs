//! How a provider proves that a delivery is its own.
//!
//! Every comparison takes the same time wherever the texts differ, and all secrets are tried: how long an answer took tells
//! nothing about any of them. Several secrets at once are what a rotation needs: the new one first here, then at the provider.
//!
//! A header that holds a part of the proof counts only where it is there once. Of two, another program on the way could have meant the other.

mod buildkite;
mod compare;
mod header;
mod hub;
mod standard;
#[cfg(test)]
mod tests;
mod time;
mod token;
mod versioned;

use axum::http::HeaderMap;
use model::Timestamp;
use secrecy::SecretString;

/// A way to prove it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scheme {
    /// `X-Hub-Signature-256: sha256=<hex>`: HMAC-SHA256 of the body, as
    /// [GitHub does](https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries).
    HubSignature256,
    /// `X-Hub-Signature: sha256=<hex>`: HMAC of the body, by the method that the header names, as
    /// [WebSub](https://www.w3.org/TR/websub/#signing-content) has it. Bitbucket and Jira send SHA-256; SHA-1 is what GitHub sent before.
    HubSignature,
    /// `X-PagerDuty-Signature: v1=<hex>[,v1=<hex>]`: HMAC-SHA256 of the body, one for each secret that is valid, as
    /// [PagerDuty does](https://developer.pagerduty.com/docs/verifying-webhook-signatures).
    PagerDuty,
    /// `circleci-signature: v1=<hex>[,v2=…]`: HMAC-SHA256 of the body, as
    /// [CircleCI does](https://circleci.com/docs/outbound-webhooks/#validate-webhooks).
    CircleCi,
    /// `webhook-id`, `webhook-timestamp` and `webhook-signature: v1,<base64>`, or the same as `svix-*`: HMAC-SHA256 of
    /// `<id>.<timestamp>.<body>`, as [Standard Webhooks](https://github.com/standard-webhooks/standard-webhooks) have it.
    StandardWebhooks,
    /// `X-Gitlab-Token: <secret>`, as [GitLab does](https://docs.gitlab.com/user/project/integrations/webhooks/).
    GitLabToken,
    /// `X-Buildkite-Signature: timestamp=<seconds>,signature=<hex>`: HMAC-SHA256 of `<timestamp>.<body>`, as
    /// [Buildkite does](https://buildkite.com/docs/apis/webhooks/pipelines#webhook-signature).
    BuildkiteSignature,
    /// `X-Buildkite-Token: <secret>`, the [other way of Buildkite](https://buildkite.com/docs/apis/webhooks/pipelines#webhook-token).
    BuildkiteToken,
    /// `Authorization: Bearer <secret>`, or `Basic` with the secret as the password of any user, for senders that can do no more.
    Token,
}

/// Why a delivery is not believed. It says nothing about the secrets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejected {
    /// The header is not there.
    #[error("no {0} header: does the sender have the secret?")]
    Missing(&'static str),
    /// The header does not have the form that the scheme wants, or is there twice.
    #[error("the {header} header is not one of the form `{form}`")]
    Malformed {
        /// Name of the header.
        header: &'static str,
        /// What it should look like.
        form: &'static str,
    },
    /// None of the secrets fits.
    #[error("the {0} header fits none of the secrets of the source")]
    Mismatch(&'static str),
    /// It was signed with one of the secrets, but long ago, or in the future.
    #[error(
        "the {0} header fits, but its time is more than 5 minutes from now: set the clocks, unless it is an old delivery sent again"
    )]
    Stale(&'static str),
}

impl Rejected {
    /// A word for labels.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Missing(_) => "missing",
            Self::Malformed { .. } => "malformed",
            Self::Mismatch(_) => "mismatch",
            Self::Stale(_) => "stale",
        }
    }
}

/// What there is to know of a scheme without a delivery.
struct Facts {
    name: &'static str,
    proof: &'static str,
    /// Headers any of which shows that the sender has chosen this scheme.
    headers: &'static [&'static str],
    challenge: &'static str,
    signs_body: bool,
}

impl Scheme {
    /// Every scheme there is.
    pub const ALL: [Self; 9] = [
        Self::HubSignature256,
        Self::HubSignature,
        Self::PagerDuty,
        Self::CircleCi,
        Self::StandardWebhooks,
        Self::GitLabToken,
        Self::BuildkiteSignature,
        Self::BuildkiteToken,
        Self::Token,
    ];

    /// Its name, in one word.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.facts().name
    }

    /// What the sender has to show, in a few words.
    #[must_use]
    pub const fn proof(self) -> &'static str {
        self.facts().proof
    }

    /// Whether the proof depends on the body; where it does not, a sender can be turned away before the body is read.
    #[must_use]
    pub const fn signs_body(self) -> bool {
        self.facts().signs_body
    }

    /// What `WWW-Authenticate` says to a sender that was turned away.
    #[must_use]
    pub const fn challenge(self) -> &'static str {
        self.facts().challenge
    }

    fn is_chosen(self, headers: &HeaderMap) -> bool {
        self.facts().headers.iter().any(|name| headers.contains_key(*name))
    }

    const fn facts(self) -> Facts {
        match self {
            Self::HubSignature256 => Facts {
                name: "hub-signature-256",
                proof: "HMAC-SHA256 of the body in X-Hub-Signature-256",
                headers: &[hub::SIGNATURE_256.name],
                challenge: r#"X-Hub-Signature-256 realm="throughline""#,
                signs_body: true,
            },
            Self::HubSignature => Facts {
                name: "hub-signature",
                proof: "HMAC-SHA256 of the body in X-Hub-Signature",
                headers: &[hub::SIGNATURE.name],
                challenge: r#"X-Hub-Signature realm="throughline""#,
                signs_body: true,
            },
            Self::PagerDuty => Facts {
                name: "pagerduty",
                proof: "HMAC-SHA256 of the body in X-PagerDuty-Signature",
                headers: &[versioned::PAGERDUTY.name],
                challenge: r#"X-PagerDuty-Signature realm="throughline""#,
                signs_body: true,
            },
            Self::CircleCi => Facts {
                name: "circleci",
                proof: "HMAC-SHA256 of the body in circleci-signature",
                headers: &[versioned::CIRCLECI.name],
                challenge: r#"circleci-signature realm="throughline""#,
                signs_body: true,
            },
            Self::StandardWebhooks => Facts {
                name: "standard-webhooks",
                proof: "HMAC-SHA256 of id, time and body in webhook-signature",
                headers: &[standard::WEBHOOK.signature.name, standard::SVIX.signature.name],
                challenge: r#"webhook-signature realm="throughline""#,
                signs_body: true,
            },
            Self::GitLabToken => Facts {
                name: "gitlab-token",
                proof: "the secret in X-Gitlab-Token",
                headers: &[token::GITLAB.name],
                challenge: r#"X-Gitlab-Token realm="throughline""#,
                signs_body: false,
            },
            Self::BuildkiteSignature => Facts {
                name: "buildkite-signature",
                proof: "HMAC-SHA256 of time and body in X-Buildkite-Signature",
                headers: &[buildkite::SIGNATURE.name],
                challenge: r#"X-Buildkite-Signature realm="throughline""#,
                signs_body: true,
            },
            Self::BuildkiteToken => Facts {
                name: "buildkite-token",
                proof: "the secret in X-Buildkite-Token",
                headers: &[token::BUILDKITE.name],
                challenge: r#"X-Buildkite-Token realm="throughline""#,
                signs_body: false,
            },
            Self::Token => Facts {
                name: "token",
                proof: "the secret as a bearer token, or as the password of basic authentication",
                headers: &[token::AUTHORIZATION.name],
                challenge: r#"Bearer realm="throughline""#,
                signs_body: false,
            },
        }
    }
}

/// The scheme by which a delivery has to prove itself: the first of `schemes` whose headers are there, else the first. A sender that
/// chooses one of several has to know the secret for any of them.
///
/// # Panics
/// Without any scheme; a test asks every door for one.
#[must_use]
pub fn choose(schemes: &[Scheme], headers: &HeaderMap) -> Scheme {
    schemes.iter().copied().find(|scheme| scheme.is_chosen(headers)).unwrap_or(schemes[0])
}

/// Whether a delivery is its provider's own: one of the `secrets` fits, and the time that it was signed at, where the scheme has one,
/// is within 5 minutes of `now`. With no secret nothing fits.
///
/// # Errors
/// Where it is not.
pub fn verify(
    scheme: Scheme,
    headers: &HeaderMap,
    body: &[u8],
    secrets: &[SecretString],
    now: Timestamp,
) -> Result<(), Rejected> {
    match scheme {
        Scheme::HubSignature256 => hub::signature_256(headers, body, secrets),
        Scheme::HubSignature => hub::signature(headers, body, secrets),
        Scheme::PagerDuty => versioned::signature(&versioned::PAGERDUTY, headers, body, secrets),
        Scheme::CircleCi => versioned::signature(&versioned::CIRCLECI, headers, body, secrets),
        Scheme::StandardWebhooks => standard::signature(headers, body, secrets, now),
        Scheme::GitLabToken => token::plain(&token::GITLAB, headers, secrets),
        Scheme::BuildkiteSignature => buildkite::signature(headers, body, secrets, now),
        Scheme::BuildkiteToken => token::plain(&token::BUILDKITE, headers, secrets),
        Scheme::Token => token::authorization(headers, secrets),
    }
}
