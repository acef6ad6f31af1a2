//! A product of one sample, within a chain. In: a sample, parameters; out: its outputs. Sums have the order
//! that [`product`](crate::matrix::product) gives them.

use super::curve::ChainCurve;
#[cfg(feature = "alloc")]
use crate::math;
use crate::matrix::{LONG_CHAIN, Panels, sum_lanes_of};
use crate::simd::{LANES, Simd};

/// A product, with all that is known of it before there is a sample.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ProductStep {
    form: Form,
    /// What the outputs are not below.
    pub floor: f32,
    /// What is made of them then.
    pub curve: Option<ChainCurve>,
    /// Where the matrix begins among the parameters.
    pub weight: usize,
    bias: Option<usize>,
    pub rows: usize,
    pub cols: usize,
}

/// How a product is computed: what is decided here is not asked for each sample.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Form {
    /// Lanes are outputs, of which there are one vector or two, each a sum of one chain or two.
    OneVector,
    OneVectorTwoChains,
    TwoVectors,
    TwoVectorsTwoChains,
    /// There are more.
    Vectors,
    VectorsTwoChains,
    /// Lanes are inputs.
    Transposed,
}

/// A product whose outputs are one vector at most.
#[cfg(feature = "alloc")]
#[derive(Clone, Copy, Debug)]
pub(crate) struct NarrowProduct {
    weight: usize,
    bias: usize,
    rows: usize,
    cols: usize,
    tanh: bool,
}

#[cfg(feature = "alloc")]
impl NarrowProduct {
    /// Computes it as [`ProductStep::run`] does: 0, or NaN where an output is not finite.
    ///
    /// # Safety
    /// As there.
    #[inline(always)]
    pub unsafe fn run<S: Simd>(&self, s: S, at: Operands) -> S::F {
        let NarrowProduct { weight, bias, rows, cols, tanh } = *self;
        // SAFETY: the matrix, `rows` numbers, and as many outputs and biases as there are.
        unsafe {
            let [sum] = sums::<S, 1, 1>(s, at.x, at.params.wrapping_add(weight), rows);
            let mut y = s.add(sum, load(s, at.params.wrapping_add(bias), cols));
            if tanh {
                y = math::tanh(s, y);
            }
            store(s, y, at.y, at.room);
            s.mul(y, s.splat(0.0))
        }
    }
}

/// Where numbers lie, and how many outputs there is room for.
#[derive(Clone, Copy)]
pub(crate) struct Operands {
    pub params: *const f32,
    pub x: *const f32,
    pub y: *mut f32,
    pub room: usize,
}

impl ProductStep {
    /// None where sums are so long that they are divided.
    pub fn new(panels: Panels, weight: usize, bias: Option<usize>) -> Option<ProductStep> {
        let (rows, cols) = (panels.rows(), panels.cols());
        let form = match (panels.transposed(), cols.div_ceil(LANES), panels.chains()) {
            (true, ..) => Form::Transposed,
            (_, 1, 1) => Form::OneVector,
            (_, 1, _) => Form::OneVectorTwoChains,
            (_, 2, 1) => Form::TwoVectors,
            (_, 2, _) => Form::TwoVectorsTwoChains,
            (.., 1) => Form::Vectors,
            _ => Form::VectorsTwoChains,
        };
        let floor = f32::NEG_INFINITY;
        (rows <= LONG_CHAIN).then_some(ProductStep { form, floor, curve: None, weight, bias, rows, cols })
    }

    /// What a few words say of it: at most one vector of outputs, each one chain and a bias, and then nothing
    /// or `Tanh`.
    #[cfg(feature = "alloc")]
    pub fn narrow(&self) -> Option<NarrowProduct> {
        let tanh = match self.curve {
            None => false,
            Some(ChainCurve::Tanh) => true,
            Some(_) => return None,
        };
        let ProductStep { form, floor, weight, bias: Some(bias), rows, cols, .. } = *self else { return None };
        let narrow = form == Form::OneVector && floor == f32::NEG_INFINITY;
        narrow.then_some(NarrowProduct { weight, bias, rows, cols, tanh })
    }

