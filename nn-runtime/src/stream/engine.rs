//! The memory of a stream, or of several side by side, and one step of it. In: a model's parameters and a
//! step of every input; out: a step of every output, or what is wrong, with nothing changed. It makes no
//! text and allocates only when it is made.

#[cfg(feature = "alloc")]
use alloc::{vec, vec::Vec};
#[cfg(feature = "alloc")]
use core::ops::Range;

#[cfg(feature = "alloc")]
use super::changes::Changes;
#[cfg(not(feature = "alloc"))]
use super::no_steps::{NoChanges as Changes, NoSteps as Steps};
#[cfg(feature = "alloc")]
use super::state::{StreamError, StreamErrorKind};
use super::step_memory::StepMemory;
#[cfg(feature = "alloc")]
use super::steps::Steps;
use crate::finite::first_not_finite;
use crate::graph::CompiledNetwork;
use crate::input::id_fault;
use crate::layer::LayerContext;
use crate::limits::{MAX_INPUTS, MAX_OUTPUTS};
use crate::model::Network;
use crate::spec::Pass;
use crate::storage::{Allocated, Storage};
#[cfg(feature = "alloc")]
use crate::text::format;
use nn_kernels::simd::Isa;
#[cfg(feature = "alloc")]
use nn_kernels::stream_chain::StreamChain;

/// What a step is refused for.
#[derive(Clone, Copy)]
pub(super) enum StepFault {
    /// There is no room for more steps.
    WindowFull,
    /// Some number is no token id.
    Id,
    /// This number of an input is not finite.
    NotFinite { input: usize, at: usize, found: f32 },
    /// A layer came to this.
    Overflow(f32),
}

/// Steps of a block that each layer takes at once: enough to make little of what a call costs.
const TOGETHER: usize = 64;

/// What streams of one model stand on.
pub(super) struct Engine<S = Allocated> {
    pub(super) isa: Isa,
    /// How many streams run side by side, as the samples of a batch.
    pub(super) voices: usize,
    /// How many strides a layer takes at once where there are so many.
    together: usize,
    /// Steps of the inputs that are taken at once at least: the network's stride.
    pub(super) stride: usize,
    /// What layers have made of the parameters.
    pub(super) prepared: S,
    /// What is carried from step to step, and behind it the values of a step.
    pub(super) saved: S,
    /// What was carried before, which is put back where a step overflows.
    pub(super) before: S,
    /// After how many strides that was; nowhere yet, where what is carried came from elsewhere.
    pub(super) before_at: Option<u64>,
    /// Where layers change it; all of it, where nobody says.
    changes: Option<Changes>,
    scratch: S,
    /// Values of several strides lie where those of one do, and between them.
    stale: bool,
    /// Where a stride has several steps of several voices: inputs and outputs of one, voice after voice.
    #[cfg(feature = "alloc")]
    pub(super) turned: Vec<f32>,
    /// What takes single steps of several voices, where every layer can be run so.
    plain: Option<Steps>,
    /// What takes those of one.
    #[cfg(feature = "alloc")]
    pub(super) chain: Option<StreamChain>,
    /// How often so many steps have been taken.
    pub(super) strides: u64,
}

#[cfg(feature = "alloc")]
impl Engine {
    /// With the parameters laid out for many steps.
    ///
    /// # Errors
    /// A layer needs the whole window: it is named.
    pub(super) fn new<N: Network>(params: &[f32], voices: usize, isa: Isa) -> Result<Engine, StreamError> {
        let network = N::COMPILED;
        if let Some((layer, stride)) = network.stop() {
            let name = network.name;
            let text = match stride {
                1 => format!(
                    "expected layers that need no later step, found `{layer}` of `{name}`, which needs the whole window\nhelp: give the stream to a \
                     network of causal layers (`Lstm`, `Conv1d` with `padding = Causal`, `MultiHeadAttention` with `causal = true`, what works on each \
                     step), or predict whole windows with `predictor`"
                ),
                _ => format!(
                    "expected networks within that give one step for each stride, found `{layer}` of `{name}`, whose outputs have others for \
                     {stride}\nhelp: write its layers in `{name}`, or predict whole windows with `predictor`"
                ),
            };
            return Err(StreamError::new(StreamErrorKind::WholeWindow, text));
        }
        let stride = network.streaming.stride;
        let together = if voices == 1 { TOGETHER.div_ceil(stride) } else { 1 };
        let kept = network.step.kept;
        let room = StreamBuffers {
            prepared: Allocated::zeroed(network.prepared_len),
            saved: Allocated::zeroed((kept + (network.step.work - kept) * together) * voices),
            before: Allocated::zeroed(kept * voices),
            scratch: Allocated::zeroed(network.step.scratch_for(voices * together)),
        };
        let steps = Steps::of(network, voices);
        let chain = steps.as_ref().filter(|_| voices == 1).and_then(Steps::chain);
        let layers = (steps.filter(|_| voices > 1), Some(Changes::of(network, voices)));
        let turned = if voices > 1 && stride > 1 {
            (input_numbers(network) + output_steps(network).sum::<usize>()) * voices
        } else {
            0
        };
        let turned = vec![0.0; turned];
        Ok(Engine { chain, turned, ..Engine::of::<N>(params, (voices, together), isa, room, layers) })
    }
}

