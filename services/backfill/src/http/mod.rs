//! Reading a provider's API: one request at a time, page by page, within its limits and through its outages.
//!
//! What is read is repeatable, so a request is sent again until it is answered or the tries are spent. A provider that says how
//! long to wait is obeyed: <https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api>.

mod error;
mod renewal;
mod verdict;
mod wait;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderMap, HeaderName, HeaderValue, LINK};
use reqwest::redirect::Policy;
use reqwest::{Method, StatusCode, Url};
use secrecy::SecretString;
use serde::de::DeserializeOwned;
use serde_json::Value;

pub use error::HttpError;
use error::described;
use renewal::Token;
pub use renewal::{Fresh, Renewal, Renewing};
use verdict::{Verdict, judge};
pub use wait::{Wait, Why};

/// Who is asking; GitHub refuses requests that do not say.
const USER_AGENT: &str = concat!("throughline/", env!("CARGO_PKG_VERSION"));
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const READ_TIMEOUT: Duration = Duration::from_secs(60);
/// How many items a list has.
const TOTAL: &str = "x-total";
/// No redirect of an API is followed further than that.
const REDIRECTS: usize = 5;

/// What a client has to know of an API.
#[derive(Clone, Debug)]
pub struct Api {
    /// Where it is, without a `/` at the end: `https://api.github.com`.
    pub root: String,
    /// What stands before the token in the header `Authorization`: `Bearer`.
    pub scheme: &'static str,
    /// Proves who asks; without one an API gives away what is public, and less often.
    pub token: Option<SecretString>,
    /// Media type that is asked for.
    pub accept: &'static str,
    /// Further headers, names in lower case.
    pub headers: &'static [(&'static str, &'static str)],
    /// What to do where it refuses with a status and a message, for people.
    pub advice: fn(StatusCode, &str) -> &'static str,
    /// How long it is waited for.
    pub patience: Patience,
}

/// How often and how long a request is tried again.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// Times that a request is sent at most.
    pub tries: u32,
    /// Wait after the first failure; doubled after each further one.
    pub outage: Duration,
    /// Wait after the first refusal for a limit where the API does not say how long; doubled after each further one.
    pub limit: Duration,
}

impl Default for Patience {
    /// Some four minutes of outage; at a limit a minute at first, as GitHub asks for.
    fn default() -> Self {
        Self { tries: 8, outage: Duration::from_secs(2), limit: Duration::from_secs(60) }
    }
}

/// An answer that was good.
#[derive(Debug)]
pub struct Answer {
    /// Whom it is from.
    url: Url,
    /// Where it goes on: `Link: <…>; rel="next"`.
    pub next: Option<String>,
    /// Number of its last page, where a `Link` with `rel="last"` tells.
    pub last_page: Option<u64>,
    /// How many items the list has, where a header `X-Total` tells, as GitLab's does.
    pub total: Option<u64>,
    body: Vec<u8>,
}

/// What was asked so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Requests sent.
    pub requests: u64,
    /// Time spent waiting, for limits and outages.
    pub waited: Duration,
    /// Requests left until the limit is reset, as the API told last.
    pub left: Option<u64>,
}

/// What is known of the limit.
#[derive(Debug, Default)]
struct Known {
    usage: Usage,
    /// No request before this time.
    exhausted_until: Option<SystemTime>,
}

/// Asks one API. Requests are sent one after the other, as GitHub wants it.
#[derive(Debug)]
pub struct Client {
    http: reqwest::Client,
    api: Api,
    root: Url,
    token: Token,
    known: Mutex<Known>,
}

/// A request that is not plain reading.
#[derive(Debug)]
pub struct Ask<'a> {
    method: Method,
    address: &'a str,
    body: Option<Value>,
}

impl<'a> Ask<'a> {
    /// `GET` of a path below the root (`/repos/…`).
    #[must_use]
    pub fn get(address: &'a str) -> Self {
        Self { method: Method::GET, address, body: None }
    }

    /// `POST` to a path below the root.
    #[must_use]
    pub fn post(address: &'a str) -> Self {
        Self { method: Method::POST, ..Self::get(address) }
    }

    /// Sends that as JSON.
    #[must_use]
    pub fn with(self, body: Value) -> Self {
        Self { body: Some(body), ..self }
    }
}

/// A request as it is sent.
struct Request {
    method: Method,
    url: Url,
    authorization: Option<HeaderValue>,
    body: Option<Value>,
}

impl Client {
    /// A client of that API.
    ///
    /// # Errors
    /// Where its address or its token cannot be used.
    pub fn new(api: Api) -> Result<Self, HttpError> {
        let token = Token::fixed(api.scheme, api.token.as_ref())?;
        Self::with(api, token)
    }

    /// A client of that API whose tokens run out; the one of the API itself is not used.
    ///
    /// # Errors
    /// Where its address cannot be used.
    pub fn renewed(api: Api, renewal: Arc<dyn Renewal>) -> Result<Self, HttpError> {
        Self::with(api, Token::renewed(renewal))
    }