    /// Computes it. Where there is room for them, it is whole vectors that are written. What it gives is 0,
    /// or NaN where an output is not finite; nothing where that is not known without another look.
    ///
    /// # Safety
    /// At `params` lie the matrix and the bias, at `x` as many numbers as the matrix has rows; at `y` there
    /// is `room` for as many as it has columns.
    #[inline(always)]
    pub unsafe fn run<S: Simd>(&self, s: S, at: Operands) -> Option<S::F> {
        // SAFETY: the contract, and `form` says how many vectors of outputs there are below `cols`.
        unsafe {
            match self.form {
                Form::OneVector => return Some(self.tile::<S, 1, 1>(s, at, 0, self.curve)),
                Form::OneVectorTwoChains => return Some(self.tile::<S, 1, 2>(s, at, 0, self.curve)),
                Form::TwoVectors => return Some(self.tile::<S, 2, 1>(s, at, 0, self.curve)),
                Form::TwoVectorsTwoChains => return Some(self.tile::<S, 2, 2>(s, at, 0, self.curve)),
                Form::Vectors => self.tiles::<S, 1>(s, at),
                Form::VectorsTwoChains => self.tiles::<S, 2>(s, at),
                Form::Transposed => self.transposed(s, at),
            }
        }
        if let Some(curve) = self.curve {
            // SAFETY: there is room for the outputs, which have been written.
            curve.fill(s, unsafe { core::slice::from_raw_parts_mut(at.y, self.cols) });
        }
        None
    }

    /// More vectors than two, each sum of `C` chains.
    ///
    /// # Safety
    /// As of [`run`](ProductStep::run).
    #[inline(always)]
    unsafe fn tiles<S: Simd, const C: usize>(&self, s: S, at: Operands) {
        let vectors = self.cols.div_ceil(LANES);
        let wide = vectors / 2 * 2;
        let mut done = 0;
        macro_rules! tile {
            ($vectors:literal) => {
                // SAFETY: vectors that are left, of whole panels, or the last one, a panel of its own.
                unsafe { self.tile::<S, $vectors, C>(s, at, done, None) }
            };
        }
        while const { S::REGISTERS >= 32 } && wide - done >= 8 {
            tile!(8);
            done += 8;
        }
        while const { S::REGISTERS >= 32 || C == 1 } && wide - done >= 4 {
            tile!(4);
            done += 4;
        }
        while wide != done {
            tile!(2);
            done += 2;
        }
        if vectors != done {
            tile!(1);
        }
    }

    /// `V` vectors of outputs from vector `first` on, an even one, and then a curve of them: 0, or NaN where
    /// one is not finite.
    ///
    /// # Safety
    /// As of [`run`](ProductStep::run); there are so many vectors, of whole panels, or in one of a vector.
    #[inline(always)]
    unsafe fn tile<S: Simd, const V: usize, const C: usize>(
        &self,
        s: S,
        at: Operands,
        first: usize,
        curve: Option<ChainCurve>,
    ) -> S::F {
        let pair = Panels::WIDTH * self.rows;
        let w = at.params.wrapping_add(self.weight + first / 2 * pair);
        // SAFETY: `rows` numbers, and `V` vectors of weights of each.
        let sums = unsafe { sums::<S, V, C>(s, at.x, w, self.rows) };
        // SAFETY: each of the `V` vectors from first · 16 on begins below `cols`, as the caller says.
        unsafe { self.finish(s, at, (first * LANES, sums), curve) }
    }

