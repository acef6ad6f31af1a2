//! Which instruction set to run on.
//! Comes in: what the CPU says, and the user's `NN_ISA`; goes out: an `Isa` that is certain to run here.
//! Never an `Isa` that the CPU lacks: the field is private, and only detection fills it.

#[cfg(target_arch = "x86_64")]
use super::{Avx2, Avx512};
use super::{Kernel, Portable, Simd};

/// An instruction set this machine has.
///
/// ```
/// # use nn_runtime::kernels::simd::Isa;
/// let isa = Isa::detect();
/// assert!(["portable", "avx2", "avx512"].contains(&isa.name()));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Isa(Path);

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Path {
    Portable,
    #[cfg(target_arch = "x86_64")]
    Avx2(Avx2),
    #[cfg(target_arch = "x86_64")]
    Avx512(Avx512),
}

/// Names from the slowest to the fastest, as `NN_ISA` spells them.
#[cfg(feature = "std")]
const NAMES: [&str; 3] = ["portable", "avx2", "avx512"];

impl Isa {
    /// The path that every machine has.
    pub const PORTABLE: Isa = Isa(Path::Portable);

    /// The fastest set of this machine.
    ///
    /// With the feature `std` the CPU is asked, once a process, and the environment variable `NN_ISA` (`portable`, `avx2` or
    /// `avx512`) sets an upper limit. Without `std` it is what the program was compiled for.
    ///
    /// # Panics
    /// Where `NN_ISA` is set to anything else: going on with another set than the one asked for would mislead.
    pub fn detect() -> Isa {
        #[cfg(feature = "std")]
        {
            static FOUND: std::sync::OnceLock<Isa> = std::sync::OnceLock::new();
            *FOUND.get_or_init(|| Isa::at_most(std::env::var_os("NN_ISA")))
        }
        #[cfg(not(feature = "std"))]
        {
            Isa::available().last().unwrap_or(Isa::PORTABLE)
        }
    }

    #[cfg(feature = "std")]
    fn at_most(limit: Option<std::ffi::OsString>) -> Isa {
        let rank = |name: &str| NAMES.iter().position(|n| *n == name);
        let limit = match limit {
            None => NAMES.len(),
            Some(name) => match name.to_str().and_then(rank) {
                Some(rank) => rank,
                None => panic!(
                    "expected NN_ISA to be portable, avx2 or avx512, found {name:?}\nhelp: unset NN_ISA to use the fastest"
                ),
            },
        };
        let fits = |isa: &Isa| rank(isa.name()).is_some_and(|r| r <= limit);
        Isa::available().filter(fits).last().unwrap_or(Isa::PORTABLE)
    }

    /// Every set of this machine, the slowest first, whatever `NN_ISA` says: what tests go through.
    pub fn available() -> impl Iterator<Item = Isa> {
        #[cfg(target_arch = "x86_64")]
        let wide = [Avx2::detect().map(Path::Avx2), Avx512::detect().map(Path::Avx512)];
        #[cfg(not(target_arch = "x86_64"))]
        let wide: [Option<Path>; 0] = [];
        core::iter::once(Isa::PORTABLE).chain(wide.into_iter().flatten().map(Isa))
    }

    /// `portable`, `avx2` or `avx512`.
    pub fn name(self) -> &'static str {
        match self.0 {
            Path::Portable => "portable",
            #[cfg(target_arch = "x86_64")]
            Path::Avx2(_) => "avx2",
            #[cfg(target_arch = "x86_64")]
            Path::Avx512(_) => "avx512",
        }
    }

    /// Runs the kernel on this set: one dispatch, so put a whole loop into the kernel.
    pub fn run<K: Kernel>(self, k: K) -> K::Out {
        match self.0 {
            Path::Portable => Portable.call(k),
            #[cfg(target_arch = "x86_64")]
            Path::Avx2(s) => s.call(k),
            #[cfg(target_arch = "x86_64")]
            Path::Avx512(s) => s.call(k),
        }
    }
}

#[cfg(all(test, feature = "std"))]
mod tests {
    use super::Isa;

    #[test]
    fn a_limit_is_kept_and_an_unknown_one_refused() {
        assert_eq!(Isa::at_most(Some("portable".into())), Isa::PORTABLE);
        assert_eq!(Isa::at_most(None), Isa::available().last().unwrap());
        for isa in Isa::available() {
            assert_eq!(Isa::at_most(Some(isa.name().into())), isa);
        }
        assert!(std::panic::catch_unwind(|| Isa::at_most(Some("AVX2".into()))).is_err());
    }
}