/// Numbers of every output of one voice after a stride.
pub(super) fn output_steps(network: &CompiledNetwork) -> impl Iterator<Item = usize> {
    network.streaming.outputs.into_iter().take(network.outputs.len())
}

/// Numbers of all inputs of one voice in a stride.
#[cfg(feature = "alloc")]
pub(super) fn input_numbers(network: &CompiledNetwork) -> usize {
    network.inputs.iter().map(|shape| shape.step_len() * network.streaming.stride).sum()
}

/// The buffers of an engine.
pub(super) struct StreamBuffers<S> {
    pub(super) prepared: S,
    pub(super) saved: S,
    pub(super) before: S,
    pub(super) scratch: S,
}

impl<'m> Engine<&'m mut [f32]> {
    /// Of a single stream, in buffers that are 0, with the parameters laid out for many steps.
    pub(super) fn new_in<N: Network>(params: &[f32], isa: Isa, room: StreamBuffers<&'m mut [f32]>) -> Self {
        Engine::of::<N>(params, (1, 1), isa, room, (None, None))
    }
}

impl<S: Storage> Engine<S> {
    fn of<N: Network>(
        params: &[f32],
        (voices, together): (usize, usize),
        isa: Isa,
        room: StreamBuffers<S>,
        (plain, changes): (Option<Steps>, Option<Changes>),
    ) -> Self {
        let StreamBuffers { mut prepared, saved, before, mut scratch } = room;
        if !prepared.is_empty() {
            let to = &mut prepared[..];
            let mut cx = LayerContext::for_network(params, isa, 1, Pass::Prepare, to, &mut scratch);
            N::forward_pass(&mut cx, &[], &mut []);
        }
        let stride = N::COMPILED.streaming.stride;
        Engine {
            isa,
            voices,
            together,
            stride,
            prepared,
            saved,
            before,
            before_at: None,
            changes,
            scratch,
            stale: false,
            plain,
            #[cfg(feature = "alloc")]
            turned: Vec::new(),
            #[cfg(feature = "alloc")]
            chain: None,
            strides: 0,
        }
    }

    /// Whether so many more strides with these inputs can be taken.
    pub(super) fn check(&self, network: &CompiledNetwork, strides: u64, x: &[&[f32]]) -> Result<(), StepFault> {
        let steps = strides.saturating_mul(self.stride as u64);
        if network.bounded && self.steps().saturating_add(steps) > network.inputs[0].dim(0) as u64 {
            return Err(StepFault::WindowFull);
        }
        // No layer that is run without a pass reads ids.
        if self.plain.is_none() && id_fault(network, x, |k| x[k].len(), |_| true).is_some() {
            return Err(StepFault::Id);
        }
        for (input, x) in x.iter().enumerate() {
            if let Some(at) = first_not_finite(x) {
                return Err(StepFault::NotFinite { input, at, found: x[at] });
            }
        }
        Ok(())
    }

    /// Keeps where the stream stands, for `finish`.
    pub(super) fn begin(&mut self) {
        let carried = &self.saved[..self.before.len()];
        match (self.before_at, &self.changes) {
            (Some(at), Some(changes)) => changes.copy(carried, self.strides - at, &mut self.before),
            _ => self.before.copy_from_slice(carried),
        }
        self.before_at = Some(self.strides);
    }

    /// So many strides of all voices, as many as are taken together at most.
    #[inline]
    pub(super) fn walk<N: Network>(&mut self, params: &[f32], strides: usize, x: &[&[f32]], y: &mut [&mut [f32]]) {
        #[cfg(feature = "alloc")]
        if !self.turned.is_empty() {
            return self.walk_turned::<N>(params, x, y);
        }
        let (saved, scratch) = (&mut self.saved[..], &mut self.scratch[..]);
        if let (1, Some(plain)) = (strides, &self.plain) {
            plain.run(self.isa, StepMemory { params, prepared: &self.prepared, saved, scratch }, x, y);
            self.strides = self.strides.saturating_add(1);
            return;
        }
        if core::mem::replace(&mut self.stale, strides > 1) && strides == 1 {
            // `finish` looks at what lies between the values too.
            saved[self.before.len()..].fill(0.0);
        }
        let cx = LayerContext::for_network(params, self.isa, self.voices, Pass::Step, saved, scratch);
        let mut cx = cx.prepared_with(&self.prepared).of_steps(strides);
        cx.position = self.strides;
        N::forward_pass(&mut cx, x, y);
        self.strides = self.strides.saturating_add(strides as u64);
    }

