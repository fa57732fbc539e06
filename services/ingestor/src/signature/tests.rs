//! Every scheme, with signatures made here; one test for each trap, and laws for all of them together.

use std::collections::{BTreeMap, BTreeSet};

use axum::http::{HeaderName, HeaderValue};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use proptest::prelude::*;
use serde::Deserialize;
use sha1::Sha1;
use sha2::Sha256;

use super::*;

const NOW: Timestamp = Timestamp::from_seconds(1_700_000_000);
const SECONDS: &str = "1700000000";
const SECRET: &str = "It's a Secret to Everybody";
const BODY: &[u8] = b"Hello, World!";

fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
    let pair = |(name, value): &(&str, &str)| {
        (name.parse::<HeaderName>().unwrap(), HeaderValue::from_bytes(value.as_bytes()).unwrap())
    };
    let mut headers = HeaderMap::new();
    for (name, value) in pairs.iter().map(pair) {
        headers.append(name, value);
    }
    headers
}

fn secrets(texts: &[&str]) -> Vec<SecretString> {
    texts.iter().map(|text| SecretString::from(*text)).collect()
}

fn hmac<M: Mac + KeyInit>(key: &[u8], message: &[u8]) -> Vec<u8> {
    <M as KeyInit>::new_from_slice(key).unwrap().chain_update(message).finalize().into_bytes().to_vec()
}

fn hex256(key: &str, message: &[u8]) -> String {
    hex::encode(hmac::<Hmac<Sha256>>(key.as_bytes(), message))
}

fn joined(start: &str, body: &[u8]) -> Vec<u8> {
    [start.as_bytes(), body].concat()
}

/// The headers of a delivery that is what it says, sent at `NOW`.
fn sent(scheme: Scheme, secret: &str, body: &[u8]) -> Vec<(&'static str, String)> {
    match scheme {
        Scheme::HubSignature256 => vec![("X-Hub-Signature-256", format!("sha256={}", hex256(secret, body)))],
        Scheme::HubSignature => vec![("X-Hub-Signature", format!("sha256={}", hex256(secret, body)))],
        Scheme::PagerDuty => vec![("X-PagerDuty-Signature", format!("v1={}", hex256(secret, body)))],
        Scheme::CircleCi => vec![("circleci-signature", format!("v1={}", hex256(secret, body)))],
        Scheme::StandardWebhooks => standard("webhook", secret.as_bytes(), body).to_vec(),
        Scheme::GitLabToken => vec![("X-Gitlab-Token", secret.to_owned())],
        Scheme::BuildkiteSignature => {
            let signature = hex256(secret, &joined(&format!("{SECONDS}."), body));
            vec![("X-Buildkite-Signature", format!("timestamp={SECONDS},signature={signature}"))]
        }
        Scheme::BuildkiteToken => vec![("X-Buildkite-Token", secret.to_owned())],
        Scheme::Token => vec![("Authorization", format!("Bearer {secret}"))],
    }
}

fn standard(prefix: &str, key: &[u8], body: &[u8]) -> [(&'static str, String); 3] {
    let signature = hmac::<Hmac<Sha256>>(key, &joined(&format!("msg_1.{SECONDS}."), body));
    let names = if prefix == "svix" {
        ["svix-id", "svix-timestamp", "svix-signature"]
    } else {
        ["webhook-id", "webhook-timestamp", "webhook-signature"]
    };
    let values = ["msg_1".to_owned(), SECONDS.to_owned(), format!("v1,{}", BASE64_STANDARD.encode(signature))];
    let mut values = values.into_iter();
    names.map(|name| (name, values.next().unwrap()))
}

fn check<V: AsRef<str>>(scheme: Scheme, pairs: &[(&str, V)], body: &[u8], of: &[&str]) -> Result<(), &'static str> {
    check_at(scheme, pairs, body, of, NOW)
}