    fn with(api: Api, token: Token) -> Result<Self, HttpError> {
        let root = Url::parse(&api.root).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
        let root = root.ok_or_else(|| HttpError::Address(api.root.clone()))?;
        let http = reqwest::Client::builder()
            .user_agent(USER_AGENT)
            .default_headers(headers(&api))
            .connect_timeout(CONNECT_TIMEOUT)
            .read_timeout(READ_TIMEOUT)
            .redirect(Policy::custom(|attempt| {
                let away = attempt.previous().first().is_none_or(|first| !same_origin(first, attempt.url()));
                if away || attempt.previous().len() > REDIRECTS { attempt.stop() } else { attempt.follow() }
            }))
            .build()
            .map_err(HttpError::Client)?;
        Ok(Self { http, api, root, token, known: Mutex::default() })
    }

    /// What was asked so far.
    #[must_use]
    pub fn usage(&self) -> Usage {
        self.lock().usage
    }

    /// Asks for a path below the root (`/repos/…`), or for the next page as an answer gave it. `waiting` is told before every wait.
    ///
    /// # Errors
    /// Where it is refused, or not answered however often it is tried; the error names the address and what to do.
    pub async fn get(&self, address: &str, waiting: &(dyn Fn(&Wait) + Sync)) -> Result<Answer, HttpError> {
        self.ask(Ask::get(address), waiting).await
    }

    /// Asks for something to be done, by a request without a body that may be sent twice.
    ///
    /// # Errors
    /// As of [`get`](Self::get).
    pub async fn post(&self, address: &str, waiting: &(dyn Fn(&Wait) + Sync)) -> Result<Answer, HttpError> {
        self.ask(Ask::post(address), waiting).await
    }

    /// Asks for something. It must be harmless to ask for it twice: it is sent again until it is answered.
    ///
    /// # Errors
    /// As of [`get`](Self::get).
    pub async fn ask(&self, ask: Ask<'_>, waiting: &(dyn Fn(&Wait) + Sync)) -> Result<Answer, HttpError> {
        let url = self.resolve(ask.address)?;
        let authorization = self.token.header(self.api.scheme, waiting).await?;
        let request = Request { method: ask.method, url, authorization, body: ask.body };
        let exhausted = self.lock().exhausted_until.take();
        if let Some(pause) = exhausted.and_then(|until| until.duration_since(SystemTime::now()).ok()) {
            self.pause(Wait::new(pause.min(verdict::LONGEST), Why::Limit), waiting).await;
        }
        let mut tries = 0;
        loop {
            let sent = self.send(&request, tries).await;
            tries += 1;
            let (wait, failure) = match sent? {
                Sent::Answered(answer) => return Ok(answer),
                Sent::Later(wait, failure) => (wait, failure),
            };
            if tries >= self.api.patience.tries {
                return Err(HttpError::GivenUp { tries, source: Box::new(failure) });
            }
            self.pause(wait, waiting).await;
        }
    }

    async fn send(&self, request: &Request, tries: u32) -> Result<Sent, HttpError> {
        self.lock().usage.requests += 1;
        let url = &request.url;
        let later = |source: reqwest::Error| {
            let pause = self.api.patience.outage.saturating_mul(1 << tries.min(16));
            Sent::Later(Wait::new(pause, Why::Outage), HttpError::NoAnswer { url: url.to_string(), source })
        };
        let response = match self.made(request).send().await {
            Ok(response) => response,
            Err(error) => return Ok(later(error.without_url())),
        };
        let (status, headers) = (response.status(), response.headers().clone());
        let body = match response.bytes().await {
            Ok(body) => body,
            Err(error) => return Ok(later(error.without_url())),
        };
        let message = described(&body);
        let (verdict, left) = judge(status, &headers, &message, self.api.patience, tries);
        self.note(left);
        let refused = || HttpError::Refused {
            url: url.to_string(),
            status,
            advice: (self.api.advice)(status, &message),
            message: message.clone(),
        };
        match verdict {
            Verdict::Good => self.answer(url, &headers, body.to_vec()).map(Sent::Answered),
            Verdict::Later(wait) => Ok(Sent::Later(wait, refused())),
            Verdict::Refused => Err(refused()),
        }
    }

    fn made(&self, request: &Request) -> reqwest::RequestBuilder {
        let mut made = self.http.request(request.method.clone(), request.url.clone());
        if let Some(authorization) = &request.authorization {
            made = made.header(AUTHORIZATION, authorization);
        }
        match &request.body {
            Some(body) => made.json(body),
            None => made,
        }
    }

    /// Remembers what the answer told of the limit: once it is used up, the next request waits for its reset.
    fn note(&self, left: Option<verdict::Left>) {
        let Some(left) = left else { return };
        let mut known = self.lock();
        known.usage.left = Some(left.requests);
        known.exhausted_until = left.reset.filter(|_| left.requests == 0);
    }

