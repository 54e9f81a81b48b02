//! What is counted, so that somebody watching knows how well reading goes.

/// Counters since the head-end started; they only grow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Metrics {
    /// Scheduled reads that became due.
    pub reads_due: u64,
    /// Scheduled reads done.
    pub reads_done: u64,
    /// Scheduled reads that ran out of time or attempts.
    pub reads_missed: u64,
    /// Visits begun, scheduled or not.
    pub visits: u64,
    /// Visits that failed because the link was lost or nobody answered.
    pub failed_link: u64,
    /// Visits that failed because the meter broke the protocol or refused.
    pub failed_peer: u64,
    /// Visits that failed because we asked for something that is not there.
    pub failed_request: u64,
    /// Visits that failed a security check.
    pub failed_security: u64,
    /// Visits that failed through our own fault.
    pub failed_internal: u64,
    /// Visits begun again after a failure.
    pub retries: u64,
    /// Intervals read, of every channel.
    pub intervals: u64,
    /// Pushes understood.
    pub pushes: u64,
    /// Pushes refused because their counter was not above the last.
    pub pushes_replayed: u64,
    /// Pushes refused because their tag did not verify under the meter's key.
    pub pushes_forged: u64,
    /// Pushes refused because no meter has their system title.
    pub pushes_unknown: u64,
    /// Pushes refused because they came with less protection than agreed.
    pub pushes_unprotected: u64,
    /// Pushes refused because they could not be understood.
    pub pushes_malformed: u64,
    /// Connections closed because what came was no wrapper message.
    pub framing_errors: u64,
    /// Answers that nobody waits for any more.
    pub strays: u64,
    /// Clocks set.
    pub clocks_set: u64,
    /// Commands confirmed.
    pub commands_done: u64,
    /// Commands failed or expired.
    pub commands_failed: u64,
    /// Bytes received.
    pub bytes_in: u64,
    /// Bytes sent.
    pub bytes_out: u64,
}

impl Metrics {
    /// The share of finished scheduled reads that were done, in thousandths; `None` before the first.
    pub const fn read_success_permille(&self) -> Option<u64> {
        (self.reads_done * 1000).checked_div(self.reads_done + self.reads_missed)
    }
}