fn check_at<V: AsRef<str>>(
    scheme: Scheme,
    pairs: &[(&str, V)],
    body: &[u8],
    of: &[&str],
    now: Timestamp,
) -> Result<(), &'static str> {
    let pairs: Vec<_> = pairs.iter().map(|(name, value)| (*name, value.as_ref())).collect();
    verify(scheme, &headers(&pairs), body, &secrets(of), now).map_err(Rejected::reason)
}

#[test]
fn every_scheme_takes_its_own_with_either_secret_of_a_rotation() {
    for scheme in Scheme::ALL {
        let headers = sent(scheme, SECRET, BODY);
        for of in [&[SECRET][..], &["new", SECRET], &[SECRET, "old"]] {
            assert_eq!(check(scheme, &headers, BODY, of), Ok(()), "{scheme:?} {of:?}");
        }
        for of in [&["new", "old"][..], &[]] {
            assert_eq!(check(scheme, &headers, BODY, of), Err("mismatch"), "{scheme:?} {of:?}");
        }
        let other_body = if scheme.signs_body() { Err("mismatch") } else { Ok(()) };
        assert_eq!(check(scheme, &headers, b"Hello, World", &[SECRET]), other_body, "{scheme:?}");
    }
}

#[test]
fn a_header_must_be_there_and_only_once() {
    for scheme in Scheme::ALL {
        let complete = sent(scheme, SECRET, BODY);
        assert_eq!(check::<&str>(scheme, &[], BODY, &[SECRET]), Err("missing"), "{scheme:?}");
        for (index, pair) in complete.iter().enumerate() {
            let mut without = complete.clone();
            without.remove(index);
            assert_eq!(check(scheme, &without, BODY, &[SECRET]), Err("missing"), "{pair:?}");
            let twice: Vec<_> = complete.iter().chain([pair]).cloned().collect();
            assert_eq!(check(scheme, &twice, BODY, &[SECRET]), Err("malformed"), "{pair:?}");
        }
    }
}

#[test]
fn nonsense_in_a_header_is_refused_whatever_it_is() {
    let huge = "v1=".repeat(10_000);
    for scheme in Scheme::ALL {
        let names: Vec<_> = sent(scheme, SECRET, BODY).iter().map(|(name, _)| *name).collect();
        for nonsense in ["", " ", ",", "=", "v1=", "v1,", "sha256=", "é", "v1=é,v1=", "timestamp=,signature=", &huge]
        {
            let pairs: Vec<_> = names.iter().map(|name| (*name, nonsense)).collect();
            let plain = matches!(scheme, Scheme::GitLabToken | Scheme::BuildkiteToken);
            let reason = if plain { "mismatch" } else { "malformed" };
            assert_eq!(check(scheme, &pairs, BODY, &[SECRET]), Err(reason), "{scheme:?} {nonsense:.20}");
        }
        let bytes = HeaderValue::from_bytes(&[0xff, 0xfe]).unwrap();
        let map = names.iter().map(|name| (name.parse::<HeaderName>().unwrap(), bytes.clone())).collect();
        assert!(verify(scheme, &map, BODY, &secrets(&[SECRET]), NOW).is_err(), "{scheme:?}");
    }
}

#[test]
fn hex_of_the_wrong_length_is_malformed_and_its_case_is_not() {
    let right = format!("sha256={}", hex256(SECRET, BODY));
    let hub = |value: &str| check(Scheme::HubSignature256, &[("X-Hub-Signature-256", value)], BODY, &[SECRET]);
    assert_eq!(hub(&right.to_uppercase().replace("SHA", "sha")), Ok(()));
    for malformed in [&right[7..], &right[..70], &right[..69], &format!("{right}00"), &format!("{right},{right}")] {
        assert_eq!(hub(malformed), Err("malformed"), "{malformed}");
    }
}

#[test]
fn github_s_documented_example_is_taken() {
    let signature = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
    assert_eq!(check(Scheme::HubSignature256, &[("X-Hub-Signature-256", signature)], BODY, &[SECRET]), Ok(()));
}

