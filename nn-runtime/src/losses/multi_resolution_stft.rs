//! `MultiResolutionStft`: how far two signals are apart in magnitude spectra of several resolutions. In: a
//! sample's outputs and targets; out: one number, and its gradient through the transforms.

use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use core::f64::consts::PI;

use super::{Loss, LossOn, TargetValue};
use nn_kernels::scratch_pool::ScratchPool;
use nn_kernels::simd::Isa;

/// The distance of magnitude spectra `|STFT|` of an output `Y` and its target `T`, the mean over several
/// resolutions of `‖T - Y‖ / ‖T‖` (spectral convergence, norms over all frames and bins) and `mean |ln T - ln
/// Y|` (log magnitude), each times its weight.
///
/// A sample is a signal `[samples]` or `[samples, channels]`; of several channels it is their mean. A
/// resolution is `[fft, hop, window]`, all in samples: frames every `hop`, in the middle of `fft` numbers a
/// Hann window of `window`; both ends are continued by reflection, half of `fft` long, so that a signal has
/// `1 + samples / hop` frames. Magnitudes are at least 1e-4. It is auraloss's `MultiResolutionSTFTLoss` for
/// PyTorch, whose settings it begins with; Keras has none. Computed in `f64`.
///
/// | argument | here | auraloss |
/// |---|---|---|
/// | `resolutions` | `[[1024, 120, 600], [2048, 240, 1200], [512, 50, 240]]` | `fft_sizes`, `hop_sizes`, `win_lengths`, the same |
/// | `spectral_convergence` | `1.0` | `w_sc=1.0` |
/// | `log_magnitude` | `1.0` | `w_log_mag=1.0` |
///
/// Targets: `f32`, as many as the network's outputs. Fits a network that ends in values. Yamamoto, Song &
/// Kim, "Parallel WaveGAN", 2020.
///
/// ```
/// use nn_runtime::losses::{LossOn, MultiResolutionStft};
/// use nn_runtime::Isa;
///
/// let loss = MultiResolutionStft::new().resolutions(&[[16, 4, 10], [8, 2, 8]]);
/// let target: Vec<f32> = (0..40).map(|i| (0.7 * i as f32).sin()).collect();
/// let half: Vec<f32> = target.iter().map(|t| 0.5 * t).collect();
/// assert_eq!(loss.value(Isa::detect(), 40, &target, &target[..]), 0.0);
/// // Half of each magnitude is missing, and its logarithm is ln 2 lower.
/// assert!((loss.value(Isa::detect(), 40, &half, &target[..]) - 0.5 - 2f64.ln()).abs() < 1e-3);
/// ```
#[derive(Clone, Debug)]
pub struct MultiResolutionStft {
    resolutions: Vec<Resolution>,
    spectral_convergence: f64,
    log_magnitude: f64,
    // Kept between samples, so that training allocates only while it meets longer ones than before.
    scratch: ScratchPool<SpectrumScratch>,
}

/// The least power of a bin.
const LEAST: f64 = 1e-8;

/// A frame, and what its transform needs.
#[derive(Clone, Debug)]
struct Resolution {
    fft: usize,
    hop: usize,
    /// Hann, in the middle of as many numbers as the transform has.
    window: Vec<f64>,
    len: usize,
    /// `e^(-2πik/fft)` for the first half of `k`.
    turns: Vec<[f64; 2]>,
}

#[derive(Default, Debug)]
struct SpectrumScratch {
    /// Of the output and of the target.
    bins: [Vec<[f64; 2]>; 2],
    gradient: Vec<f64>,
}

/// Every `stride`-th number from `from` on.
#[derive(Clone, Copy)]
struct Signal<'a> {
    all: &'a [f32],
    from: usize,
    stride: usize,
    len: usize,
}

impl Signal<'_> {
    fn at(&self, i: usize) -> f64 {
        f64::from(self.all[self.from + i * self.stride])
    }
}

impl Resolution {
    fn new([fft, hop, len]: [usize; 3]) -> Resolution {
        let turn = |k: usize| 2.0 * PI * k as f64 / fft as f64;
        let before = (fft - len) / 2;
        let mut window = vec![0.0; fft];
        for (i, to) in window[before..][..len].iter_mut().enumerate() {
            *to = 0.5 - 0.5 * libm::cos(2.0 * PI * i as f64 / len as f64);
        }
        let turns = (0..fft / 2).map(|k| [libm::cos(turn(k)), -libm::sin(turn(k))]).collect();
        Resolution { fft, hop, window, len, turns }
    }

    fn frames(&self, len: usize) -> usize {
        1 + len / self.hop
    }

    /// Where number `n` of a frame stands in the signal, continued by reflection.
    fn place(&self, frame: usize, n: usize, len: usize) -> usize {
        let (at, half) = (frame * self.hop + n, self.fft / 2);
        let at = at.abs_diff(half);
        if at < len { at } else { 2 * (len - 1) - at }
    }

