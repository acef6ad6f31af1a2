//! What a class label may be given as. In: integers of any kind; out: one that holds all of them.

/// An integer that may count a class: any of Rust's up to 64 bits, or a reference to one.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no class label",
    note = "labels are integers that count from 0; targets that are numbers go to `Dataset::values`"
)]
pub trait Class: Copy {
    /// The number as it stands; [`Labels::new`](super::Labels::new) judges it.
    fn number(self) -> i128;
}

impl<C: Class> Class for &C {
    fn number(self) -> i128 {
        (*self).number()
    }
}

macro_rules! integers {
    ($($integer:ty)*) => {$(
        impl Class for $integer {
            fn number(self) -> i128 {
                self as i128
            }
        }
    )*};
}
integers!(u8 u16 u32 u64 usize i8 i16 i32 i64 isize);
