//! What a replay of the inbox came to.

use std::collections::BTreeMap;
use std::fmt;

use correlator::{OldRows, Rewound};
use ingestor::replay::{Comparison, Counts, Example};
use serde::{Serialize, Serializer};

/// What was found and done.
#[derive(Debug, Serialize)]
pub struct Summary {
    dry_run: bool,
    #[serde(flatten)]
    pub total: Counts,
    sources: BTreeMap<String, Counts>,
    pub examples: Vec<Example>,
    /// The new generation, where something is superseded.
    #[serde(serialize_with = "generation")]
    pub begun: Option<Rewound>,
}

fn generation<S: Serializer>(begun: &Option<Rewound>, serializer: S) -> Result<S::Ok, S::Error> {
    begun.as_ref().map(super::json_of).serialize(serializer)
}

impl Summary {
    pub fn new(comparison: &Comparison<'_>, dry_run: bool) -> Self {
        let sources = comparison.sources().iter().map(|(source, counts)| (source.to_string(), *counts)).collect();
        Self { dry_run, total: comparison.total(), sources, examples: Vec::new(), begun: None }
    }

    /// Whether everything that is read differently is, or would be, put right.
    pub const fn is_complete(&self) -> bool {
        self.total.unraised == 0 && self.total.older == 0
    }

    fn sources(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let written = if self.dry_run { "to be written" } else { "written" };
        for (source, counts) in &self.sources {
            let Counts { deliveries, different, events, superseded, dead, .. } = counts;
            write!(
                f,
                "\n{source}: {deliveries} deliveries, {different} read differently: {events} events {written}, {superseded} \
                 deliveries superseded; {dead} still dead"
            )?;
        }
        Ok(())
    }

    /// What nothing is done about, and why.
    fn left(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Counts { kept, unraised, older, .. } = self.total;
        if kept > 0 {
            write!(f, "\n{kept} deliveries can no longer be read as they were: what was read of them stays.")?;
        }
        if unraised > 0 {
            write!(
                f,
                "\n{unraised} deliveries are read differently by an adapter of the same version, and left as they were: raise the \
                 adapter's `version` and run this again. Where no adapter was changed, `people.key` was, or a sender used an id for \
                 two bodies."
            )?;
        }
        if older > 0 {
            write!(
                f,
                "\n{older} deliveries were read by a later version of their adapter, and left as they are: run this with the \
                 version of Throughline that the normalisers have."
            )?;
        }
        Ok(())
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Counts { deliveries, different, events, .. } = self.total;
        match different {
            0 => write!(f, "{deliveries} deliveries of the inbox were read again, and nothing is to be written.")?,
            _ => write!(f, "{different} of {deliveries} deliveries of the inbox are read differently now.")?,
        }
        self.sources(f)?;
        for Example { delivery, found, events, gone } in &self.examples {
            write!(f, "\n  {delivery}: {found}")?;
            if *found == "different" {
                write!(f, ", {events} events to write, {gone} that count no more")?;
            }
        }
        self.left(f)?;
        match &self.begun {
            Some(begun) => write!(f, "\n{}", super::describe(begun, OldRows::Kept)),
            None if self.dry_run && different > 0 => write!(f, "\nNothing was written: this was a dry run."),
            None if events > 0 => write!(f, "\nStart the correlators: they read what was added."),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn summary(total: Counts) -> Summary {
        let example = Example { delivery: "github/d1".to_owned(), found: "different", events: 2, gone: 1 };
        let sources = BTreeMap::from([("github".to_owned(), total)]);
        Summary { dry_run: true, total, sources, examples: vec![example], begun: None }
    }

    #[test]
    fn what_is_found_is_told_by_source_with_examples_and_a_remedy() {
        let found =
            summary(Counts { deliveries: 9, different: 1, events: 2, superseded: 1, unraised: 3, ..Counts::default() });
        let text = found.to_string();
        for part in [
            "1 of 9 deliveries",
            "\ngithub: 9 deliveries",
            "  github/d1: different, 2 events",
            "raise the adapter's `version`",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert!(text.ends_with("this was a dry run.") && !found.is_complete());
        let json = serde_json::to_value(&found).unwrap();
        assert_eq!(
            (&json["different"], &json["sources"]["github"]["events"], &json["begun"]),
            (&1.into(), &2.into(), &().into())
        );
    }

    #[test]
    fn where_nothing_differs_it_says_so() {
        let text = summary(Counts { deliveries: 9, ..Counts::default() }).to_string();
        assert!(text.starts_with("9 deliveries of the inbox were read again, and nothing is to be written."), "{text}");
    }
}