#[test]
fn x_hub_signature_is_sha_256_in_hex_or_base64_or_sha_1_in_hex() {
    let hub = |value: &str| check(Scheme::HubSignature, &[("X-Hub-Signature", value)], BODY, &[SECRET]);
    let (sha256, sha1) = (hmac::<Hmac<Sha256>>(SECRET.as_bytes(), BODY), hmac::<Hmac<Sha1>>(SECRET.as_bytes(), BODY));
    assert_eq!(hub(&format!("sha256={}", BASE64_STANDARD.encode(&sha256))), Ok(()));
    assert_eq!(hub(&format!("sha1={}", hex::encode(&sha1))), Ok(()));
    assert_eq!(hub(&format!("sha1={}", hex::encode(&sha256[..20]))), Err("mismatch"));
    for malformed in [
        format!("sha1={}", BASE64_STANDARD.encode(&sha1)),
        format!("sha1={}", hex::encode(&sha256)),
        format!("sha256={}", hex::encode(&sha1)),
        format!("md5={}", hex::encode(&sha256)),
        hex::encode(&sha256),
    ] {
        assert_eq!(hub(&malformed), Err("malformed"), "{malformed}");
    }
}

#[test]
fn any_signature_of_a_list_will_do_and_other_versions_do_not_count() {
    let (right, wrong) = (hex256(SECRET, BODY), hex256("old", BODY));
    for (scheme, name) in [(Scheme::PagerDuty, "X-PagerDuty-Signature"), (Scheme::CircleCi, "circleci-signature")] {
        let list = |value: &str| check(scheme, &[(name, value)], BODY, &[SECRET]);
        assert_eq!(list(&format!("v1={wrong},v1={right}")), Ok(()));
        assert_eq!(list(&format!("v1={right}, v1={wrong}")), Ok(()));
        assert_eq!(list(&format!("v2=of another kind,v1={right}")), Ok(()));
        assert_eq!(list(&format!("v1={wrong},v1={wrong}")), Err("mismatch"));
        for malformed in [format!("v2={right}"), format!("v0={right}"), format!("v11={right}"), right.clone()] {
            assert_eq!(list(&malformed), Err("malformed"), "{malformed}");
        }
    }
}

#[test]
fn standard_webhooks_go_by_svix_s_names_too_but_not_by_a_mixture() {
    let [id, timestamp, signature] = standard("svix", SECRET.as_bytes(), BODY);
    let all = |pairs: &[(&str, String)]| check(Scheme::StandardWebhooks, pairs, BODY, &[SECRET]);
    assert_eq!(all(&[id.clone(), timestamp.clone(), signature.clone()]), Ok(()));
    assert_eq!(all(&[("webhook-id", id.1), timestamp, signature]), Err("missing"));
    let both = [standard("svix", b"another", BODY), standard("webhook", SECRET.as_bytes(), BODY)].concat();
    assert_eq!(all(&both), Ok(()));
}

#[test]
fn any_signature_of_standard_webhooks_will_do_and_those_of_key_pairs_do_not_count() {
    let [id, timestamp, (name, right)] = standard("webhook", SECRET.as_bytes(), BODY);
    let [_, _, (_, wrong)] = standard("webhook", b"old", BODY);
    let list = |value: String| {
        check(Scheme::StandardWebhooks, &[id.clone(), timestamp.clone(), (name, value)], BODY, &[SECRET])
    };
    assert_eq!(list(format!("{wrong} {right}")), Ok(()));
    assert_eq!(list(format!("v1a,c2lnbmVk {right}")), Ok(()));
    assert_eq!(list(wrong), Err("mismatch"));
    assert_eq!(list(right.replace("v1,", "v1a,")), Err("malformed"));
    assert_eq!(list(right.replace("v1,", "v1=")), Err("malformed"));
}

