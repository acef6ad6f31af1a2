//! Which instruction set to run on.
//! Comes in: what the CPU says, and the user's `NN_ISA`; goes out: an `Isa` that is certain to run here.
//! Never an `Isa` that the CPU lacks: the field is private, and only detection fills it.

use super::int8::{Int8Kernel, Int8Simd};
use super::{Kernel, Portable, Simd};

/// An instruction set this machine has.
///
/// ```
/// # use nn_kernels::simd::Isa;
/// let isa = Isa::detect();
/// assert!(["portable", "avx2", "avx512", "neon", "simd128"].contains(&isa.name()));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Isa(Path);

/// Everything that goes through the sets, made of one list of them, from the slowest to the fastest.
macro_rules! paths {
    ($(#[cfg($cfg:meta)] $set:ident $name:literal;)+) => {
        $(#[cfg($cfg)] use super::$set;)+

        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
        enum Path {
            Portable,
            $(#[cfg($cfg)] $set($set),)+
        }

        impl Isa {
            /// Every set of this machine, the slowest first, whatever `NN_ISA` says: what tests go through.
            pub fn available() -> impl Iterator<Item = Isa> {
                let found = [Some(Path::Portable), $(#[cfg($cfg)] $set::detect().map(Path::$set),)+];
                found.into_iter().flatten().map(Isa)
            }

            /// `portable`; `avx2` or `avx512` on x86-64; `neon` on 64-bit Arm; `simd128` in WebAssembly.
            pub fn name(self) -> &'static str {
                match self.0 {
                    Path::Portable => "portable",
                    $(#[cfg($cfg)] Path::$set(_) => $name,)+
                }
            }

            /// Whether [`fma`](Simd::fma) rounds once on this set.
            pub fn fuses(self) -> bool {
                match self.0 {
                    Path::Portable => Portable::FMA,
                    $(#[cfg($cfg)] Path::$set(_) => $set::FMA,)+
                }
            }

            /// Runs the kernel on this set: one dispatch, so put a whole loop into the kernel.
            pub fn run<K: Kernel>(self, k: K) -> K::Out {
                // Neither path rounds `fma` once there, so that nobody can tell which has run.
                #[cfg(all(feature = "one-path", target_arch = "wasm32", target_feature = "simd128"))]
                if let Some(s) = Simd128::detect() {
                    return s.call(k);
                }
                match self.0 {
                    Path::Portable => Portable.call(k),
                    $(#[cfg($cfg)] Path::$set(s) => s.call(k),)+
                }
            }

            /// [`run`](Isa::run) of a kernel over bytes: with VNNI where AVX-512 has it.
            pub fn run_int8<K: Int8Kernel>(self, k: K) -> K::Out {
                match self.0 {
                    Path::Portable => Portable.call_int8(k),
                    $(#[cfg($cfg)] Path::$set(s) => s.call_int8(k),)+
                }
            }
        }
    };
}

// Without `std` nobody asks the processor: only what the program is compiled for is there.
paths! {
    #[cfg(all(target_arch = "x86_64", any(feature = "std", target_feature = "avx2")))]
    Avx2 "avx2";
    #[cfg(all(target_arch = "x86_64", any(feature = "std", target_feature = "avx512f")))]
    Avx512 "avx512";
    #[cfg(all(target_arch = "aarch64", target_feature = "neon", target_endian = "little"))]
    Neon "neon";
    #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
    Simd128 "simd128";
}

impl Isa {
    /// The path that every machine has.
    pub const PORTABLE: Isa = Isa(Path::Portable);

    /// The fastest set of this machine, or the one that `NN_ISA` names.
    ///
    /// With the feature `std` the CPU is asked, once a process, and the environment variable `NN_ISA` may
    /// hold a [`name`](Isa::name), for comparing the paths: `NN_ISA=portable cargo test`. Without `std` it is
    /// what the program was compiled for.
    ///
    /// # Panics
    /// Where `NN_ISA` is set to anything but a set of this machine: going on with another one would mislead.
    pub fn detect() -> Isa {
        #[cfg(feature = "std")]
        {
            static FOUND: std::sync::OnceLock<Isa> = std::sync::OnceLock::new();
            *FOUND.get_or_init(|| Isa::asked_for(std::env::var_os("NN_ISA")))
        }
        #[cfg(not(feature = "std"))]
        {
            Isa::fastest()
        }
    }

    fn fastest() -> Isa {
        Isa::available().last().unwrap_or(Isa::PORTABLE)
    }

    #[cfg(feature = "std")]
    fn asked_for(name: Option<std::ffi::OsString>) -> Isa {
        let Some(name) = name else { return Isa::fastest() };
        match Isa::available().find(|isa| *isa.name() == *name) {
            Some(isa) => isa,
            None => {
                let names: Vec<&str> = Isa::available().map(Isa::name).collect();
                panic!(
                    "expected NN_ISA to name an instruction set of this machine ({}), found {name:?}\nhelp: unset NN_ISA to use \
                     the fastest, {}",
                    names.join(", "),
                    Isa::fastest().name(),
                )
            }
        }
    }
}

#[cfg(all(test, feature = "std"))]
mod tests {
    use super::Isa;

    #[test]
    fn the_set_asked_for_is_taken() {
        assert_eq!(Isa::asked_for(None), Isa::available().last().unwrap());
        for isa in Isa::available() {
            assert_eq!(Isa::asked_for(Some(isa.name().into())), isa);
        }
    }

    #[test]
    #[should_panic(expected = "expected NN_ISA to name an instruction set of this machine (portable")]
    fn a_set_this_machine_lacks_is_refused() {
        Isa::asked_for(Some("AVX2".into()));
    }

    #[test]
    #[should_panic(expected = "found \"\"\nhelp: unset NN_ISA to use the fastest, ")]
    fn no_name_is_refused() {
        Isa::asked_for(Some("".into()));
    }
}
