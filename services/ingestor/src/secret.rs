//! Secrets as a configuration names them.

use std::fmt;
use std::path::PathBuf;

use secrecy::{ExposeSecret, SecretString};
use serde::de::{self, Deserialize, Deserializer, MapAccess};

/// A secret in a configuration: the text itself, `{ env = "NAME" }` or `{ file = "/path" }`. [`Secret::resolve`] gets the text.
#[derive(Clone)]
pub enum Secret {
    /// The text itself.
    Plain(SecretString),
    /// Name of an environment variable.
    Env(String),
    /// A file that holds the secret and nothing else, such as one mounted by an orchestrator. A newline at its end is cut off.
    File(PathBuf),
}

/// Why there is no secret. No variant holds one.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The variable is not set.
    #[error("the environment variable {0} is not set: set it to the secret")]
    NoVariable(String),
    /// The text is not UTF-8.
    #[error("the secret in {0} is not UTF-8 text")]
    NotText(String),
    /// The file cannot be read.
    #[error("the secret's file {} cannot be read", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// Nothing but white space.
    #[error("the secret in {0} is empty: anybody could guess it")]
    Empty(String),
}

/// Says where the secret is, never what it is.
impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.place())
    }
}

impl Secret {
    /// Refuses an empty text; what stands elsewhere is not looked at.
    ///
    /// # Errors
    /// Where the configuration itself holds the secret, and it is empty.
    pub fn validate(&self) -> Result<(), SecretError> {
        match self {
            Self::Plain(_) => self.resolve().map(drop),
            Self::Env(_) | Self::File(_) => Ok(()),
        }
    }

    /// Gets the text.
    ///
    /// # Errors
    /// Where there is none, or an empty one.
    pub fn resolve(&self) -> Result<SecretString, SecretError> {
        let text = match self {
            Self::Plain(text) => text.clone(),
            Self::Env(name) => match std::env::var(name) {
                Ok(text) => text.into(),
                Err(std::env::VarError::NotPresent) => return Err(SecretError::NoVariable(name.clone())),
                Err(std::env::VarError::NotUnicode(_)) => return Err(SecretError::NotText(self.place())),
            },
            Self::File(path) => {
                let bytes = std::fs::read(path).map_err(|source| SecretError::File { path: path.clone(), source })?;
                let text = String::from_utf8(bytes).map_err(|_| SecretError::NotText(self.place()))?;
                let line = text.strip_suffix('\n').unwrap_or(&text);
                line.strip_suffix('\r').unwrap_or(line).into()
            }
        };
        if text.expose_secret().trim().is_empty() { Err(SecretError::Empty(self.place())) } else { Ok(text) }
    }

    fn place(&self) -> String {
        match self {
            Self::Plain(_) => "the configuration".to_owned(),
            Self::Env(name) => format!("the environment variable {name}"),
            Self::File(path) => format!("the file {}", path.display()),
        }
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = Secret;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(r#"a secret: a text, { env = "NAME" } or { file = "/path" }"#)
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Secret, E> {
                Ok(Secret::Plain(text.into()))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Secret, A::Error> {
                let secret = match map.next_key::<String>()?.as_deref() {
                    Some("env") => Secret::Env(map.next_value()?),
                    Some("file") => Secret::File(map.next_value()?),
                    Some(other) => return Err(de::Error::unknown_field(other, &["env", "file"])),
                    None => return Err(de::Error::invalid_length(0, &self)),
                };
                match map.next_key::<String>()? {
                    None => Ok(secret),
                    Some(_) => Err(de::Error::invalid_length(2, &self)),
                }
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Secret {
        serde_json::from_str(json).unwrap()
    }

    fn resolved(json: &str) -> Result<String, String> {
        read(json).resolve().map(|s| s.expose_secret().to_owned()).map_err(|e| e.to_string())
    }

    #[test]
    fn comes_from_three_places() {
        assert_eq!(resolved(r#""hunter2""#).unwrap(), "hunter2");
        assert_eq!(resolved(r#"{"env": "PATH"}"#).unwrap(), std::env::var("PATH").unwrap());
        let file = tempfile::NamedTempFile::new().unwrap();
        let json = serde_json::json!({ "file": file.path() }).to_string();
        for (content, secret) in
            [("s3cret\n", "s3cret"), ("s3cret\r\n", "s3cret"), ("s3cret", "s3cret"), (" a\n\n", " a\n")]
        {
            std::fs::write(file.path(), content).unwrap();
            assert_eq!(resolved(&json).unwrap(), secret, "{content:?}");
        }
    }

    #[test]
    fn is_never_empty() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "\n").unwrap();
        let in_file = serde_json::json!({ "file": file.path() }).to_string();
        for json in [r#""""#, r#"" ""#, &in_file] {
            assert!(resolved(json).unwrap_err().contains("is empty"), "{json}");
        }
        let error = resolved(r#"{"env": "THROUGHLINE_NO_SUCH_VARIABLE"}"#).unwrap_err();
        assert!(error.contains("THROUGHLINE_NO_SUCH_VARIABLE is not set"), "{error}");
        let error = resolved(r#"{"file": "/no/such/file"}"#).unwrap_err();
        assert!(error.contains("/no/such/file cannot be read"), "{error}");
    }

    #[test]
    fn is_never_shown() {
        assert_eq!(format!("{:?}", read(r#""hunter2""#)), "the configuration");
        assert_eq!(format!("{:?}", read(r#"{"env": "NAME"}"#)), "the environment variable NAME");
        let error = Secret::Plain(" ".into()).resolve().unwrap_err();
        assert_eq!(format!("{error:?}"), "Empty(\"the configuration\")");
    }

    #[test]
    fn names_one_place() {
        for json in ["{}", r#"{"env": "A", "file": "b"}"#, r#"{"vault": "A"}"#, "5"] {
            let error = serde_json::from_str::<Secret>(json).unwrap_err().to_string();
            assert!(error.contains("env"), "{error}");
        }
    }
}