#[test]
fn the_key_of_standard_webhooks_is_base64_behind_its_prefix_or_without_it_or_plain_text() {
    let key = b"\x00\xff a key of 26 bytes, say \x80";
    let encoded = BASE64_STANDARD.encode(key);
    let headers = standard("webhook", key, BODY);
    let with = |of: &str| check(Scheme::StandardWebhooks, &headers, BODY, &[of]);
    assert_eq!(with(&format!("whsec_{encoded}")), Ok(()));
    assert_eq!(with(&format!("whsec_{}", encoded.trim_end_matches('='))), Ok(()));
    assert_eq!(with(&encoded), Ok(()));
    // The key of nothing at all, and a prefix that is no part of the key.
    for (key, of) in [("", "whsec_"), ("whsec_not base64", "whsec_not base64")] {
        let headers = standard("webhook", key.as_bytes(), BODY);
        assert_eq!(check(Scheme::StandardWebhooks, &headers, BODY, &[of]), Err("mismatch"), "{of}");
    }
}

#[test]
fn what_was_signed_more_than_five_minutes_from_now_is_stale_and_says_so_to_its_signer_only() {
    for scheme in [Scheme::StandardWebhooks, Scheme::BuildkiteSignature] {
        let headers = sent(scheme, SECRET, BODY);
        for (milliseconds, result) in [
            (-300_001, Err("stale")),
            (-300_000, Ok(())),
            (300_000, Ok(())),
            (300_001, Err("stale")),
            (i64::MIN, Err("stale")),
        ] {
            let now = Timestamp(NOW.0.saturating_add(milliseconds));
            assert_eq!(check_at(scheme, &headers, BODY, &[SECRET], now), result, "{scheme:?} {milliseconds}");
            assert_eq!(check_at(scheme, &headers, BODY, &["another"], now), Err("mismatch"));
        }
    }
}

#[test]
fn a_time_is_digits_that_fit_and_nothing_else() {
    let signature = hex256(SECRET, BODY);
    for seconds in ["", "-1", "+1700000000", " 1700000000", "1.7e9", "1700000000.5", "99999999999999999999", "ⅷ"] {
        let mut headers = sent(Scheme::StandardWebhooks, SECRET, BODY);
        headers[1].1 = seconds.to_owned();
        assert_eq!(check(Scheme::StandardWebhooks, &headers, BODY, &[SECRET]), Err("malformed"), "{seconds}");
        let value = format!("timestamp={seconds},signature={signature}");
        let result = check(Scheme::BuildkiteSignature, &[("X-Buildkite-Signature", value)], BODY, &[SECRET]);
        assert_eq!(result, Err("malformed"), "{seconds}");
    }
    // Fits, and is far off: no overflow on the way to that.
    let signature = hex256(SECRET, &joined("9223372036854775807.", BODY));
    let value = format!("timestamp=9223372036854775807,signature={signature}");
    let far = check(Scheme::BuildkiteSignature, &[("X-Buildkite-Signature", value)], BODY, &[SECRET]);
    assert_eq!(far, Err("stale"));
}

#[test]
fn buildkite_s_pairs_come_in_any_order_and_each_once() {
    let signature = hex256(SECRET, &joined(&format!("{SECONDS}."), BODY));
    let pairs = |value: &str| check(Scheme::BuildkiteSignature, &[("X-Buildkite-Signature", value)], BODY, &[SECRET]);
    assert_eq!(pairs(&format!("signature={signature}, timestamp={SECONDS}")), Ok(()));
    for malformed in [
        format!("timestamp={SECONDS}"),
        format!("signature={signature}"),
        format!("timestamp={SECONDS},timestamp=1,signature={signature}"),
        format!("timestamp={SECONDS},signature={signature},signature={signature}"),
        format!("timestamp={SECONDS};signature={signature}"),
    ] {
        assert_eq!(pairs(&malformed), Err("malformed"), "{malformed}");
    }
}

