//! What ranks send, and what of a run each holds. In: worlds of threads that count; out: nothing, or a panic.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use nn_runtime::data::{Labels, digits};
use nn_runtime::distributed::{CommunicationError, Communicator, LocalCommunicator, Parts, SharedParts};
use nn_runtime::prelude::*;
use nn_runtime::train::Objective;

use crate::{Apart, Cnn, Mlp, Normed, Sequence, bits, world};

/// A rank that counts the bytes it sends to others, and how often.
struct Counting {
    rank: LocalCommunicator,
    bytes: Arc<AtomicUsize>,
    /// Exchanges during which work was done.
    aside: Arc<AtomicUsize>,
    /// Whether it has memory together with others.
    shares: bool,
}

impl Counting {
    fn count(&self, len: impl Fn(usize) -> usize) {
        let sent = (0..self.size()).filter(|to| *to != self.rank()).map(len).sum();
        self.bytes.fetch_add(sent, Ordering::Relaxed);
    }
}

impl Communicator for Counting {
    fn rank(&self) -> usize {
        self.rank.rank()
    }
    fn size(&self) -> usize {
        self.rank.size()
    }
    fn exchange(&self, send: &[&[u8]], receive: &mut [&mut [u8]]) -> Result<(), CommunicationError> {
        self.count(|to| send[to].len());
        self.rank.exchange(send, receive)
    }
    fn exchange_while(
        &self,
        send: &mut Parts,
        receive: &mut Parts,
        work: &mut dyn FnMut(),
    ) -> Result<(), CommunicationError> {
        assert_eq!((send.ranks(), receive.ranks()), (self.size(), self.size()));
        self.count(|to| send.bytes(to).len());
        self.aside.fetch_add(1, Ordering::Relaxed);
        self.rank.exchange_while(send, receive, work)
    }
    fn shared(&self, len: usize) -> Result<Option<SharedParts>, CommunicationError> {
        if self.shares { self.rank.shared(len) } else { Ok(None) }
    }
}

/// The bytes that each rank sends in one step.
fn sent<N: Network>(data: &Dataset<Labels>, ranks: usize, shares: bool) -> Vec<(usize, usize)>
where
    CrossEntropy: Fits<N::Head> + Objective<Labels>,
{
    world(ranks, |rank| {
        let (bytes, aside) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let counting = Counting { rank, bytes: Arc::clone(&bytes), aside: Arc::clone(&aside), shares };
        let mut model = N::init(1);
        let trainer = Trainer::new(&mut model, CrossEntropy::new(), Adam::new(1e-3));
        let mut trainer = trainer.threads(1).distributed(counting).unwrap();
        let mut steps = [(0, 0); 3];
        for step in &mut steps {
            let before = (bytes.load(Ordering::Relaxed), aside.load(Ordering::Relaxed));
            trainer.step(data).unwrap();
            *step = (bytes.load(Ordering::Relaxed) - before.0, aside.load(Ordering::Relaxed) - before.1);
        }
        assert!(steps.iter().all(|step| *step == steps[0]), "{steps:?}");
        steps[0]
    })
}

fn check<N: Network>(batch: usize, ranks: usize)
where
    CrossEntropy: Fits<N::Head> + Objective<Labels>,
{
    let told = N::traffic(batch, ranks);
    let name = std::any::type_name::<N>();
    let mut samples = 0;
    let data = digits::draw(batch, 1);
    for (rank, (bytes, _)) in sent::<N>(&data, ranks, false).into_iter().enumerate() {
        let cost = told.of(rank);
        assert_eq!(cost.sent(), bytes, "{name}, batch {batch}, rank {rank} of {ranks}: {cost:?}");
        assert!(bytes <= told.most().sent());
        samples += cost.samples;
    }
    assert_eq!(samples, batch);
    for (rank, (bytes, _)) in sent::<N>(&data, ranks, true).into_iter().enumerate() {
        let cost = told.of(rank);
        assert_eq!(cost.statistics + cost.losses, bytes, "{name}, rank {rank} of {ranks} that have memory together");
    }
}

#[test]
fn what_is_told_is_what_is_sent() {
    for ranks in [1, 2, 3, 4, 8] {
        for batch in [70, 128, 260] {
            check::<Mlp>(batch, ranks);
        }
        check::<Cnn>(128, ranks);
        check::<Normed>(100, ranks);
        check::<Sequence>(70, ranks);
    }
}

#[test]
fn no_more_is_sent_than_a_gradient_and_the_parameters_once() {
    // Where each rank has one subtree: of p numbers (p / n) · (n - 1) of each kind, with chunks for shares.
    let all = 4 * Mlp::param_count();
    for ranks in [2, 4, 8] {
        let most = Mlp::traffic(128, ranks).most();
        let least = all / ranks * (ranks - 1);
        for part in [most.gradients, most.parameters] {
            assert!((least * 9 / 10..all + all / 3).contains(&part), "{ranks} ranks: {part} of {all}");
        }
    }
}

network! {
    /// Enough parameters for several rounds.
    struct Wide: [1, 28, 28] -> [10] { Flatten -> Dense(1024) -> Relu -> Dense(300) -> Relu -> Dense(10) }
}

#[test]
fn gradients_are_on_their_way_while_others_are_computed() {
    let data = digits::draw(64, 1);
    let exchanges: Vec<usize> = sent::<Wide>(&data, 2, false).into_iter().map(|(_, aside)| aside).collect();
    // Two rounds of gradients, one of parameters.
    assert_eq!(exchanges, [3, 3]);
    let steps = |ranks: usize| {
        world(ranks, |rank| {
            let mut model = Wide::init(3);
            let trainer = Trainer::new(&mut model, CrossEntropy::new(), Adam::new(1e-3));
            let mut trainer = trainer.threads(1).distributed(Apart(rank)).unwrap();
            (0..3).for_each(|_| assert!(trainer.step(&data).unwrap().is_finite()));
            drop(trainer);
            bits(&model)
        })
    };
    let alone = steps(1);
    for ranks in [2, 3, 4] {
        assert!(steps(ranks).into_iter().all(|model| model == alone[0]), "{ranks} ranks");
    }
}
