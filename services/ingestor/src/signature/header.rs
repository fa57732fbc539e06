//! Headers that hold a proof, or a part of one. Their bytes are taken as they came: they need not be text.

use axum::http::HeaderMap;

use super::Rejected;

/// A header and its form.
pub(super) struct Header {
    /// Its name, as the provider writes it.
    pub(super) name: &'static str,
    /// What it looks like.
    pub(super) form: &'static str,
}

impl Header {
    /// Its value, which must be there once.
    pub(super) fn value<'a>(&self, headers: &'a HeaderMap) -> Result<&'a [u8], Rejected> {
        let mut values = headers.get_all(self.name).iter();
        match (values.next(), values.next()) {
            (Some(value), None) => Ok(value.as_bytes()),
            (Some(_), Some(_)) => Err(self.malformed()),
            (None, _) => Err(Rejected::Missing(self.name)),
        }
    }

    pub(super) const fn malformed(&self) -> Rejected {
        Rejected::Malformed { header: self.name, form: self.form }
    }

    /// Passes where something fitted.
    pub(super) fn matched(&self, fits: bool) -> Result<(), Rejected> {
        fits.then_some(()).ok_or(Rejected::Mismatch(self.name))
    }
}

/// The values of a name in `name=value,name=value`.
pub(super) fn pairs<'a>(list: &'a [u8], name: &'static str) -> impl Iterator<Item = &'a [u8]> {
    list.split(|b| *b == b',')
        .filter_map(move |pair| pair.trim_ascii().strip_prefix(name.as_bytes())?.strip_prefix(b"="))
}

/// Reads as many bytes in hex, in either case.
pub(super) fn from_hex<const N: usize>(digits: &[u8]) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    hex::decode_to_slice(digits, &mut bytes).ok()?;
    Some(bytes)
}