#[test]
fn a_plain_token_is_the_whole_value() {
    for (scheme, name) in [(Scheme::GitLabToken, "X-Gitlab-Token"), (Scheme::BuildkiteToken, "X-Buildkite-Token")] {
        let token = |value: &str| check(scheme, &[(name, value)], BODY, &["hunter2", "hünter3"]);
        assert_eq!((token("hunter2"), token("hünter3")), (Ok(()), Ok(())));
        for value in ["", "hunter", "hunter22", "Hunter2", "Bearer hunter2"] {
            assert_eq!(token(value), Err("mismatch"), "{value}");
        }
    }
}

#[test]
fn a_bearer_token_or_a_password_is_taken() {
    let authorized = |value: &str| check(Scheme::Token, &[("Authorization", value)], b"", &["hunter2", "hunter3"]);
    for value in ["Bearer hunter2", "bearer hunter3", "Basic dTpodW50ZXIy", "basic Omh1bnRlcjI="] {
        assert_eq!(authorized(value), Ok(()), "{value}");
    }
    for value in ["Bearer hunter", "Bearer hunter22", "Bearer ", "Basic aHVudGVyMjp1"] {
        assert_eq!(authorized(value), Err("mismatch"), "{value}");
    }
    for value in ["hunter2", "Digest hunter2", "Basic hunter2", "Basic aHVudGVyMg=="] {
        assert_eq!(authorized(value), Err("malformed"), "{value}");
    }
}

#[test]
fn the_headers_choose_among_the_schemes_of_a_provider() {
    for scheme in Scheme::ALL {
        let sent = sent(scheme, SECRET, BODY);
        let pairs: Vec<_> = sent.iter().map(|(name, value)| (*name, value.as_str())).collect();
        assert_eq!(choose(&Scheme::ALL, &headers(&pairs)), scheme);
    }
    let gitlab = [Scheme::StandardWebhooks, Scheme::GitLabToken];
    assert_eq!(choose(&gitlab, &headers(&[("svix-signature", "v1,")])), Scheme::StandardWebhooks);
    assert_eq!(choose(&gitlab, &headers(&[("X-Gitlab-Token", "a"), ("webhook-signature", "v1,")])), gitlab[0]);
    assert_eq!(choose(&gitlab, &HeaderMap::new()), gitlab[0]);
}

