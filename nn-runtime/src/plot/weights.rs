//! What a first layer looks at. In: a model, and the shape of its images; out: a sheet of its weights.

use std::format;
use std::string::{String, ToString};
use std::vec::Vec;

use super::{Picture, contact_sheet};
use crate::data::{DataError, DataErrorKind, Values};
use crate::model::{Model, Network};

/// Units, or filters, that are shown at most.
const SHOWN: usize = 64;

/// The weights of the first layer that has a matrix or filters, as an image for each of its first 64 units or
/// filters: of a `Dense` layer `[channels, height, width]` as its inputs are, of a convolution its filters,
/// those of several channels side by side where they are not three. The smallest weight of all is black, the
/// largest white.
///
/// # Errors
/// No layer of such weights; dense weights for another number of inputs than the image has.
pub fn first_layer<N: Network>(model: &Model<N>, image: [usize; 3]) -> Result<Picture, DataError> {
    let weights = model.tensors().into_iter().find(|tensor| matches!(tensor.shape.rank(), 2 | 4));
    let Some(tensor) = weights else {
        return Err(DataError::new(DataErrorKind::Size, "first_layer", "a layer with a matrix or filters", "none"));
    };
    let dims = tensor.shape;
    let shape = match tensor.shape.rank() {
        4 if matches!(dims.dim(1), 1 | 3) => [dims.dim(1), dims.dim(2), dims.dim(3)],
        // One filter for each pair of channels.
        4 => [1, dims.dim(2), dims.dim(3)],
        _ if image.iter().product::<usize>() == dims.dim(1) => image,
        _ => {
            let (expected, found) = (format!("an image of {} numbers for `{}`", dims.dim(1), tensor.name), image);
            return Err(DataError::new(DataErrorKind::Size, "first_layer", expected, format!("{found:?}")));
        }
    };
    let width = shape.iter().product();
    let mut numbers = model.get(&tensor.name).expect("the model has its own tensors");
    numbers.truncate(SHOWN * width);
    let images = Values::new(numbers, width)?;
    let captions: Vec<String> = (0..images.len()).map(|unit| unit.to_string()).collect();
    contact_sheet(&images, shape, &captions)
}
