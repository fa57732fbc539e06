//! Made-up delivery life in any amount: what many teams' repositories, pipelines, gates and deployments would have told.
//!
//! A [`World`] is an endless iterator of events in the order in which they arrive. The same seed and [`Shape`] give the same
//! events. Each component lives at a steady pace, so more events are a longer history and not a denser one; what is kept in
//! memory is what is under way.
//!
//! A component is a repository. Its changes are pushed to a branch, reviewed and built there, merged (as a squash, a merge commit
//! or a rebase), built again, deployed to integration and staging, and now and then released to production behind a gate.
//! Pipelines fail and are run again; gates reject and expire; deployments fail and are rolled back.

mod component;
mod draw;
mod pipeline;
mod world;

pub use world::{Shape, World};

/// Reads an amount as benchmarks take it on their command lines: `1000`, `200k` or `10M`.
///
/// # Errors
/// Names the text.
pub fn amount(text: &str) -> Result<u64, String> {
    let (digits, unit) = match text.as_bytes().last() {
        Some(b'k') => (&text[..text.len() - 1], 1_000),
        Some(b'M') => (&text[..text.len() - 1], 1_000_000),
        _ => (text, 1),
    };
    let wrong = || format!("`{text}` is no amount like 1000, 200k or 10M");
    digits.parse::<u64>().ok().and_then(|number| number.checked_mul(unit)).filter(|n| *n > 0).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::amount;

    #[test]
    fn amounts_have_units() {
        assert_eq!((amount("7"), amount("200k"), amount("10M")), (Ok(7), Ok(200_000), Ok(10_000_000)));
        for wrong in ["", "M", "1.5M", "-1", "0", "99999999999999999999"] {
            assert!(amount(wrong).is_err(), "{wrong}");
        }
    }
}