#[test]
fn schemes_are_told_apart_by_name_and_their_challenges_are_headers() {
    let names: BTreeSet<_> = Scheme::ALL.iter().map(|scheme| scheme.name()).collect();
    assert_eq!(names.len(), Scheme::ALL.len());
    for scheme in Scheme::ALL {
        assert!(HeaderValue::from_static(scheme.challenge()).to_str().unwrap().ends_with(r#" realm="throughline""#));
    }
}

/// What a rejection says ends up in logs and answers.
#[test]
fn a_rejection_names_the_header_and_no_secret() {
    for scheme in Scheme::ALL {
        let sent = sent(scheme, "hunter2", BODY);
        let pairs: Vec<_> = sent.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let error = verify(scheme, &headers(&pairs), BODY, &secrets(&["hunter3"]), NOW).unwrap_err().to_string();
        assert!(error.contains(pairs.last().unwrap().0) && !error.contains("hunter"), "{error}");
    }
}

fn scheme() -> impl Strategy<Value = Scheme> {
    proptest::sample::select(&Scheme::ALL)
}

fn secret() -> impl Strategy<Value = String> {
    proptest::string::string_regex("[A-Za-z0-9+/]{8,80}").unwrap()
}

/// The text with one byte of it replaced by another letter, digit or sign, not by the other case of the same letter.
fn changed(text: &str, at: prop::sample::Index, by: u8) -> Option<String> {
    let mut bytes = text.as_bytes().to_vec();
    let byte = &mut bytes[at.index(text.len())];
    (!byte.eq_ignore_ascii_case(&by)).then(|| *byte = by)?;
    String::from_utf8(bytes).ok()
}

proptest! {
    #[test]
    fn what_was_sent_is_taken(scheme in scheme(), secret in secret(), body: Vec<u8>) {
        prop_assert_eq!(check(scheme, &sent(scheme, &secret, &body), &body, &[&secret]), Ok(()));
    }

    #[test]
    fn a_changed_byte_of_the_body_is_not(scheme in scheme(), secret in secret(), mut body in prop::collection::vec(any::<u8>(), 1..200), at: prop::sample::Index, by in 1_u8..) {
        prop_assume!(scheme.signs_body());
        let headers = sent(scheme, &secret, &body);
        let at = at.index(body.len());
        body[at] ^= by;
        prop_assert_eq!(check(scheme, &headers, &body, &[&secret]), Err("mismatch"));
    }

    #[test]
    fn a_changed_byte_of_a_header_is_not(scheme in scheme(), secret in secret(), body: Vec<u8>, which: prop::sample::Index, at: prop::sample::Index, by in 0x21_u8..0x7f) {
        let mut headers = sent(scheme, &secret, &body);
        let which = which.index(headers.len());
        let value = changed(&headers[which].1, at, by);
        prop_assume!(value.is_some());
        headers[which].1 = value.unwrap();
        prop_assert!(check(scheme, &headers, &body, &[&secret]).is_err(), "{:?}", headers);
    }

    #[test]
    fn another_secret_is_not(scheme in scheme(), secret in secret(), body: Vec<u8>, at: prop::sample::Index, by in 0x21_u8..0x7f) {
        let other = changed(&secret, at, by);
        prop_assume!(other.is_some());
        prop_assert_eq!(check(scheme, &sent(scheme, &secret, &body), &body, &[&other.unwrap()]), Err("mismatch"));
    }

    #[test]
    fn any_bytes_in_the_headers_are_answered(scheme in scheme(), values in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 3), body: Vec<u8>) {
        let names = sent(scheme, SECRET, BODY).into_iter().map(|(name, _)| name.parse::<HeaderName>().unwrap());
        let values = values.iter().filter_map(|value| HeaderValue::from_bytes(value).ok());
        let headers: HeaderMap = names.zip(values).collect();
        prop_assert!(verify(scheme, &headers, &body, &secrets(&[SECRET]), NOW).is_err());
    }
}

/// One line of `signatures/vectors.json`.
#[derive(Deserialize)]
struct Vector {
    name: String,
    headers: BTreeMap<String, String>,
    secret: String,
    body_file: String,
    published_expectation: String,
}

#[test]
fn agrees_with_published_vectors() {
    let Some(data) = std::env::var_os("THROUGHLINE_TEST_DATA") else {
        eprintln!("SKIPPED agrees_with_published_vectors: THROUGHLINE_TEST_DATA is not set");
        return;
    };
    let folder = std::path::Path::new(&data).join("signatures");
    let vectors: Vec<Vector> = serde_json::from_slice(&std::fs::read(folder.join("vectors.json")).unwrap()).unwrap();
    let mut schemes = BTreeSet::new();
    for vector in &vectors {
        let body = std::fs::read(folder.join(&vector.body_file)).unwrap();
        let pairs: Vec<_> = vector.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let scheme = choose(&Scheme::ALL, &headers(&pairs));
        // They were signed years ago: each is looked at when it was sent.
        let seconds = vector.headers.get("webhook-timestamp").map_or(0, |seconds| seconds.parse().unwrap());
        let result = check_at(scheme, &pairs, &body, &[&vector.secret], Timestamp::from_seconds(seconds));
        let expected = if vector.published_expectation == "valid" { Ok(()) } else { Err("mismatch") };
        assert_eq!(result, expected, "{}", vector.name);
        schemes.insert(scheme);
    }
    assert!(vectors.len() >= 30 && schemes.len() >= 5, "only {} vectors of {schemes:?}", vectors.len());
}
