//! Negative numbers where a layer counts. In: a number behind a minus; out: the number, of a type that has
//! it, or in the type checker what to write instead.

/// A type that has the number `-N`.
#[diagnostic::on_unimplemented(
    message = "expected a number from 0 on, found -{N}",
    label = "nothing is filled in here",
    note = "`Flatten` makes one dimension of all; anywhere else write the number itself: axes count from 0"
)]
pub trait Negative<const N: i128> {
    /// `-N`
    const VALUE: Self;
}

macro_rules! negative {
    ($($number:ident)+) => {$(
        #[diagnostic::do_not_recommend]
        impl<const N: i128> Negative<N> for $number {
            const VALUE: $number = {
                assert!(-N >= $number::MIN as i128, "expected a number that its type can hold");
                (-N) as $number
            };
        }
    )+};
}
negative!(i8 i16 i32 i64 i128 isize);
