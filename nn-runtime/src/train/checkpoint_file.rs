//! A run as a file, and back. In: a model, what its updates remember, where `fit` is; out: a file, or all of
//! that, or every difference by its name. Nothing that is in use is changed before all has been read.

use std::format;
use std::path::Path;
use std::string::String;
use std::time::Duration;
use std::vec;
use std::vec::Vec;

use super::checkpoint_numbers::{FitNumbers, Note, StateNumbers, WaitingNumbers};
use super::fit_state::{FitState, Settings};
use super::privacy::PrivateRun;
use super::snapshot::Snapshot;
use super::tensor_names::learnt;
use super::update::Update;
use super::update_state::UpdateState;
use super::waiting::Waiting;
use super::whole_state::WholeState;
use crate::files::tensor_file::{NotedFile, Piece, WantedPiece, save_pieces};
use crate::init::Init;
use crate::model::{Model, Network, TrainedSoFar};
use crate::optim::Optimizer;
use crate::params::{self, Tensor};
use crate::save::{WeightsError, WeightsErrorKind};
use crate::shape::Shape;
use crate::spec::{Layout, Role};
use nn_kernels::aligned_buffer::AlignedBuffer;

/// The version of the format that is written, and the only one that is read.
const VERSION: u32 = 1;

/// What a checkpoint is written of, but for a run of `fit`.
pub(super) struct Place<'a, N> {
    pub(super) model: &'a Model<N>,
    pub(super) update: &'a Update,
    /// What other ranks remember too, where each has a share.
    pub(super) whole: Option<WholeState>,
    pub(super) slots: &'a [String],
}

/// What a checkpoint held.
pub(super) struct Read {
    pub(super) params: AlignedBuffer,
    pub(super) run: TrainedSoFar,
    pub(super) state: UpdateState,
    pub(super) waiting: Waiting,
    /// What private training has spent.
    pub(super) spent: Vec<u64>,
    pub(super) grads: Option<AlignedBuffer>,
    /// The run, and the settings it was begun with.
    pub(super) fit: Option<(FitState, Settings)>,
}

/// The state that windows of so many samples have left.
fn carried_tensor(samples: usize, row: usize) -> Tensor {
    Tensor {
        name: "carried.state".into(),
        shape: Shape::of([samples, row]),
        role: Role::Constant,
        frozen: true,
        init: Init::Zeros,
        fans: [1, 1],
        fixed: 0..0,
        layout: Layout::Plain,
        offset: 0,
        len: samples * row,
    }
}

/// The names of an optimiser's slots.
pub(super) fn slot_names(optimizer: &impl Optimizer) -> Vec<String> {
    (0..optimizer.slots()).map(|k| optimizer.slot_name(k)).collect()
}

/// A block of a file, and what stands before the names of its tensors.
struct Block {
    prefix: String,
    /// All tensors, or those that are learnt.
    all: bool,
}

/// The blocks of a model and its updates.
fn blocks(prefix: &str, slots: &[String], ema: bool) -> Vec<Block> {
    let mut blocks = vec![Block { prefix: prefix.into(), all: true }];
    blocks.extend(slots.iter().map(|slot| Block { prefix: format!("{prefix}optimizer.{slot}."), all: false }));
    blocks.extend(ema.then(|| Block { prefix: format!("{prefix}ema."), all: false }));
    blocks
}

/// The numbers of these blocks.
fn numbers<'a>(params: &'a [f32], state: &'a UpdateState) -> impl Iterator<Item = &'a [f32]> {
    let slots = state.slots.iter().map(|slot| &slot[..]);
    [params].into_iter().chain(slots).chain(state.ema.iter().filter(|ema| ema.begun).map(|ema| &ema.params[..]))
}

