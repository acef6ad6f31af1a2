//! The enum over the sizes of a network, chosen at run time. In: names and sizes; out: an enum whose calls
//! are dispatched once, and run the code of one network.

/// The enum over a network's sizes, as `network!` asks for it.
#[doc(hidden)]
#[macro_export]
macro_rules! __any_size {
    ($(#[$attr:meta])* $vis:vis $any:ident of $network:ident $name:literal: $($variant:ident $size:literal)+) => {
        $(#[$attr])*
        #[doc = concat!("A `", $name, "` of one of the sizes it was declared for, chosen at run time: a model, or what `K` says.")]
        #[allow(missing_docs, clippy::large_enum_variant)]
        $vis enum $any<K: $crate::sizes::PerNetwork = $crate::sizes::OwnedModel> {
            $($variant(K::Of<$network<$size>>)),+
        }

        $(#[$attr])*
        #[allow(dead_code)]
        impl $any {
            /// The sizes, as they were declared.
            $vis const SIZES: &'static [::core::primitive::usize] = &[$($size),+];

            /// A model of this size with freshly drawn parameters.
            ///
            /// # Errors
            /// The network was not declared for this size.
            $vis fn init(
                size: ::core::primitive::usize,
                seed: ::core::primitive::u64,
            ) -> ::core::result::Result<Self, $crate::sizes::SizeError> {
                match size {
                    $($size => ::core::result::Result::Ok(Self::$variant($crate::Model::init(seed))),)+
                    _ => ::core::result::Result::Err($crate::sizes::SizeError::new($name, Self::SIZES, size)),
                }
            }

            /// The model whose weights these bytes are: its size is that of their tensors.
            ///
            /// # Errors
            /// As `Model::from_bytes`; the weights are those of no size.
            $vis fn from_bytes(
                bytes: &[::core::primitive::u8],
            ) -> ::core::result::Result<Self, $crate::WeightsError> {
                let mut none = $crate::sizes::NoSize::new($name, Self::SIZES);
                $(match $crate::Model::<$network<$size>>::from_bytes(bytes) {
                    ::core::result::Result::Ok(model) => return ::core::result::Result::Ok(Self::$variant(model)),
                    ::core::result::Result::Err(error) => none.add::<$network<$size>>(error)?,
                })+
                ::core::result::Result::Err(none.told())
            }

            /// The bytes of the file that `Model::save` writes.
            $vis fn to_bytes(&self) -> $crate::__private::Vec<::core::primitive::u8> {
                match self { $(Self::$variant(model) => model.to_bytes()),+ }
            }

            $crate::__with_std! {
                /// The model whose weights this file holds: its size is that of their tensors.
                ///
                /// # Errors
                /// As `Model::load`; the weights are those of no size.
                $vis fn load(
                    path: impl ::core::convert::AsRef<::std::path::Path>,
                ) -> ::core::result::Result<Self, $crate::WeightsError> {
                    let (path, mut none) = (path.as_ref(), $crate::sizes::NoSize::new($name, Self::SIZES));
                    $(match $crate::Model::<$network<$size>>::load(path) {
                        ::core::result::Result::Ok(model) => return ::core::result::Result::Ok(Self::$variant(model)),
                        ::core::result::Result::Err(error) => none.add::<$network<$size>>(error)?,
                    })+
                    ::core::result::Result::Err(none.told())
                }

                /// As `Model::save`.
                ///
                /// # Errors
                /// As there.
                $vis fn save(
                    &self,
                    path: impl ::core::convert::AsRef<::std::path::Path>,
                ) -> ::core::result::Result<(), $crate::WeightsError> {
                    match self { $(Self::$variant(model) => model.save(path)),+ }
                }
            }

            /// A predictor that owns the model, for up to so many samples at once.
            ///
            /// # Panics
            /// As `Predictor::new`.
            $vis fn into_predictor(self, batch: ::core::primitive::usize) -> $any<$crate::sizes::OwnedPredictor> {
                match self { $(Self::$variant(model) => $any::$variant(model.into_predictor(batch))),+ }
            }

            /// A stream that owns the model.
            ///
            /// # Errors
            /// The network cannot run step by step.
            $vis fn into_streamer(
                self,
            ) -> ::core::result::Result<$any<$crate::sizes::OwnedStreamer>, $crate::StreamError> {
                match self {
                    $(Self::$variant(model) => model.into_streamer().map($any::$variant)),+
                }
            }
        }

        $(#[$attr])*
        #[allow(dead_code)]
        impl<K: $crate::sizes::PerNetwork> $any<K> {
            /// Its size.
            $vis const fn size(&self) -> ::core::primitive::usize {
                match self { $(Self::$variant(_) => $size),+ }
            }
        }

        $(#[$attr])*
        #[allow(dead_code)]
        impl $any<$crate::sizes::OwnedPredictor> {
            /// As `Predictor::predict_into`.
            ///
            /// # Errors
            /// As there.
            $vis fn predict_into(
                &mut self,
                x: &[&[::core::primitive::f32]],
                y: &mut [&mut [::core::primitive::f32]],
            ) -> ::core::result::Result<(), $crate::InputError> {
                match self { $(Self::$variant(predictor) => predictor.predict_into(x, y)),+ }
            }
        }

        $(#[$attr])*
        #[allow(dead_code)]
        impl $any<$crate::sizes::OwnedStreamer> {
            /// As `Streamer::block`.
            ///
            /// # Errors
            /// As there.
            $vis fn block(
                &mut self,
                x: &[&[::core::primitive::f32]],
                y: &mut [&mut [::core::primitive::f32]],
            ) -> ::core::result::Result<(), $crate::StreamError> {
                match self { $(Self::$variant(stream) => stream.block(x, y)),+ }
            }
        }
    };
}