    /// Whether all that is carried and all outputs of the strides since `begin` are finite, of a single one
    /// all values between too; or else they have not been taken.
    pub(super) fn finish<'y>(
        &mut self,
        network: &CompiledNetwork,
        strides: u64,
        mut outputs: impl Iterator<Item = &'y [f32]>,
    ) -> Result<(), StepFault> {
        let odd = |numbers: &[f32]| first_not_finite(numbers).map(|at| numbers[at]);
        let (kept, work) = (self.before.len(), network.step.work * self.voices);
        let carried = || match &self.changes {
            Some(changes) => changes.not_finite(&self.saved, strides),
            None => odd(&self.saved[..kept]),
        };
        let found = match (strides, &self.plain) {
            // What is carried is finite where the values between are.
            (1, Some(plain)) => odd(&self.saved[kept..work]).and_then(|_| plain.not_finite(&self.saved)),
            (1, None) => odd(&self.saved[kept..work]).or_else(carried),
            _ => carried(),
        };
        match found.or_else(|| outputs.find_map(odd)) {
            None => Ok(()),
            Some(found) => {
                self.saved[..self.before.len()].copy_from_slice(&self.before);
                self.strides -= strides;
                Err(StepFault::Overflow(found))
            }
        }
    }

    pub(super) fn reset(&mut self) {
        self.saved.fill(0.0);
        (self.strides, self.before_at) = (0, None);
    }

    /// Steps since the beginning.
    pub(super) fn steps(&self) -> u64 {
        self.strides.saturating_mul(self.stride as u64)
    }

    pub(super) fn stride(&self) -> usize {
        self.stride
    }

    pub(super) fn carried(&self) -> &[f32] {
        &self.saved[..self.before.len()]
    }

    /// Whether voices can begin and go on apart from each other: where no layer asks for the number of a
    /// step, which all have in common.
    #[cfg(feature = "alloc")]
    pub(super) fn apart(&self) -> bool {
        self.plain.is_some() || self.chain.is_some()
    }

    /// Where what a voice carries lies: within what a single stream carries, and within what all voices do.
    #[cfg(feature = "alloc")]
    fn places_of(&self, voice: usize) -> Vec<[Range<usize>; 2]> {
        match &self.plain {
            Some(plain) => plain.carried_by(voice).collect(),
            None => vec![[0..self.before.len(), 0..self.before.len()]],
        }
    }

    /// What one voice carries, as a stream of its own would, for voices that are [`apart`](Engine::apart).
    #[cfg(feature = "alloc")]
    pub(super) fn carried_by(&self, voice: usize) -> Vec<f32> {
        let mut carried = vec![0.0; self.before.len() / self.voices];
        for [alone, among] in self.places_of(voice) {
            carried[alone].copy_from_slice(&self.saved[among]);
        }
        carried
    }

    /// Lets one voice go on from what it carried; from zeros where it is nothing.
    #[cfg(feature = "alloc")]
    pub(super) fn carry_voice_on(&mut self, voice: usize, carried: &[f32]) {
        self.before_at = None;
        for [alone, among] in self.places_of(voice) {
            match carried {
                [] => self.saved[among].fill(0.0),
                _ => self.saved[among].copy_from_slice(&carried[alone]),
            }
        }
    }

    pub(super) fn carry_on(&mut self, steps: u64, carried: &[f32]) {
        self.saved[..carried.len()].copy_from_slice(carried);
        (self.strides, self.before_at) = (steps / self.stride as u64, None);
    }

    /// Takes all strides of the slices, `[steps, voices, …]` each, in order.
    pub(super) fn walk_all<N: Network>(&mut self, params: &[f32], strides: usize, x: &[&[f32]], y: &mut [&mut [f32]]) {
        let (n, m) = (x.len(), y.len());
        let mut done = 0;
        while done < strides {
            let now = self.together.min(strides - done);
            let mut from = [&[][..]; MAX_INPUTS];
            for (from, x) in from.iter_mut().zip(x) {
                let each = x.len() / strides;
                *from = &x[done * each..(done + now) * each];
            }
            let mut to: [&mut [f32]; MAX_OUTPUTS] = Default::default();
            for (to, y) in to.iter_mut().zip(&mut *y) {
                let each = y.len() / strides;
                *to = &mut y[done * each..(done + now) * each];
            }
            self.walk::<N>(params, now, &from[..n], &mut to[..m]);
            done += now;
        }
    }
}
