//! Gradients of several batches that make one step, in memory of the caller's. In: the sums so far with
//! those of a batch; out: the same, until a step has been taken by them. It computes nothing.

/// The sums of gradients that wait.
pub(super) struct WaitingGrads<'m> {
    pub(super) sums: &'m mut [f32],
    /// Of all rows.
    pub(super) weight: f64,
    /// What none of the sums has been larger than.
    pub(super) largest: f64,
}

impl WaitingGrads<'_> {
    /// With those of one batch more.
    pub(super) fn take(&mut self, sums: &[f32], weight: f64, largest: f64) {
        self.sums.copy_from_slice(sums);
        (self.weight, self.largest) = (self.weight + weight, largest);
    }

    /// Nothing waits.
    pub(super) fn drop_all(&mut self) {
        self.sums.fill(0.0);
        (self.weight, self.largest) = (0.0, 0.0);
    }
}
