//! Comparisons that take the same time whatever differs.

use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha1::Sha1;
use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};

/// Tries every secret, also after one has fitted.
pub(super) fn any(secrets: &[SecretString], fits: impl Fn(&str) -> Choice) -> bool {
    secrets.iter().fold(Choice::from(0), |found, secret| found | fits(secret.expose_secret())).into()
}

/// Whether one of the secrets is the given text.
pub(super) fn is_one(secrets: &[SecretString], given: &[u8]) -> bool {
    // Of equal length whatever the texts are: a comparison that ends early on lengths would give the length away.
    let given = Sha256::digest(given);
    any(secrets, |secret| Sha256::digest(secret).ct_eq(&given))
}

/// Whether one of the signatures is the HMAC-SHA256 of the parts, one behind the other. Every one is looked at.
pub(super) fn hmac_sha256(key: &[u8], parts: &[&[u8]], signatures: &[[u8; 32]]) -> Choice {
    let right: [u8; 32] = hmac::<Hmac<Sha256>>(key, parts).finalize().into_bytes().into();
    signatures.iter().fold(Choice::from(0), |found, signature| found | right.ct_eq(signature))
}

/// Whether the signature is the HMAC-SHA1 of the message.
pub(super) fn hmac_sha1(key: &[u8], message: &[u8], signature: &[u8; 20]) -> Choice {
    let right: [u8; 20] = hmac::<Hmac<Sha1>>(key, &[message]).finalize().into_bytes().into();
    right.ct_eq(signature)
}

fn hmac<M: Mac + KeyInit>(key: &[u8], parts: &[&[u8]]) -> M {
    match <M as KeyInit>::new_from_slice(key) {
        Ok(mac) => parts.iter().fold(mac, |mac, part| mac.chain_update(part)),
        Err(_) => unreachable!("HMAC takes keys of any length"),
    }
}
