//! A quantised model within a program. In: a file, at compile time; out: a type that predicts, with memory of
//! its own and constants that lie where constants do. It allocates nothing, and no line of it panics.

use core::marker::PhantomData;

use super::file::Int8File;
use super::program::{CodePort, CodeRange, ProgramPath, ProgramRef, Step, StepKind, Term};
use crate::fault::Text;
use crate::graph::CompiledNetwork;
use crate::limits::MAX_INPUTS;
use crate::model::{Network, Ports};
use nn_kernels::int8::CodeScale;
use nn_kernels::simd::Isa;

/// A model in bytes that is a part of the program: a type with the memory of one prediction, whose weights,
/// biases and scales are constants, used where they lie. Nothing allocates, so that a microcontroller's
/// program can have it, and all sizes are known when it is compiled. The file is what
/// [`Quantized::to_bytes`](crate::int8::Quantized::to_bytes) gives; its path counts from the folder of the
/// source file. Only what the steps of this model need is compiled, as plain loops; the predictions are, bit
/// for bit, those of [`Int8Predictor`](crate::int8::Int8Predictor).
///
/// The type has `const fn new()`, so that a `static` can hold it, `predict(&mut self, input)`, whose input
/// and output are those of [`Predictor::predict`](crate::Predictor::predict), and `CONSTANTS`, the bytes of
/// its constants. The memory is `size_of` the type.
///
/// A file that is damaged, or of another network, stops the build:
///
/// ```text
/// "digits.int8": expected a quantised model of `Digits`, found one of another network
/// help: quantise the model again
/// ```
///
/// # Example
///
/// ```
/// use nn_runtime::int8_model;
/// use nn_runtime::prelude::*;
///
/// network! {
///     /// Reads handwritten digits and letters.
///     pub struct StMnist: [1, 28, 28] -> [36] {
///         Conv2d(16, 3, stride = 2, padding = Same) -> BatchNorm -> Relu;
///         DepthwiseConv2d(3, padding = Same) -> BatchNorm -> Relu;
///         Conv2d(32, 3, padding = Same) -> BatchNorm -> Relu;
///         DepthwiseConv2d(3, stride = 2, padding = Same) -> BatchNorm -> Relu;
///         Conv2d(64, 1) -> BatchNorm -> Relu -> GlobalAvgPool -> head: Dense(36) -> Softmax
///     }
/// }
/// int8_model! {
///     /// The same in bytes.
///     pub struct SmallMnist: StMnist =
///         concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/data/st-mnist.int8");
/// }
///
/// let mut model = SmallMnist::new();
/// let probabilities: &[f32; 36] = model.predict(&[0.0; 784]);
/// assert!((probabilities.iter().sum::<f32>() - 1.0).abs() < 0.1);
/// assert!(size_of::<SmallMnist>() < 10_000);
/// ```
#[macro_export]
macro_rules! int8_model {
    ($(#[$meta:meta])* $vis:vis struct $name:ident: $network:ty = $file:expr;) => {
        $(#[$meta])*
        #[allow(long_running_const_eval)]
        $vis struct $name {
            codes: [u8; $crate::__private::int8::file::<$network>(include_bytes!($file)).memory()[0]],
            numbers: [f32; $crate::__private::int8::file::<$network>(include_bytes!($file)).memory()[1]],
        }

        #[allow(long_running_const_eval)]
        const _: () = $crate::__private::int8::check::<$network>(include_bytes!($file), stringify!($file));
        const _: () = {
            use $crate::__private::int8;

            #[allow(long_running_const_eval)]
            const FILE: int8::Int8File<'static> = int8::file::<$network>(include_bytes!($file));
            static STEPS: [int8::Step; FILE.lens()[0]] = FILE.steps();
            static TERMS: [int8::Term; FILE.lens()[1]] = FILE.terms();
            #[allow(long_running_const_eval)]
            static WEIGHTS: [i8; FILE.lens()[2]] = FILE.weights();
            static BIASES: [i32; FILE.lens()[3]] = FILE.biases();
            static SCALES: [f32; FILE.lens()[3]] = FILE.scales();
            static TABLES: [[u8; 256]; FILE.lens()[4]] = FILE.tables();
            static EXPONENTIALS: [[u32; 256]; FILE.lens()[5]] = FILE.exponentials();
            static INPUTS: [int8::CodePort; FILE.lens()[6]] = FILE.inputs();
            static OUTPUTS: [int8::CodePort; FILE.lens()[7]] = FILE.outputs();

            impl int8::Int8Parts for $name {
                type Of = $network;
                const PROGRAM: int8::ProgramRef<'static> = FILE.program(
                    (&STEPS, &TERMS),
                    (&WEIGHTS, &BIASES, &SCALES),
                    (&TABLES, &EXPONENTIALS),
                    (&INPUTS, &OUTPUTS),
                );
            }

            impl $name {
                /// Bytes of weights, biases, scales and tables.
                pub const CONSTANTS: usize = <Self as int8::Int8Parts>::PROGRAM.constants();

                /// The memory of one prediction.
                pub const fn new() -> Self {
                    $name { codes: [0; _], numbers: [0.0; _] }
                }

                /// Predicts for one sample. An array of another length does not compile. Where an input is
                /// NaN, so are all outputs, and an infinite one counts as the end of its range.
                pub fn predict(
                    &mut self,
                    input: <$network as $crate::Network>::Input<'_>,
                ) -> <$network as $crate::Network>::Output<'_> {
                    int8::predict::<Self, _>(&mut self.codes, &mut self.numbers, input)
                }
            }

            impl ::core::default::Default for $name {
                fn default() -> Self {
                    Self::new()
                }
            }
        };
    };
}