/// Writes a checkpoint.
pub(super) fn write<N: Network>(
    path: &Path,
    place: &Place<N>,
    settings: Settings,
    fit: Option<(&FitState, Duration, Settings)>,
) -> Result<(), WeightsError> {
    let (tensors, learnt) = (params::tensors(N::COMPILED), learnt(N::COMPILED));
    let (update, model) = (place.update, place.model);
    let whole = place.whole.as_ref();
    let state = whole.map_or(&update.state, |whole| &whole.state);
    let carried = state.carried.as_ref().filter(|carried| carried.samples() > 0);
    let of_carried = carried.map(|carried| (carried_tensor(carried.samples(), carried.row), &carried.numbers[..]));
    let mut pieces = Vec::new();
    let mut add = |block: &Block, numbers| {
        let of = if block.all { &tensors } else { &learnt };
        pieces.extend(of.iter().map(|tensor| {
            let name = format!("{}{}", block.prefix, tensor.name);
            Piece { name, tensor, block: numbers }
        }));
    };
    let begun = |state: &UpdateState| state.ema.as_ref().is_some_and(|ema| ema.begun);
    let own = blocks("", place.slots, begun(state));
    own.iter().zip(numbers(&model.params, state)).for_each(|(block, numbers)| add(block, numbers));
    let waiting = update.waiting();
    if waiting.batches > 0 {
        let held = whole.map_or(update.held_grads(), |whole| &whole.grads);
        add(&Block { prefix: "accumulated.".into(), all: false }, held);
    }
    if let Some(best) = fit.as_ref().and_then(|(state, ..)| state.best.as_ref()) {
        let state = whole.and_then(|whole| whole.best.as_ref()).unwrap_or(&best.state);
        let own = blocks("best.", place.slots, begun(state));
        own.iter().zip(numbers(&best.params, state)).for_each(|(block, numbers)| add(block, numbers));
    }
    pieces.extend(of_carried.iter().map(|(tensor, block)| Piece { name: tensor.name.clone(), tensor, block }));
    let note = Note {
        version: VERSION,
        network: N::COMPILED.name.into(),
        fingerprint: N::COMPILED.fingerprint(),
        settings,
        state: StateNumbers::of(model.run, &update.state),
        waiting: WaitingNumbers::of(waiting),
        spent: update.privacy.as_ref().map(PrivateRun::numbers).unwrap_or_default(),
        fit: fit.map(|(state, spent, settings)| FitNumbers::of(state, spent, settings)),
    };
    let note = serde_json::to_string(&note).unwrap_or_default();
    save_pieces(path, &pieces, &note)
}

/// Settings that are not as they were, each in words.
pub(super) fn differences(file: &Settings, now: &Settings) -> Vec<String> {
    let in_file = |name: &str| file.iter().find(|(found, _)| found == name).map_or("nothing", |(_, text)| text);
    let changed = now.iter().filter(|(name, text)| in_file(name) != text);
    let changed =
        changed.map(|(name, text)| format!("{name}: expected as in the file, {}, found {text}", in_file(name)));
    let gone = file.iter().filter(|(name, _)| now.iter().all(|(found, _)| found != name));
    changed.chain(gone.map(|(name, text)| format!("{name}: expected as in the file, {text}, found nothing"))).collect()
}