    /// The transform of what lies in `bins`, in its place; `back` turns the other way.
    fn transform(&self, bins: &mut [[f64; 2]], back: bool) {
        let n = self.fft;
        let bits = n.trailing_zeros();
        for i in 0..n {
            let j = i.reverse_bits() >> (usize::BITS - bits);
            if i < j {
                bins.swap(i, j);
            }
        }
        let mut half = 1;
        while half < n {
            for (start, k) in (0..n).step_by(2 * half).flat_map(|start| (0..half).map(move |k| (start, k))) {
                let [re, im] = self.turns[k * (n / 2 / half)];
                let im = if back { -im } else { im };
                let ([a, b], [c, d]) = (bins[start + k], bins[start + k + half]);
                let (c, d) = (c * re - d * im, c * im + d * re);
                bins[start + k] = [a + c, b + d];
                bins[start + k + half] = [a - c, b - d];
            }
            half *= 2;
        }
    }

    /// The transforms of a frame of both signals, each by itself: equal signals have equal bins.
    fn frame(&self, both: [Signal; 2], frame: usize, bins: &mut [Vec<[f64; 2]>; 2]) {
        for (signal, bins) in both.into_iter().zip(bins) {
            let bins = &mut bins[..self.fft];
            for (n, (bin, window)) in bins.iter_mut().zip(&self.window).enumerate() {
                let at = self.place(frame, n, signal.len);
                *bin = if *window == 0.0 { [0.0; 2] } else { [window * signal.at(at), 0.0] };
            }
            self.transform(bins, false);
        }
    }
}

/// The magnitude, and whether it is more than the least. NaN stays.
fn magnitude([re, im]: [f64; 2]) -> (f64, bool) {
    let power = re * re + im * im;
    if power < LEAST { (libm::sqrt(LEAST), false) } else { (libm::sqrt(power), true) }
}

impl MultiResolutionStft {
    /// Three resolutions for signals of 24,000 to 48,000 samples a second.
    pub fn new() -> Self {
        let none = MultiResolutionStft {
            resolutions: Vec::new(),
            spectral_convergence: 1.0,
            log_magnitude: 1.0,
            scratch: ScratchPool::new(),
        };
        none.resolutions(&[[1024, 120, 600], [2048, 240, 1200], [512, 50, 240]])
    }

    /// Transforms, steps from frame to frame and windows, `[fft, hop, window]`.
    ///
    /// # Panics
    /// There is none; an `fft` is no power of 2 of at least 4; a `hop` is 0; a window is longer than its
    /// `fft`, or shorter than 2.
    #[track_caller]
    pub fn resolutions(mut self, resolutions: &[[usize; 3]]) -> Self {
        let fits = |&[fft, hop, window]: &[usize; 3]| {
            fft.is_power_of_two() && fft >= 4 && hop >= 1 && (2..=fft).contains(&window)
        };
        assert!(
            !resolutions.is_empty() && resolutions.iter().all(fits),
            "expected resolutions [fft, hop, window] of an fft that is a power of 2, a hop of at least 1 and a window no longer than the fft, found {resolutions:?}\nhelp: `.resolutions(&[[1024, 256, 1024], [512, 128, 512]])`"
        );
        self.resolutions = resolutions.iter().copied().map(Resolution::new).collect();
        self
    }

    /// How much the spectral convergence counts.
    pub fn spectral_convergence(mut self, weight: f64) -> Self {
        self.spectral_convergence = weight;
        self
    }

    /// How much the logarithms of magnitudes count.
    pub fn log_magnitude(mut self, weight: f64) -> Self {
        self.log_magnitude = weight;
        self
    }

    /// The loss of one signal at one resolution; its gradient, times a scale, is added.
    fn one(&self, of: &Resolution, both: [Signal; 2], scratch: &mut SpectrumScratch, scale: Option<f64>) -> f64 {
        let (frames, bins) = (of.frames(both[0].len), &mut scratch.bins);
        let (mut apart, mut size, mut logs) = (0.0, 0.0, 0.0);
        for frame in 0..frames {
            of.frame(both, frame, bins);
            for k in 0..=of.fft / 2 {
                let [(y, _), (t, _)] = [&bins[0], &bins[1]].map(|bins| magnitude(bins[k]));
                apart += (t - y) * (t - y);
                size += t * t;
                logs += libm::fabs(libm::log(t) - libm::log(y));
            }
        }
        let (apart, size) = (libm::sqrt(apart), libm::sqrt(size));
        let count = (frames * (of.fft / 2 + 1)) as f64;
        let loss = self.spectral_convergence * apart / size + self.log_magnitude * logs / count;
        let Some(scale) = scale else { return loss };
        let by_apart = if apart == 0.0 { 0.0 } else { scale * self.spectral_convergence / (apart * size) };
        let by_log = scale * self.log_magnitude / count;
        for frame in 0..frames {
            of.frame(both, frame, bins);
            // The slopes take the bins' places; the second half says nothing that the first does not.
            let [bins, others] = &mut *bins;
            let bins = &mut bins[..of.fft];
            bins[of.fft / 2 + 1..].fill([0.0; 2]);
            for (bin, other) in bins.iter_mut().zip(others).take(of.fft / 2 + 1) {
                let ((y, free), (t, _)) = (magnitude(*bin), magnitude(*other));
                let sign = if y > t {
                    1.0
                } else if y < t {
                    -1.0
                } else {
                    0.0
                };
                let slope = by_apart * (y - t) + by_log * sign / y;
                let slope = if free { slope / y } else { 0.0 };
                *bin = bin.map(|part| slope * part);
            }
            of.transform(bins, true);
            for (n, ([slope, _], window)) in bins.iter().zip(&of.window).enumerate().filter(|(_, (_, w))| **w != 0.0) {
                scratch.gradient[of.place(frame, n, both[0].len)] += window * slope;
            }
        }
        loss
    }

