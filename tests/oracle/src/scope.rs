//! What the oracle does not work out yet. It is left out of both sides before they are compared.

use model::Millis;
use model::fact::Fact;

/// Takes out of a row what is not worked out.
pub fn in_scope(mut fact: Fact) -> Fact {
    match &mut fact {
        Fact::ManualStep(row) => row.wait_working = None,
        Fact::GateWait(row) => {
            row.caught = None;
            row.hollow.clear();
            row.wait_working = None;
        }
        Fact::Release(row) => {
            row.lead_time_working = None;
            for working in [
                &mut row.coding_working,
                &mut row.review_working,
                &mut row.merge_to_build_working,
                &mut row.queue_working,
                &mut row.build_and_test_working,
                &mut row.gate_wait_working,
                &mut row.batch_wait_working,
                &mut row.hand_off_working,
                &mut row.deploy_working,
                &mut row.unaccounted_working,
            ] {
                *working = None::<Millis>;
            }
        }
        Fact::ReleaseCommit(row) => {
            row.lead_time_working = None;
            for working in [
                &mut row.coding_working,
                &mut row.review_working,
                &mut row.merge_to_build_working,
                &mut row.queue_working,
                &mut row.build_and_test_working,
                &mut row.gate_wait_working,
                &mut row.batch_wait_working,
                &mut row.hand_off_working,
                &mut row.deploy_working,
                &mut row.unaccounted_working,
            ] {
                *working = None::<Millis>;
            }
        }
        _ => {}
    }
    fact
}
