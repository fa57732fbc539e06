//! Histories read as a GitHub App: its proof, the token of its installation, and the next one when that runs out.

use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use backfill::github::hook::Hook;
use backfill::github::{self, App, Credential, Cursor, KeyError};
use backfill::http::{self, Client, Patience};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use model::Timestamp;
use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;
use openssl::sign::Verifier;
use serde_json::{Value, json};

use super::api::{Api, TOKEN};
use super::history::{expected, world};
use super::{query, read, whole};

const APP: u64 = 12_345;
const INSTALLATION: u64 = 77;

fn key() -> &'static PKey<Private> {
    static KEY: OnceLock<PKey<Private>> = OnceLock::new();
    KEY.get_or_init(|| PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap())
}

/// As GitHub gives it: PKCS #1.
fn pem() -> String {
    String::from_utf8(key().rsa().unwrap().private_key_to_pem().unwrap()).unwrap()
}

/// What GitHub knows of one App.
struct Known {
    /// Time for which a token is good.
    good_for: Duration,
    /// Whether it is installed.
    installed: bool,
    seen: Mutex<Vec<String>>,
}

/// Whether the header holds a JSON Web Token that GitHub would take, and why not.
fn proven(headers: &HeaderMap) -> Result<(), String> {
    let header = headers["authorization"].to_str().unwrap();
    let proof = header.strip_prefix("Bearer ").ok_or("no bearer")?;
    let (signed, signature) = proof.rsplit_once('.').ok_or("no token")?;
    let mut verifier = Verifier::new(MessageDigest::sha256(), key()).unwrap();
    let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|error| error.to_string())?;
    if !verifier.verify_oneshot(&signature, signed.as_bytes()).unwrap() {
        return Err("another key".to_owned());
    }
    let part = |at| -> Value {
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(signed.split('.').nth(at).unwrap()).unwrap()).unwrap()
    };
    let (head, claims) = (part(0), part(1));
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() as i64;
    let time = |name: &str| claims[name].as_i64().unwrap();
    let good = head == json!({ "alg": "RS256", "typ": "JWT" })
        && claims["iss"] == APP
        && time("iat") <= now - 55
        && time("exp") > now
        && time("exp") <= now + 600;
    if good { Ok(()) } else { Err(format!("{head} {claims}")) }
}

fn answered(status: StatusCode, body: &Value) -> Response {
    (status, [("content-type", "application/json")], body.to_string()).into_response()
}

