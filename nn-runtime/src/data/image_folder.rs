//! Images in folders, one folder for each class. In: a folder; out: a source that decodes an image when it is
//! wanted, or a data set, and the names of the classes. It computes no grey and no size of its own accord.

use std::fs;
use std::path::{Path, PathBuf};
use std::string::{String, ToString};
use std::vec::Vec;
use std::{format, vec};

use image::{DynamicImage, ImageReader, imageops};

use super::{DataError, DataErrorKind, Dataset, Labels, SampleSource};

/// Images that lie in a folder for each class, as in `flowers/daisy/12.jpg`: torchvision's `ImageFolder`,
/// Keras's `image_dataset_from_directory`. Classes are counted in the order of their names, and so are the
/// images of each. Needs the feature `image`; reads PNG and JPEG.
///
/// As a [`SampleSource`] it decodes each image when it is wanted, on the loaders' threads;
/// [`to_dataset`](ImageFolder::to_dataset) keeps them all in memory. An image is `[channels, height, width]`,
/// numbers from 0 to 1: 8 or 16 bits, of 3 channels red, green and blue, of 1 channel grey by Pillow's
/// weights (0.299, 0.587, 0.114). Transparency is left out.
///
/// ```no_run
/// use nn_runtime::data::ImageFolder;
/// use nn_runtime::prelude::*;
///
/// network! {
///     struct Flowers: [3, 64, 64] -> [5] { Conv2d(8, 3) -> Relu -> GlobalAvgPool -> Dense(5) -> Softmax }
/// }
///
/// let flowers = ImageFolder::open("flowers", [3, 64, 64])?.resized(true);
/// println!("{:?}", flowers.classes());
/// let mut model = Flowers::init(0);
/// let mut trainer = Trainer::new(&mut model, CrossEntropy::new(), Adam::new(1e-3));
/// trainer.fit_source(&flowers, Fit::epochs(10).loaders(2))?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct ImageFolder {
    shape: [usize; 3],
    classes: Vec<String>,
    /// Each with its class.
    images: Vec<(PathBuf, u32)>,
    resized: bool,
}

impl ImageFolder {
    /// The images of a folder, to be read as this shape. What is neither a folder nor, within one, a file
    /// that ends in `png`, `jpg` or `jpeg` is passed over, and so is what begins with a dot.
    ///
    /// # Errors
    /// A folder that cannot be read, or has no folder with an image; a class without images; another number
    /// of channels than 1 or 3, or a size of 0.
    pub fn open(folder: impl AsRef<Path>, shape: [usize; 3]) -> Result<ImageFolder, DataError> {
        let folder = folder.as_ref();
        if !matches!(shape[0], 1 | 3) || shape[1] == 0 || shape[2] == 0 {
            let expected = "a shape [channels, height, width] of 1 or 3 channels";
            return Err(DataError::new(DataErrorKind::Setting, "images", expected, format!("{shape:?}")));
        }
        let (mut classes, mut images) = (Vec::new(), Vec::new());
        for path in entries(folder)?.into_iter().filter(|path| path.is_dir()) {
            let class = classes.len() as u32;
            let before = images.len();
            images.extend(entries(&path)?.into_iter().filter(|path| is_image(path)).map(|path| (path, class)));
            if images.len() == before {
                let found = "none that ends in png, jpg or jpeg";
                let fault = DataError::new(DataErrorKind::Size, path.display().to_string(), "an image", found);
                return Err(fault.help("take the folder away, or put images into it: it would be a class"));
            }
            classes.push(path.file_name().unwrap_or_default().to_string_lossy().into_owned());
        }
        if images.is_empty() {
            let place = folder.display().to_string();
            let fault = DataError::new(DataErrorKind::Size, place, "a folder for each class", "none");
            return Err(fault.help("put images as in `daisy/12.jpg`, each class in a folder of its name"));
        }
        Ok(ImageFolder { shape, classes, images, resized: false })
    }

    /// Whether images of another size are made as large as they should be, each axis by itself, with linear
    /// weights over all pixels that become one (Pillow's `BILINEAR`). If not, as by default, they are
    /// refused.
    pub fn resized(mut self, resized: bool) -> Self {
        self.resized = resized;
        self
    }

