//! A loss that is a formula of output and target: the mean over a sample's numbers.
//! In: value and slope, sixteen lanes at a time; out: the traits of a loss on values.

/// The traits of a loss that compares number with number and is a `Formula`: what it reads, which targets it
/// takes, and how many rows are answered rightly. Built-in losses and those of `loss!` both come from here.
#[doc(hidden)]
#[macro_export]
macro_rules! __loss_on_values {
    ($name:ident, logits: $logits:literal, targets: $allowed:expr, $expected:literal, correct: $correct:expr) => {
        impl $crate::losses::Loss for $name {
            const LOGITS: ::core::primitive::bool = $logits;

            fn settings(&self) -> $crate::__private::String {
                $crate::__private::format!("{self:?}")
            }
        }

        // Generic, so that the type checker settles the targets first and then complains about them in
        // `TargetValue`'s words. The functions within are not, so that a built-in loss is compiled once, in
        // this crate, and a debug build of another one does not slow it down.
        impl<T: $crate::losses::TargetValue> $crate::losses::LossOn<[T]> for $name {
            fn gradient(
                &self,
                __isa: $crate::Isa,
                __width: ::core::primitive::usize,
                __y: &[::core::primitive::f32],
                __target: &[T],
                __scale: ::core::primitive::f32,
                __dy: &mut [::core::primitive::f32],
            ) -> ::core::primitive::f64 {
                #[inline(never)]
                fn gradient(
                    __loss: &$name,
                    __isa: $crate::Isa,
                    __width: ::core::primitive::usize,
                    __y: &[::core::primitive::f32],
                    __target: &[::core::primitive::f32],
                    __scale: ::core::primitive::f32,
                    __dy: &mut [::core::primitive::f32],
                ) -> ::core::primitive::f64 {
                    $crate::__private::loss_gradient(__loss, __isa, __width, __y, __target, __scale, __dy)
                }
                gradient(self, __isa, __width, __y, T::numbers(__target), __scale, __dy)
            }

            fn value(
                &self,
                __isa: $crate::Isa,
                __width: ::core::primitive::usize,
                __y: &[::core::primitive::f32],
                __target: &[T],
            ) -> ::core::primitive::f64 {
                #[inline(never)]
                fn value(
                    __loss: &$name,
                    __isa: $crate::Isa,
                    __width: ::core::primitive::usize,
                    __y: &[::core::primitive::f32],
                    __target: &[::core::primitive::f32],
                ) -> ::core::primitive::f64 {
                    $crate::__private::loss_value(__loss, __isa, __width, __y, __target)
                }
                value(self, __isa, __width, __y, T::numbers(__target))
            }

            fn fault(
                &self,
                __width: ::core::primitive::usize,
                __target: &[T],
                __rows: ::core::primitive::usize,
            ) -> ::core::option::Option<(::core::primitive::usize, $crate::__private::String)> {
                #[inline(never)]
                fn fault(
                    __width: ::core::primitive::usize,
                    __target: &[::core::primitive::f32],
                    __rows: ::core::primitive::usize,
                ) -> ::core::option::Option<(::core::primitive::usize, $crate::__private::String)> {
                    $crate::__private::loss_fault(__width, __target, __rows, $allowed, $expected)
                }
                fault(__width, T::numbers(__target), __rows)
            }

            fn correct(
                &self,
                __width: ::core::primitive::usize,
                __y: &[::core::primitive::f32],
                __target: &[T],
            ) -> ::core::option::Option<::core::primitive::usize> {
                let correct: fn(
                    ::core::primitive::usize,
                    &[::core::primitive::f32],
                    &[::core::primitive::f32],
                ) -> ::core::option::Option<::core::primitive::usize> = $correct;
                correct(__width, __y, T::numbers(__target))
            }
        }
    };
}
pub use crate::__loss_on_values as loss_on_values;

/// The traits of a loss of one's own that says something of more than one number.
#[doc(hidden)]
#[macro_export]
macro_rules! __own_loss_of_many {
    ($name:ident) => {
        impl $crate::losses::Loss for $name {
            const LOGITS: ::core::primitive::bool = false;
            const WHOLE: ::core::primitive::bool = <$name as $crate::__private::FormulaOfMany>::WHOLE;

            fn settings(&self) -> $crate::__private::String {
                $crate::__private::format!("{self:?}")
            }
        }

        // Generic, as those of numbers.
        impl<T: $crate::losses::TargetValue> $crate::losses::LossOn<[T]> for $name {
            fn gradient(
                &self,
                __isa: $crate::Isa,
                __width: ::core::primitive::usize,
                __y: &[::core::primitive::f32],
                __target: &[T],
                __scale: ::core::primitive::f32,
                __dy: &mut [::core::primitive::f32],
            ) -> ::core::primitive::f64 {
                let __gradient = ::core::option::Option::Some((__scale, __dy));
                $crate::__private::loss_of_many(self, __isa, __width, __y, T::numbers(__target), __gradient)
            }

            fn value(
                &self,
                __isa: $crate::Isa,
                __width: ::core::primitive::usize,
                __y: &[::core::primitive::f32],
                __target: &[T],
            ) -> ::core::primitive::f64 {
                let __none = ::core::option::Option::None;
                $crate::__private::loss_of_many(self, __isa, __width, __y, T::numbers(__target), __none)
            }

            fn fault(
                &self,
                __width: ::core::primitive::usize,
                __target: &[T],
                __rows: ::core::primitive::usize,
            ) -> ::core::option::Option<(::core::primitive::usize, $crate::__private::String)> {
                let __allowed = ::core::primitive::f32::is_finite;
                $crate::__private::loss_fault(__width, T::numbers(__target), __rows, __allowed, "finite targets")
            }

            fn correct(
                &self,
                _: ::core::primitive::usize,
                _: &[::core::primitive::f32],
                _: &[T],
            ) -> ::core::option::Option<::core::primitive::usize> {
                ::core::option::Option::None
            }
        }

        $crate::__private::taken_by_all!($name);
    };
}
pub use crate::__own_loss_of_many as own_loss_of_many;

/// The traits of a loss of one's own, which is a `Formula`.
#[doc(hidden)]
#[macro_export]
macro_rules! __own_loss {
    ($name:ident) => {
        $crate::__private::loss_on_values!(
            $name,
            logits: false,
            targets: ::core::primitive::f32::is_finite,
            "finite targets",
            correct: |_, _, _| ::core::option::Option::None
        );

        $crate::__private::taken_by_all!($name);
    };
}
pub use crate::__own_loss as own_loss;