/// Reads a checkpoint of this network and these settings; `fresh` is what updates remember at their
/// beginning.
pub(super) fn read<N: Network>(
    path: &Path,
    slots: &[String],
    settings: &Settings,
    fresh: &UpdateState,
) -> Result<Read, WeightsError> {
    let file = NotedFile::open(path)?;
    let Some(text) = file.note() else {
        let fault = "expected a checkpoint, found weights alone".into();
        return Err(file.faults(WeightsErrorKind::Format, [fault].into(), "read weights with `Model::load(path)`"));
    };
    let other_version = |found: &str| {
        let fault = format!("expected version {VERSION} of a checkpoint, found {found}");
        file.faults(WeightsErrorKind::Format, [fault].into(), "read its weights with `Model::load(path)`")
    };
    let parsed: serde_json::Value = serde_json::from_str(&text).map_err(|_| other_version("a note that is damaged"))?;
    match parsed.get("version").and_then(serde_json::Value::as_u64) {
        Some(version) if version == u64::from(VERSION) => {}
        Some(version) => return Err(other_version(&format!("{version}"))),
        None => return Err(other_version("none")),
    }
    file.verify()?;
    let note: Note = serde_json::from_value(parsed).map_err(|_| other_version("a note that lacks something"))?;
    if note.network != N::COMPILED.name || note.fingerprint != N::COMPILED.fingerprint() {
        let (expected, found) = (N::COMPILED.name, &note.network);
        let same = if expected == found { " of another declaration" } else { "" };
        let fault = format!("network: expected `{expected}`, found `{found}`{same}");
        let help = "resume with the network that the run was begun with; its weights alone are read by `Model::load`";
        return Err(file.faults(WeightsErrorKind::Mismatch, [fault].into(), help));
    }
    let changed = differences(&note.settings, settings);
    if !changed.is_empty() {
        let help = "make the trainer as it was, or begin anew from the weights: `Model::load(path)`";
        return Err(file.faults(WeightsErrorKind::Mismatch, changed, help));
    }

    let (tensors, learnt) = (params::tensors(N::COMPILED), learnt(N::COMPILED));
    let kept = note.fit.as_ref().and_then(|fit| fit.kept.as_ref());
    let mut all = blocks("", slots, note.state.ema_begun);
    let own = all.len();
    let waits = note.waiting.batches > 0;
    all.extend(waits.then(|| Block { prefix: "accumulated.".into(), all: false }));
    if let Some((_, state)) = kept {
        all.extend(blocks("best.", slots, state.ema_begun));
    }
    let wanted = |(block, of): (usize, &Block)| {
        let tensors: &[Tensor] = if of.all { &tensors } else { &learnt };
        let prefix = of.prefix.clone();
        tensors.iter().map(move |tensor| WantedPiece { name: format!("{prefix}{}", tensor.name), tensor, block })
    };
    let mut wanted: Vec<WantedPiece> = all.iter().enumerate().flat_map(wanted).collect();
    let mut numbers: Vec<AlignedBuffer> = all.iter().map(|_| AlignedBuffer::zeroed(N::COMPILED.params_len)).collect();
    let row = fresh.carried.as_ref().map_or(0, |carried| carried.row);
    let carried = Some(carried_tensor(note.state.carried, row)).filter(|tensor| tensor.len > 0);
    wanted.extend(carried.iter().map(|tensor| WantedPiece { name: tensor.name.clone(), tensor, block: all.len() }));
    numbers.extend(carried.iter().map(|tensor| AlignedBuffer::zeroed(tensor.len)));
    // What lies between the learnt tensors stays as it begins.
    let best = if kept.is_some() { own + usize::from(waits) } else { 0 };
    for first in [0, best] {
        for (to, from) in numbers[first + 1..].iter_mut().zip(&fresh.slots) {
            to.copy_from_slice(from);
        }
    }
    let bad_schedule = || {
        let fault = format!("schedule: expected what `{}` remembers, found something else", fresh.schedule.settings());
        file.faults(WeightsErrorKind::Mismatch, [fault].into(), "give `Schedule::set_state` what `state` gives")
    };
    let mut restored = Vec::new();
    for state in [Some(&note.state), kept.map(|(_, state)| state)].into_iter().flatten() {
        let mut to = fresh.without_slots();
        let run = state.read(&mut to).ok_or_else(bad_schedule)?;
        restored.push((run, to));
    }
    file.read(&wanted, &mut numbers)?;

    let carried = carried.and_then(|_| numbers.pop());
    let mut numbers = numbers.into_iter();
    let mut next = move || numbers.next().expect("as many blocks as were wanted");
    let mut restored = restored.into_iter();
    let (run, mut state) = restored.next().expect("the state of the run");
    let params = take(&mut state, &mut next);
    if let Some(to) = &mut state.carried {
        to.restored(note.state.carried, carried);
    }
    let grads = waits.then(&mut next);
    let mut fit = note.fit.as_ref().map(FitNumbers::read);
    if let (Some(fit), Some((epoch, _)), Some((run, mut state))) = (&mut fit, kept, restored.next()) {
        let params = take(&mut state, &mut next);
        fit.best = Some(Snapshot { epoch: *epoch, params, run, state });
    }
    let fit = fit.zip(note.fit.map(|fit| fit.settings));
    Ok(Read { params, run, state, waiting: note.waiting.read(), spent: note.spent, grads, fit })
}

/// Gives a state its blocks, and returns the one before them, its parameters.
fn take(state: &mut UpdateState, next: &mut impl FnMut() -> AlignedBuffer) -> AlignedBuffer {
    let params = next();
    state.slots.iter_mut().for_each(|slot| *slot = next());
    if let Some(ema) = state.ema.as_mut().filter(|ema| ema.begun) {
        ema.params = next();
    }
    params
}