    /// The names of the classes, in the order of labels.
    pub fn classes(&self) -> &[String] {
        &self.classes
    }

    /// The file of sample `index`.
    ///
    /// # Panics
    /// There is none.
    pub fn path(&self, index: usize) -> &Path {
        &self.images[index].0
    }

    /// All images, decoded.
    ///
    /// # Errors
    /// An image that cannot be decoded, or is of another size.
    pub fn to_dataset(&self) -> Result<Dataset<Labels>, DataError> {
        let width: usize = self.shape.iter().product();
        let mut pixels = Vec::new();
        for (path, _) in &self.images {
            let start = pixels.len();
            pixels.resize(start + width, 0.0);
            self.decode(path, &mut pixels[start..])?;
        }
        Dataset::classes((pixels, width), self.images.iter().map(|(_, class)| *class))
    }

    fn decode(&self, path: &Path, to: &mut [f32]) -> Result<(), DataError> {
        let place = || path.display().to_string();
        let unreadable = |error: &dyn std::fmt::Display| {
            DataError::new(DataErrorKind::Format, place(), "an image of PNG or JPEG", error.to_string())
        };
        // By what is in it: names of images are often wrong.
        let reader = ImageReader::open(path).and_then(ImageReader::with_guessed_format);
        let image = reader.map_err(|error| unreadable(&error))?.decode().map_err(|error| unreadable(&error))?;
        let [channels, height, width] = self.shape;
        let found = [image.height() as usize, image.width() as usize];
        let image = match found == [height, width] {
            true => image,
            false if self.resized => resize(image, [height, width]),
            false => {
                let (expected, found) =
                    (format!("{height} by {width} pixels"), format!("{} by {}", found[0], found[1]));
                let fault = DataError::new(DataErrorKind::Size, place(), expected, found);
                return Err(fault.help("`.resized(true)`"));
            }
        };
        let grey = !image.color().has_color();
        let pixels = image.to_rgb32f();
        for (i, pixel) in pixels.pixels().enumerate() {
            let [red, green, blue] = pixel.0;
            match channels {
                1 if grey => to[i] = red,
                1 => to[i] = 0.299 * red + 0.587 * green + 0.114 * blue,
                _ => [red, green, blue].into_iter().enumerate().for_each(|(c, x)| to[c * height * width + i] = x),
            }
        }
        Ok(())
    }
}

/// Of 8 bits, rounded there, as Pillow does; deeper images keep their depth.
fn resize(image: DynamicImage, [height, width]: [usize; 2]) -> DynamicImage {
    image.resize_exact(width as u32, height as u32, imageops::FilterType::Triangle)
}

/// What is in a folder, by name, without what is hidden.
fn entries(folder: &Path) -> Result<Vec<PathBuf>, DataError> {
    let read = || -> std::io::Result<Vec<PathBuf>> {
        let mut all = vec![];
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            if !entry.file_name().to_string_lossy().starts_with('.') {
                all.push(entry.path());
            }
        }
        all.sort();
        Ok(all)
    };
    read().map_err(|error| {
        DataError::new(DataErrorKind::Unreadable, folder.display().to_string(), "a folder", error.to_string())
    })
}

fn is_image(path: &Path) -> bool {
    let ending = path.extension().map(|ending| ending.to_string_lossy().to_lowercase());
    path.is_file() && matches!(ending.as_deref(), Some("png" | "jpg" | "jpeg"))
}

impl SampleSource for ImageFolder {
    type Targets = Labels;

    fn len(&self) -> usize {
        self.images.len()
    }

    fn widths(&self) -> Vec<usize> {
        vec![self.shape.iter().product()]
    }

    fn target_width(&self) -> usize {
        1
    }

    fn read(&self, index: usize, x: &mut [&mut [f32]], target: &mut [u32]) -> Result<(), DataError> {
        let (path, class) = &self.images[index];
        target[0] = *class;
        self.decode(path, x[0])
    }
}