/// What [`int8_model!`](crate::int8_model) has made of a file.
pub trait Int8Parts {
    /// The network.
    type Of: Network;
    /// Steps and constants.
    const PROGRAM: ProgramRef<'static>;
}

/// The kinds of steps that one model has, in plain loops.
struct Alone<M>(PhantomData<M>);

impl<M: Int8Parts> ProgramPath for Alone<M> {
    const KINDS: u32 = {
        let (steps, mut kinds, mut i) = (M::PROGRAM.steps, 0, 0);
        while i < steps.len() {
            kinds |= steps[i].kind.bit();
            i += 1;
        }
        kinds
    };
    const PLAIN: bool = true;
}

/// Predicts in memory for the codes and the numbers of all outputs.
#[inline]
pub fn predict<'y, M: Int8Parts, const NUMBERS: usize>(
    codes: &mut [u8],
    numbers: &'y mut [f32; NUMBERS],
    input: <M::Of as Network>::Input<'_>,
) -> <M::Of as Network>::Output<'y> {
    let mut x = [&[][..]; MAX_INPUTS];
    input.to_slices(&mut x);
    let isa = Isa::detect();
    let program = &M::PROGRAM;
    let are_numbers = program.quantize::<Alone<M>>(isa, &x, codes);
    program.run::<Alone<M>>(isa, codes);
    let mut rest = &mut numbers[..];
    for (k, port) in program.outputs.iter().enumerate() {
        let Some((y, more)) = core::mem::take(&mut rest).split_at_mut_checked(port.place.len) else { break };
        program.dequantize::<Alone<M>>(k, are_numbers, codes, y);
        rest = more;
    }
    match Ports::split(numbers) {
        Some(y) => y,
        None => unreachable!("as many numbers as all outputs have"),
    }
}

/// The file of a network's model in bytes; one of nothing where it is none, which [`check`] tells once.
pub const fn file<N: Network>(bytes: &'static [u8]) -> Int8File<'static> {
    match Int8File::open(N::COMPILED, bytes) {
        Ok(file) => file,
        Err(_) => Int8File::EMPTY,
    }
}

/// Stops the build with what is wrong with a file.
///
/// # Panics
/// The bytes are no quantised model of this network.
#[track_caller]
pub const fn check<N: Network>(bytes: &'static [u8], path: &str) {
    let network: &CompiledNetwork = N::COMPILED;
    super::check(network);
    let text: Text = Text::EMPTY.str(path).str(": ");
    let text = match Int8File::open(network, bytes) {
        Ok(_) => return,
        Err(Some(fault)) => text.str(fault),
        Err(None) => text
            .str("expected a quantised model of `")
            .str(network.name)
            .str("`, found one of another network\nhelp: quantise the model again"),
    };
    panic!("{}", text.as_str())
}

/// An array of the entries of a file's section.
macro_rules! entries {
    ($($(#[$doc:meta])* $name:ident: $entry:ty = $zero:expr, $file:ident $i:ident $get:expr;)*) => {$(
        $(#[$doc])*
        pub const fn $name<const L: usize>(&self) -> [$entry; L] {
            let $file = self;
            let (mut all, mut $i) = ([$zero; L], 0);
            while $i < L {
                all[$i] = $get;
                $i += 1;
            }
            all
        }
    )*};
}

/// No codes.
const NOWHERE: CodeRange = CodeRange { at: 0, len: 0 };
const NO_PORT: CodePort = CodePort { place: NOWHERE, scale: CodeScale { scale: 1.0, zero: 0 }, channels: 1 };

impl Int8File<'static> {
    entries! {
        /// What runs.
        steps: Step = Step { x: [0; 2], y: NOWHERE, kind: StepKind::Concat }, file i file.step(i);
        /// What steps read.
        terms: Term = Term { place: NOWHERE, run: 0 }, file i file.term(i);
        /// In their standard order.
        weights: i8 = 0, file i file.weight(i);
        /// Of all filters.
        biases: i32 = 0, file i file.bias(i);
        /// Of all filters.
        scales: f32 = 0.0, file i file.sum_scale(i);
        /// Of functions of one number.
        tables: [u8; 256] = [0; 256], file i file.table(i);
        /// Of softmax.
        exponentials: [u32; 256] = [0; 256], file i file.exponentials_of(i);
        /// Inputs.
        inputs: CodePort = NO_PORT, file i file.input(i);
        /// Outputs.
        outputs: CodePort = NO_PORT, file i file.output(i);
    }

    /// Codes and numbers that a prediction needs room for.
    pub const fn memory(&self) -> [usize; 2] {
        let (mut numbers, mut i) = (0, 0);
        while i < self.lens()[7] {
            numbers += self.output(i).place.len;
            i += 1;
        }
        [self.lens()[8], numbers]
    }

    /// Its parts, where they are kept.
    #[allow(clippy::type_complexity, reason = "the parts of one program, in four pairs")]
    pub const fn program(
        &self,
        (steps, terms): (&'static [Step], &'static [Term]),
        (weights, biases, scales): (&'static [i8], &'static [i32], &'static [f32]),
        (tables, exponentials): (&'static [[u8; 256]], &'static [[u32; 256]]),
        (inputs, outputs): (&'static [CodePort], &'static [CodePort]),
    ) -> ProgramRef<'static> {
        let values = self.lens()[8];
        ProgramRef { steps, terms, weights, biases, scales, tables, exponentials, inputs, outputs, values }
    }
}
