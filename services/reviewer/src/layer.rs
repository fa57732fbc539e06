//! Where the cause of a finding lies.

use model::event::Layer;

/// Whose a segment is to change: the teams' (process), those who run runners, environments and tooling (platform), or those who make
/// the rules (policy). None for what no event explains.
#[must_use]
pub fn of_segment(segment: &str) -> Option<Layer> {
    match segment {
        "coding" | "review" | "batch_wait" | "hand_off" => Some(Layer::Process),
        "merge_to_build" | "queue" | "build_and_test" | "deploy" => Some(Layer::Platform),
        "gate_wait" => Some(Layer::Policy),
        _ => None,
    }
}

/// The word that stands for a layer in labels and tables.
#[must_use]
pub const fn word(layer: Option<Layer>) -> &'static str {
    match layer {
        Some(Layer::Process) => "process",
        Some(Layer::Platform) => "platform",
        Some(Layer::Policy) => "policy",
        None => "unknown",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::fact::SEGMENTS;

    #[test]
    fn every_segment_but_the_unexplained_has_a_layer() {
        let without: Vec<&str> = SEGMENTS.into_iter().filter(|segment| of_segment(segment).is_none()).collect();
        assert_eq!(without, ["unaccounted"]);
    }
}