    fn answer(&self, url: &Url, headers: &HeaderMap, body: Vec<u8>) -> Result<Answer, HttpError> {
        let links: Vec<(String, String)> =
            headers.get_all(LINK).iter().filter_map(|value| value.to_str().ok()).flat_map(links).collect();
        let link = |rel: &str| links.iter().find(|(name, _)| name == rel).map(|(_, address)| address.clone());
        let next = link("next");
        if let Some(next) = &next {
            self.resolve(next)?;
        }
        let last_page = link("last").and_then(|last| page_number(&last));
        let total = headers.get(TOTAL).and_then(|total| total.to_str().ok()?.parse().ok());
        Ok(Answer { url: url.clone(), next, last_page, total, body })
    }

    /// The token goes to the API and nowhere else, whatever an answer names as its next page.
    fn resolve(&self, address: &str) -> Result<Url, HttpError> {
        let url = if address.starts_with('/') {
            Url::parse(&format!("{}{address}", self.api.root))
        } else {
            Url::parse(address)
        };
        let url = url.map_err(|_| HttpError::Address(address.to_owned()))?;
        if same_origin(&url, &self.root) {
            Ok(url)
        } else {
            Err(HttpError::Elsewhere { root: self.root.to_string(), address: address.to_owned() })
        }
    }

    async fn pause(&self, wait: Wait, waiting: &(dyn Fn(&Wait) + Sync)) {
        self.lock().usage.waited += wait.pause;
        waiting(&wait);
        tokio::time::sleep(wait.pause).await;
    }

    /// What is counted stays right if somebody panicked while counting.
    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Answer {
    /// Reads the body.
    ///
    /// # Errors
    /// Where it has another shape; names the address and the place.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, HttpError> {
        serde_json::from_slice(&self.body).map_err(|source| HttpError::Shape { url: self.url.to_string(), source })
    }
}

/// What became of a request.
enum Sent {
    Answered(Answer),
    /// It may be answered after that; the error says what it was this time.
    Later(Wait, HttpError),
}

fn headers(api: &Api) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(ACCEPT, HeaderValue::from_static(api.accept));
    for (name, value) in api.headers {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    headers
}

fn same_origin(a: &Url, b: &Url) -> bool {
    (a.scheme(), a.host(), a.port_or_known_default()) == (b.scheme(), b.host(), b.port_or_known_default())
}

/// Relations and addresses of a header `Link`: `<https://…?page=2>; rel="next", <…>; rel="last"`.
/// See <https://www.rfc-editor.org/rfc/rfc8288#section-3>.
fn links(header: &str) -> Vec<(String, String)> {
    let mut links = Vec::new();
    let mut rest = header;
    while let Some((_, behind)) = rest.split_once('<') {
        let Some((address, parameters)) = behind.split_once('>') else { break };
        let end = parameters.find('<').unwrap_or(parameters.len());
        let rel = parameters[..end].split(';').find_map(|parameter| parameter.trim().strip_prefix("rel="));
        if let Some(rel) = rel {
            let rel = rel.trim_end_matches([',', ' ']).trim_matches('"');
            links.push((rel.to_owned(), address.to_owned()));
        }
        rest = &parameters[end..];
    }
    links
}

fn page_number(address: &str) -> Option<u64> {
    let url = Url::parse(address).ok()?;
    url.query_pairs().find(|(name, _)| name == "page")?.1.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_read() {
        let header = "<https://api.github.com/repositories/1/pulls?a=1,2&page=2>; rel=\"next\", \
                      <https://api.github.com/repositories/1/pulls?page=9>; rel=\"last\"";
        let links = links(header);
        assert_eq!(links[0], ("next".into(), "https://api.github.com/repositories/1/pulls?a=1,2&page=2".into()));
        assert_eq!(links[1].0, "last");
        assert_eq!(page_number(&links[1].1), Some(9));
        assert!(super::links("nonsense <").is_empty());
    }

    fn client(root: &str) -> Client {
        let api = Api {
            root: root.to_owned(),
            scheme: "Bearer",
            token: Some("hunter2".into()),
            accept: "application/json",
            headers: &[],
            advice: |_, _| "",
            patience: Patience::default(),
        };
        Client::new(api).unwrap()
    }

    #[test]
    fn the_token_goes_to_the_api_alone_and_is_never_shown() {
        let client = client("https://api.github.com");
        assert!(client.resolve("/repos/a/b").is_ok());
        assert!(client.resolve("https://api.github.com:443/repos?page=2").is_ok());
        for elsewhere in ["https://example.org/repos", "http://api.github.com/repos", "https://api.github.com:8443/"] {
            assert!(matches!(client.resolve(elsewhere), Err(HttpError::Elsewhere { .. })), "{elsewhere}");
        }
        assert!(!format!("{client:?}").contains("hunter2"));
    }

    #[test]
    fn an_address_that_is_none_is_refused() {
        for root in ["", "api.github.com", "ftp://api.github.com"] {
            let api = Api { root: root.to_owned(), ..client("https://a.example").api };
            assert!(matches!(Client::new(api), Err(HttpError::Address(_))), "{root}");
        }
    }
}
