//! What the oracle does not work out yet: working time. It is left out of both sides before they are compared.

use model::fact::Fact;

macro_rules! leave_out {
    ($row:expr, $($column:ident)*) => {{ $($row.$column = None;)* }};
}

/// Takes out of a row what is not worked out.
pub fn in_scope(mut fact: Fact) -> Fact {
    macro_rules! leave_out_segments {
        ($row:expr) => {
            leave_out!($row, lead_time_working coding_working review_working merge_to_build_working queue_working
                build_and_test_working gate_wait_working batch_wait_working hand_off_working deploy_working unaccounted_working)
        };
    }
    match &mut fact {
        Fact::Release(row) => leave_out_segments!(row),
        Fact::ReleaseCommit(row) => leave_out_segments!(row),
        Fact::GateWait(row) => leave_out!(row, wait_working),
        Fact::ManualStep(row) => leave_out!(row, wait_working),
        _ => {}
    }
    fact
}