async fn installation(
    State(known): State<Arc<Known>>,
    Path((owner, name)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    known.seen.lock().unwrap().push(format!("{owner}/{name}"));
    match proven(&headers) {
        Err(why) => answered(StatusCode::UNAUTHORIZED, &json!({ "message": why })),
        Ok(()) if known.installed => answered(StatusCode::OK, &json!({ "id": INSTALLATION, "app_id": APP })),
        Ok(()) => answered(StatusCode::NOT_FOUND, &json!({ "message": "Not Found" })),
    }
}

async fn token(State(known): State<Arc<Known>>, Path(id): Path<u64>, headers: HeaderMap, body: Bytes) -> Response {
    let body: Value = serde_json::from_slice(&body).unwrap();
    known.seen.lock().unwrap().push(format!("{id} {body}"));
    if let Err(why) = proven(&headers) {
        return answered(StatusCode::UNAUTHORIZED, &json!({ "message": why }));
    }
    let until = SystemTime::now().duration_since(UNIX_EPOCH).unwrap() + known.good_for;
    let expires_at = Timestamp(until.as_millis() as i64).to_string();
    answered(StatusCode::CREATED, &json!({ "token": TOKEN, "expires_at": expires_at }))
}

/// The deliveries of the App's own webhook: for the App alone, none of its installations.
async fn deliveries(headers: HeaderMap) -> Response {
    if let Err(why) = proven(&headers) {
        return answered(StatusCode::UNAUTHORIZED, &json!({ "message": why }));
    }
    let attempt =
        json!({ "id": 1, "guid": "a-b", "delivered_at": "2024-05-01T09:00:00Z", "status_code": 502, "event": "push" });
    answered(StatusCode::OK, &json!([attempt]))
}

async fn serve(good_for: Duration, installed: bool) -> (Api, Arc<Known>) {
    let known = Arc::new(Known { good_for, installed, seen: Mutex::default() });
    let routes = Router::new()
        .route("/repos/{owner}/{name}/installation", get(installation))
        .route("/app/installations/{id}/access_tokens", post(token))
        .route("/app/hook/deliveries", get(deliveries))
        .with_state(Arc::clone(&known));
    (Api::serve_beside(routes, world(), 100, &[]).await, known)
}

fn client(root: &str, pem: &str) -> Client {
    let patience = Patience { tries: 2, outage: Duration::from_millis(5), limit: Duration::from_millis(5) };
    let credential = Credential::App(App::new(APP, &pem.into()).unwrap());
    credential.client(http::Api { patience, ..github::api(root, None) }, "acme", "shop").unwrap()
}

const HOUR: Duration = Duration::from_secs(3600);

#[tokio::test]
async fn an_app_reads_what_a_token_reads_with_one_token_an_hour() {
    let (api, known) = serve(HOUR, true).await;
    let outcome = whole(&client(&api.root, &pem()), &query()).await;
    assert_eq!(outcome.names(), expected());
    assert_eq!(*known.seen.lock().unwrap(), ["acme/shop", r#"77 {"repositories":["shop"]}"#]);
}

#[tokio::test]
async fn a_token_is_renewed_before_it_runs_out() {
    let (api, known) = serve(Duration::from_secs(299), true).await;
    let outcome = whole(&client(&api.root, &pem()), &query()).await;
    assert_eq!(outcome.names(), expected());
    let seen = known.seen.lock().unwrap();
    assert_eq!(seen.iter().filter(|asked| *asked == "acme/shop").count(), 1, "{seen:?}");
    assert_eq!(seen.len() - 1, api.requests().len());
}

#[tokio::test]
async fn an_app_asks_for_the_deliveries_of_its_own_webhook() {
    let (api, known) = serve(HOUR, false).await;
    let app = App::new(APP, &pem().into()).unwrap();
    let client = app.client(github::api(&api.root, None)).unwrap();
    let now = Timestamp::parse_rfc3339("2024-05-01T10:00:00Z").unwrap();
    let attempts = Hook::of_app().attempts(&client, Timestamp(0), now).await.unwrap();
    let guids: Vec<&str> = attempts.all.iter().map(|attempt| attempt.guid.as_str()).collect();
    assert_eq!(guids, ["a-b"]);
    assert!(known.seen.lock().unwrap().is_empty(), "it needs no installation");
}

async fn refused(installed: bool, pem: &str) -> String {
    let (api, _) = serve(HOUR, installed).await;
    let client = client(&api.root, pem);
    let error = read(&client, &query(), Cursor::default(), usize::MAX).await.error.unwrap();
    let shown = format!("{error} {error:?} {client:?}");
    let secret = pem.lines().nth(1).unwrap();
    assert!(!shown.contains(secret) && !shown.contains("eyJ") && !shown.contains(TOKEN), "{shown}");
    shown
}

#[tokio::test]
async fn a_refusal_says_what_is_wrong_with_the_app_and_shows_no_secret() {
    let absent = refused(false, &pem()).await;
    assert!(
        absent.contains("/repos/acme/shop/installation answered 404") && absent.contains("not installed"),
        "{absent}"
    );
    let other = Rsa::generate(2048).unwrap().private_key_to_pem().unwrap();
    let other = refused(true, std::str::from_utf8(&other).unwrap()).await;
    assert!(other.contains("another key") && other.contains("the private key is its own"), "{other}");
}

#[test]
fn a_key_is_rsa_without_a_password() {
    let read = |pem: Vec<u8>| App::new(APP, &String::from_utf8(pem).unwrap().into());
    assert!(read(key().private_key_to_pem_pkcs8().unwrap()).is_ok());
    let cipher = openssl::symm::Cipher::aes_256_cbc();
    let locked = key().private_key_to_pem_pkcs8_passphrase(cipher, b"p").unwrap();
    for wrong in [locked, key().public_key_to_pem().unwrap(), b"".to_vec()] {
        let error = read(wrong).unwrap_err();
        assert!(matches!(error, KeyError::Pem(_)) && error.to_string().contains(".private-key.pem"));
    }
    let elliptic = PKey::generate_ed25519().unwrap();
    assert!(matches!(read(elliptic.private_key_to_pem_pkcs8().unwrap()), Err(KeyError::Kind)));
}
