//! Random calls from safe code, with sizes and lengths that agree or not: each is refused, with a message, or
//! returns; those of convolutions are right. None writes beside its slices, which lie between guards of NaN,
//! so that what is read there shows, or end where their memory ends, so that a sanitizer sees it.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;
use std::vec;
use std::vec::Vec;

use crate::simd::Isa;

mod convolutions;
mod numbers;
mod products;

/// A generator of numbers without much pattern.
pub(crate) struct Rng(pub(crate) u64);

impl Rng {
    pub(crate) fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % n
    }

    pub(crate) fn from(&mut self, choices: &[usize]) -> usize {
        choices[self.below(choices.len())]
    }

    /// A size that makes products or sums wrap around, or is none.
    pub(crate) fn wild(&mut self) -> usize {
        let half = 1 << (usize::BITS / 2);
        self.from(&[0, usize::MAX, usize::MAX / 2, usize::MAX / 2 + 1, half, half + 1, half - 1, 1 << 20])
    }

    /// A size from 1 on, now and then 0 or wild.
    fn size(&mut self, most: usize) -> usize {
        match self.below(40) {
            0 => self.wild(),
            1 => 0,
            _ => 1 + self.below(most),
        }
    }

    /// A number below `n`, now and then `n` itself.
    fn index(&mut self, n: usize) -> usize {
        let beyond = usize::from(self.below(60) == 0);
        self.below(n + beyond)
    }

    fn flip(&mut self) -> bool {
        self.below(2) == 0
    }
}

std::thread_local! {
    static QUIET: Cell<bool> = const { Cell::new(false) };
    /// Numbers on both sides of a slice: none where a sanitizer is to see what is read there.
    static GUARD: Cell<usize> = const { Cell::new(0) };
}

/// Whether `call` returned; what it says when it panics is not printed.
pub(crate) fn returns<T>(call: impl FnOnce() -> T) -> Option<T> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let print = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if !QUIET.get() {
                print(info);
            }
        }));
    });
    QUIET.set(true);
    let result = catch_unwind(AssertUnwindSafe(call)).ok();
    QUIET.set(false);
    result
}

/// The longest slice that is made for a call.
pub(crate) const MOST: usize = 1 << 14;

/// A NaN that no kernel makes.
const NOBODYS: u32 = 0x7fc0_dead;

/// Numbers between guards.
pub(crate) struct Guarded {
    all: Vec<f32>,
    guard: usize,
}

impl Guarded {
    pub(crate) fn new(len: usize, content: &[f32]) -> Guarded {
        let guard = GUARD.get();
        let mut all = vec![f32::from_bits(NOBODYS); len + 2 * guard];
        for (i, to) in all[guard..guard + len].iter_mut().enumerate() {
            *to = content.get(i).copied().unwrap_or(0.5);
        }
        Guarded { all, guard }
    }

    pub(crate) fn slice(&mut self) -> &mut [f32] {
        let end = self.all.len() - self.guard;
        &mut self.all[self.guard..end]
    }

    pub(crate) fn is_intact(&self) -> bool {
        let (before, after) = (&self.all[..self.guard], &self.all[self.all.len() - self.guard..]);
        before.iter().chain(after).all(|x| x.to_bits() == NOBODYS)
    }
}

/// A length that is asked for, or another one; and whether it is the one.
pub(crate) fn length(rng: &mut Rng, asked: Option<usize>) -> (usize, bool) {
    match asked {
        Some(len) if len <= MOST => match rng.below(12) {
            0 => (len + 1, false),
            1 => (len.saturating_sub(1), len == 0),
            _ => (len, true),
        },
        _ => (rng.below(100), false),
    }
}

/// Slices of these lengths, or of others; `None` asks for any.
struct Slices(Vec<Guarded>);

impl Slices {
    fn new(rng: &mut Rng, asked: &[Option<usize>]) -> Slices {
        Slices(asked.iter().map(|&asked| length(rng, asked).0).map(|len| Guarded::new(len, &[])).collect())
    }

    fn each<const N: usize>(&mut self) -> [&mut [f32]; N] {
        let mut all = self.0.iter_mut();
        std::array::from_fn(|_| all.next().expect("as many slices as are taken").slice())
    }

    /// Runs a call, which must leave what is beside its slices; whether it returned.
    #[track_caller]
    fn call<const N: usize>(mut self, what: &str, call: impl FnOnce([&mut [f32]; N])) -> bool {
        let slices = self.each();
        let returned = returns(|| call(slices)).is_some();
        assert!(self.0.iter().all(Guarded::is_intact), "{what} writes beside its slices");
        returned
    }
}

/// The product of some sizes, where it is no more than a slice is made for.
fn product_of(sizes: &[usize]) -> Option<usize> {
    sizes.iter().try_fold(1usize, |len, size| len.checked_mul(*size)).filter(|len| *len <= MOST)
}

fn fuzz(rounds: usize, seed: u64) {
    let mut rng = Rng(seed);
    let (mut calls, mut returned) = (0, 0);
    for round in 0..rounds {
        GUARD.set(if round % 2 == 0 { 64 } else { 0 });
        for isa in Isa::available() {
            convolutions::call(&mut rng, isa);
            for call in products::CALLS.iter().chain(numbers::CALLS) {
                calls += 1;
                returned += usize::from(call(&mut rng, isa));
            }
        }
    }
    assert!(3 * returned > calls, "only {returned} of {calls} calls were not refused: they test little");
}

#[test]
fn random_calls_are_refused_or_return() {
    fuzz(if cfg!(miri) { 3 } else { 300 }, 1);
}

#[test]
#[ignore = "minutes: for a release build with a sanitizer, as in .ci/paths"]
fn a_million_random_calls_are_refused_or_return() {
    let rounds = 1_000_000 / (9 + products::CALLS.len() + numbers::CALLS.len()) / Isa::available().count();
    fuzz(rounds + 1, 2);
}
