//! How each provider proves a delivery.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::installation::SECRET;

/// The headers by which a provider proves a body.
pub fn proof(provider: &str, body: &[u8]) -> Vec<(String, String)> {
    let (name, value) = match provider {
        "github" => ("X-Hub-Signature-256", format!("sha256={}", hmac(body))),
        "jira" => ("X-Hub-Signature", format!("sha256={}", hmac(body))),
        "pagerduty" => ("X-PagerDuty-Signature", format!("v1={}", hmac(body))),
        "gitlab" => ("X-Gitlab-Token", SECRET.to_owned()),
        _ => ("Authorization", format!("Bearer {SECRET}")),
    };
    vec![(name.to_owned(), value)]
}

fn hmac(body: &[u8]) -> String {
    match Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()) {
        Ok(mut mac) => {
            mac.update(body);
            hex::encode(mac.finalize().into_bytes())
        }
        Err(_) => unreachable!("HMAC takes keys of any length"),
    }
}