    /// Writes what the sums of the outputs from `column` on come to: 0, or NaN where one is not finite.
    ///
    /// # Safety
    /// As of [`run`](ProductStep::run); there are outputs in each of the vectors.
    #[inline(always)]
    pub unsafe fn finish<S: Simd, const V: usize>(
        &self,
        s: S,
        at: Operands,
        (column, mut sums): (usize, [S::F; V]),
        curve: Option<ChainCurve>,
    ) -> S::F {
        let whole = column + V * LANES <= self.cols;
        if let Some(bias) = self.bias {
            for (v, sum) in sums.iter_mut().enumerate() {
                let from = column + v * LANES;
                let count = if whole { LANES } else { self.cols - from };
                // SAFETY: outputs from `from` on, as many as there are.
                *sum = s.add(*sum, unsafe { load(s, at.params.wrapping_add(bias + from), count) });
            }
        }
        if self.floor > f32::NEG_INFINITY {
            // The floor first: where the other is NaN, `max` gives the second.
            for sum in &mut sums {
                *sum = s.max(s.splat(self.floor), *sum);
            }
        }
        if let Some(curve) = curve {
            curve.values(s, &mut sums);
        }
        let mut seen = s.splat(0.0);
        for (v, y) in sums.into_iter().enumerate() {
            let from = column + v * LANES;
            let count = if whole { LANES } else { at.room - from };
            seen = s.fma(y, s.splat(0.0), seen);
            // SAFETY: `count` outputs from `from` on end at `room` at most.
            unsafe { store(s, y, at.y.wrapping_add(from), count) };
        }
        seen
    }

    /// Outputs one by one: as many at once as hide the latency of `fma`.
    ///
    /// # Safety
    /// As of [`run`](ProductStep::run), and the matrix is transposed.
    #[inline(always)]
    unsafe fn transposed<S: Simd>(&self, s: S, at: Operands) {
        let mut done = 0;
        macro_rules! outputs {
            ($count:literal) => {{
                // SAFETY: as many outputs are left.
                unsafe { self.outputs_from::<S, $count>(s, at, done) };
                done += $count;
            }};
        }
        while done < self.cols {
            match self.cols - done {
                10.. if const { S::REGISTERS >= 32 } => outputs!(10),
                5.. => outputs!(5),
                2..5 => outputs!(2),
                _ => outputs!(1),
            }
        }
    }

    /// The `N` outputs from `first` on.
    ///
    /// # Safety
    /// As of [`transposed`](ProductStep::transposed); there are so many outputs.
    #[inline(always)]
    unsafe fn outputs_from<S: Simd, const N: usize>(&self, s: S, at: Operands, first: usize) {
        let mut sums = [s.splat(0.0); LANES];
        let (mut x, mut panel) = (at.x, at.params.wrapping_add(self.weight));
        let mut left = self.rows;
        while left > LANES {
            // SAFETY: a panel of two vectors of inputs, of which the second may be no whole one.
            unsafe {
                let w = panel.wrapping_add(first * Panels::WIDTH);
                add_inputs::<S, N>(s, s.load_ptr(x), w, Panels::WIDTH, &mut sums);
                let second = load(s, x.wrapping_add(LANES), left - LANES);
                add_inputs::<S, N>(s, second, w.wrapping_add(LANES), Panels::WIDTH, &mut sums);
            }
            panel = panel.wrapping_add(Panels::WIDTH * self.cols);
            x = x.wrapping_add(Panels::WIDTH);
            left = left.saturating_sub(Panels::WIDTH);
        }
        if left > 0 {
            // SAFETY: the last panel, of one vector.
            unsafe { add_inputs::<S, N>(s, load(s, x, left), panel.wrapping_add(first * LANES), LANES, &mut sums) };
        }
        let mut value = sum_lanes_of::<S, N>(s, sums);
        if let Some(bias) = self.bias {
            // SAFETY: `N` outputs from `first` on.
            value = s.add(value, unsafe { load(s, at.params.wrapping_add(bias + first), N) });
        }
        // SAFETY: `N` outputs from `first` on, below `cols`, for which there is room.
        unsafe { store(s, s.max(s.splat(self.floor), value), at.y.wrapping_add(first), N) };
    }
}