    /// The loss of a sample, and its gradient times a scale.
    fn sample(&self, width: usize, y: &[f32], target: &[f32], mut gradient: Option<(f32, &mut [f32])>) -> f64 {
        let (channels, len) = signals(width, y.len() / width);
        let longest = self.resolutions.iter().map(|of| of.fft).max().unwrap_or(0);
        self.scratch.with(|scratch| {
            for bins in scratch.bins.iter_mut().filter(|bins| bins.len() < longest) {
                bins.resize(longest, [0.0; 2]);
            }
            if gradient.is_some() && scratch.gradient.len() < len {
                scratch.gradient.resize(len, 0.0);
            }
            let share = 1.0 / (channels * self.resolutions.len()) as f64;
            let mut total = 0.0;
            for channel in 0..channels {
                let both = [y, target].map(|all| Signal { all, from: channel, stride: channels, len });
                scratch.gradient.fill(0.0);
                let scale = gradient.as_ref().map(|(scale, _)| f64::from(*scale) * share);
                for of in &self.resolutions {
                    total += share * self.one(of, both, scratch, scale);
                }
                if let Some((_, dy)) = &mut gradient {
                    let to = dy.iter_mut().skip(channel).step_by(channels);
                    to.zip(&scratch.gradient).for_each(|(to, slope)| *to = *slope as f32);
                }
            }
            total
        })
    }
}

/// How many signals a sample holds, and how long they are.
fn signals(width: usize, rows: usize) -> (usize, usize) {
    if rows == 1 { (1, width) } else { (width, rows) }
}

impl Default for MultiResolutionStft {
    fn default() -> Self {
        MultiResolutionStft::new()
    }
}

#[track_caller]
fn check(width: usize, y: &[f32], target: &[f32]) {
    assert!(width > 0 && y.len().is_multiple_of(width), "expected rows of {width} numbers, found {} numbers", y.len());
    assert_eq!(y.len(), target.len(), "expected as many targets as outputs");
}

impl Loss for MultiResolutionStft {
    const LOGITS: bool = false;
    const WHOLE: bool = true;

    fn settings(&self) -> String {
        let MultiResolutionStft { resolutions, spectral_convergence, log_magnitude, .. } = self;
        let all: Vec<[usize; 3]> = resolutions.iter().map(|of| [of.fft, of.hop, of.len]).collect();
        format!("MultiResolutionStft {{ {all:?}, {spectral_convergence}, {log_magnitude} }}")
    }
}

impl<T: TargetValue> LossOn<[T]> for MultiResolutionStft {
    fn gradient(&self, _: Isa, width: usize, y: &[f32], target: &[T], scale: f32, dy: &mut [f32]) -> f64 {
        check(width, y, T::numbers(target));
        assert_eq!(y.len(), dy.len(), "expected as many gradients as outputs");
        self.sample(width, y, T::numbers(target), Some((scale, dy)))
    }

    fn value(&self, _: Isa, width: usize, y: &[f32], target: &[T]) -> f64 {
        check(width, y, T::numbers(target));
        self.sample(width, y, T::numbers(target), None)
    }

    fn fault(&self, width: usize, target: &[T], rows: usize) -> Option<(usize, String)> {
        let (channels, len) = signals(width, rows);
        let longest = self.resolutions.iter().map(|of| of.fft).max().unwrap_or(0);
        if len <= longest / 2 {
            let help = "give `resolutions` of shorter transforms, or end the network in longer signals";
            let expected = format!("expected more than {} samples for a transform of {longest}", longest / 2);
            let found = if channels == 1 { String::new() } else { format!(" of {channels} channels") };
            return Some((0, format!("{expected}, found {len}{found}\nhelp: {help}")));
        }
        super::elementwise::fault(width, T::numbers(target), rows, f32::is_finite, "finite targets")
    }

    fn correct(&self, _: usize, _: &[f32], _: &[T]) -> Option<usize> {
        None
    }
}
