//! What a layer's backward methods read, write and rely on.

use super::LayerSpec;

/// What is known of a layer's backward methods.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BackwardSpec {
    /// `backward_input` reads the inputs, the outputs.
    pub(crate) reads_x: bool,
    pub(crate) reads_y: bool,
    pub(crate) in_place: bool,
    pub(crate) passes_gradient: bool,
    /// `backward_params` can overwrite the gradient of the first parameter.
    pub(crate) overwrites_weight_grad: bool,
    input_first: bool,
    depends_on_batch: bool,
    pub(crate) meets: bool,
}

impl BackwardSpec {
    pub(super) const READS_ALL: BackwardSpec = BackwardSpec {
        reads_x: true,
        reads_y: true,
        in_place: false,
        passes_gradient: false,
        overwrites_weight_grad: false,
        input_first: false,
        depends_on_batch: false,
        meets: false,
    };

    /// Of a layer several times in a row, which reads all values between.
    pub(super) const fn of_repeated(self) -> BackwardSpec {
        BackwardSpec {
            overwrites_weight_grad: self.overwrites_weight_grad,
            input_first: self.input_first,
            depends_on_batch: self.depends_on_batch,
            meets: self.meets,
            ..BackwardSpec::READS_ALL
        }
    }
}

impl LayerSpec {
    /// `backward_input` does not read `x` (it is given an empty slice), so the memory of `x` is free earlier.
    pub const fn backward_without_x(mut self) -> LayerSpec {
        self.backward.reads_x = false;
        self
    }

    /// `backward_input` does not read `y` (it is given an empty slice), so the memory of `y` is free earlier.
    pub const fn backward_without_y(mut self) -> LayerSpec {
        self.backward.reads_y = false;
        self
    }

    /// The layer of one input and one output of its size has
    /// [`Layer::backward_in_place`](crate::Layer::backward_in_place), for where nobody else needs the
    /// gradient of the output.
    pub const fn backward_in_place(mut self) -> LayerSpec {
        self.backward.in_place = true;
        self
    }

    /// The gradient of every input is that of the only output, number by number, so that it need not be
    /// copied: `backward_input` is asked for those alone that need a place of their own.
    pub const fn passes_gradient(mut self) -> LayerSpec {
        self.backward.passes_gradient = true;
        self
    }

    /// `backward_params` overwrites the gradient of the first parameter where [`ParamGrad`](crate::ParamGrad)
    /// says so, which then is of that parameter alone.
    pub(crate) const fn overwrites_weight_grad(mut self) -> LayerSpec {
        self.backward.overwrites_weight_grad = true;
        self
    }

    /// `backward_input` keeps in `cx.saved` what `backward_params` needs, so it runs even when nobody asks
    /// for `dx`.
    pub const fn backward_input_first(mut self) -> LayerSpec {
        self.backward.input_first = true;
        self
    }

    /// While training, a sample's output depends on the others of its batch: whoever splits a batch must not
    /// split here.
    pub const fn depends_on_batch(mut self) -> LayerSpec {
        self.backward.depends_on_batch = true;
        self
    }

    /// It looks at whole batches, and at those that are run in parts too: through `cx.whole_batch`.
    pub(crate) const fn meets_whole_batch(mut self) -> LayerSpec {
        self.backward.depends_on_batch = true;
        self.backward.meets = true;
        self
    }

    /// True if an output of a sample depends on other samples while training, here or in a network within.
    pub(crate) const fn depends_on_batch_anywhere(&self) -> bool {
        match self.nested {
            Some(nested) => nested.depends_on_batch,
            None => self.backward.depends_on_batch,
        }
    }

    pub(crate) const fn needs_backward_input(&self) -> bool {
        self.backward.input_first || self.nested.is_some() || self.times > 1
    }
}