/// The sums of `V` vectors of outputs over so many rows, of `C` chains each.
///
/// # Safety
/// `rows` numbers can be read at `x`, and of each the weights of as many vectors from `w` on, of whole
/// panels, or in one of a vector.
#[inline(always)]
pub(crate) unsafe fn sums<S: Simd, const V: usize, const C: usize>(
    s: S,
    x: *const f32,
    w: *const f32,
    rows: usize,
) -> [S::F; V] {
    let pair = Panels::WIDTH * rows;
    // Rows that are added without asking whether there are more, which takes as long as one of them.
    let (step, together) = const { (row_step(V), if V <= 2 { rows_together(S::REGISTERS) } else { 2 }) };
    let mut chains = [[s.splat(0.0); V]; C];
    let (mut x, mut w, mut left) = (x, w, rows);
    while left >= together {
        for r in 0..together {
            // SAFETY: a row below `rows`, and `V` vectors of its weights.
            unsafe { add_row::<S, V>(s, x.wrapping_add(r), w.wrapping_add(r * step), pair, &mut chains[r % C]) };
        }
        (x, w, left) = (x.wrapping_add(together), w.wrapping_add(together * step), left - together);
    }
    while left >= C {
        for sums in &mut chains {
            // SAFETY: one of `C` rows that are left, and `V` vectors of its weights.
            unsafe { add_row::<S, V>(s, x, w, pair, sums) };
            (x, w) = (x.wrapping_add(1), w.wrapping_add(step));
        }
        left -= C;
    }
    if C == 2 && left > 0 {
        // SAFETY: the last row of an odd number.
        unsafe { add_row::<S, V>(s, x, w, pair, &mut chains[0]) };
    }
    let mut sums = chains[0];
    for more in &chains[1..] {
        for (sum, more) in sums.iter_mut().zip(more) {
            *sum = s.add(*sum, *more);
        }
    }
    sums
}

/// How far apart the rows of a panel are that holds `vectors`.
pub(crate) const fn row_step(vectors: usize) -> usize {
    if vectors == 1 { LANES } else { Panels::WIDTH }
}

/// How many rows are added in a row, an even number.
pub(crate) const fn rows_together(registers: usize) -> usize {
    if registers >= 8 && !cfg!(feature = "small") { 8 } else { 2 }
}

/// Adds the number at `x` times the weights at `w`.
///
/// # Safety
/// `x` can be read; with v < `V`, sixteen numbers can be at w + (v / 2)·pair + (v % 2)·16.
#[inline(always)]
unsafe fn add_row<S: Simd, const V: usize>(s: S, x: *const f32, w: *const f32, pair: usize, sums: &mut [S::F; V]) {
    // SAFETY: the caller says that one number can be read at `x`.
    let x = s.splat(unsafe { *x });
    for (v, sum) in sums.iter_mut().enumerate() {
        // SAFETY: vector v < V of the contract.
        let w = unsafe { s.load_ptr(w.wrapping_add(v / 2 * pair + v % 2 * LANES)) };
        *sum = s.fma(x, w, *sum);
    }
}

/// Adds sixteen inputs times their weights to each of the first `N` sums.
///
/// # Safety
/// With n < `N`, sixteen numbers can be read at w + n·step.
#[inline(always)]
unsafe fn add_inputs<S: Simd, const N: usize>(s: S, x: S::F, w: *const f32, step: usize, sums: &mut [S::F; LANES]) {
    for (n, sum) in sums[..N].iter_mut().enumerate() {
        // SAFETY: row n < `N`, whose sixteen numbers the caller lets be read.
        *sum = s.fma(x, unsafe { s.load_ptr(w.wrapping_add(n * step)) }, *sum);
    }
}

/// The sixteen numbers at `from`, or the first `count`.
///
/// # Safety
/// `count` numbers can be read.
#[inline(always)]
unsafe fn load<S: Simd>(s: S, from: *const f32, count: usize) -> S::F {
    // SAFETY: sixteen of them, or `count`.
    unsafe { if count >= LANES { s.load_ptr(from) } else { s.load_part(core::slice::from_raw_parts(from, count)) } }
}

/// Writes sixteen lanes to `to`, or the first `room`.
///
/// # Safety
/// `room` numbers can be written.
#[inline(always)]
unsafe fn store<S: Simd>(s: S, x: S::F, to: *mut f32, room: usize) {
    // SAFETY: sixteen of them, or `room`.
    unsafe {
        if room >= LANES { s.store_ptr(x, to) } else { s.store_part(x, core::slice::from_raw_parts_mut(to, room)) }
    }
}
