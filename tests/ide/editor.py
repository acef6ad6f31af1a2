#!/usr/bin/env python3
"""What an editor shows of declarations, asked of rust-analyzer: `rustup component add rust-analyzer`, then
`tests/ide/editor.py`. Takes a minute or two where nothing is built."""

import sys

from lsp import Editor, is_there

# Where the editor is asked. Prepositions of it stand in no Rust file.
MARK = "‸"

HEAD = """\
use nn_runtime::prelude::*;
use nn_runtime::{Layer, LayerContext, LayerSpec, ParamGrad, Rule, Shape};

/// Passes on what it is given.
#[derive(Clone, Copy)]
pub struct Own<const N: usize>;
impl<const N: usize> Own<N> {
    pub const fn new() -> Self {
        Own
    }
    pub const fn rule(&self, [x]: [Shape; 1]) -> Rule {
        LayerSpec::output(x).ok()
    }
}
impl<const N: usize> Layer for Own<N> {
    fn forward(&self, _: &mut LayerContext, [x]: [&[f32]; 1], [y]: [&mut [f32]; 1]) {
        y.copy_from_slice(x);
    }
    fn backward_input(
        &self,
        _: &mut LayerContext,
        _: [&[f32]; 1],
        _: [&[f32]; 1],
        [dy]: [&[f32]; 1],
        [dx]: [&mut [f32]; 1],
    ) {
        dx.copy_from_slice(dy);
    }
}

const WIDTH: usize = 128;
network! {
    pub struct Block: [16] -> [16] { Dense(16) -> Relu -> Dense(16) }
}
"""

TAIL = "\nfn main() {}\n"

# What generated code consists of, and no hover shows.
INTERNALS = ["__T", "__R", "__V", "__F", "check_call", "fn check", "pub trait Layer", "Compile-time constants"]

# A declaration, and what has to be shown at each mark of it, in order.
HOVERS = [
    (
        """network! {
    /// Reads digits.
    pub struct ‸Digits: [1, 28, 28] -> [10] {
        ‸conv1: ‸Conv2d(‸WIDTH, 3, ‸padding = ‸Same, init = ‸HeNormal) -> ‸Relu -> ‸MaxPool2d(2);
        Flatten -> ‸Dense(10) -> Softmax
    }
}""",
        [
            ["Reads digits.", '"[1, 28, 28] -> [10], 252,170 parameters"'],
            ['const conv1: &str = "[128, 28, 28], 1,280 parameters"'],
            ["Convolution over images", "[channels, height, width]", '"[128, 28, 28], 1,280 parameters"'],
            ["const WIDTH: usize = 128"],
            ["fn padding(self, padding: Padding)", "What is put around the image."],
            ["As many zeros as give an output of input / stride"],
            ["HeNormal", "ReLU"],
            ["y = max(x, 0)", '"[128, 28, 28], no parameters"'],
            ["The largest number of each window", '"[128, 14, 14], no parameters"'],
            ["y[j] = Σ_i weight[j, i]", '"[10], 250,890 parameters"'],
        ],
    ),
    (
        """network! {
    pub struct ‸Joined: (image: [1, 6, 6], tags: [16]) -> [10] {
        let ‸a = ‸image -> ConvTranspose2d(4, 3) -> BatchNorm -> Flatten;
        let (‸b, c) = tags -> ‸Block * 2 -> ‸Split(2);
        let d = (‸b, c) -> Concat -> inner: Dense(16) -> ‸share(‸inner) -> nn_runtime::layers::‸Gelu;
        (a, d) -> Concat -> frozen ‸head: ‸Own::<4> -> Dense(10)
    }
}""",
        [
            ['"[1, 6, 6] and [16] -> [10], 4,146 parameters"'],
            ['"[256], no parameters"'],
            ["const image: &[usize] = &[1, 6, 6]"],
            ['"[8] and [8], no parameters"'],
            ["pub struct Block", '"[16], 1,088 parameters"'],
            ["Split", '"[8] and [8], no parameters"'],
            ['"[8] and [8], no parameters"'],
            ['"[16], 272 parameters"'],
            ['"[16], 272 parameters"'],
            ["Gaussian", '"[16], no parameters"'],
            ['"[272], no parameters"'],
            ["Passes on what it is given.", '"[272], no parameters"'],
        ],
    ),
    # Sequences, attention and recurrence: rules with several ways through them.
    (
        """network! {
    pub struct Words: [12] -> [3] {
        Embedding(100, 8) -> PositionalEncoding -> ‸MultiHeadAttention(2) -> LayerNorm;
        ‸Lstm(6, direction = Both) -> Conv1d(4, 3) -> ‸Gru(5, last = true) -> LayerNorm -> ‸Dense(3)
    }
}""",
        [
            ['"[12, 8], 288 parameters"'],
            ['"[12, 12], 768 parameters"'],
            ['"[5], 165 parameters"'],
            ['"[3], 18 parameters"'],
        ],
    ),
    # A mistake leaves what is known of the rest.
    (
        "network! { struct ‸Wrong: [8] -> [8] { ‸hidden: ‸Dense(4) -> } }",
        [["no mistakes"], ["no mistakes"], ["y[j] = Σ_i weight[j, i]", "no mistakes"]],
    ),
]

LAYERS, VALUES, LABELS, OPTIONS, INITS, CONSTS = "layers", "values and layers", "labels", "options", "inits", "consts"

# What stands in `network! { struct Net: [16] -> [10] { … } }`, and what has to be offered at its mark.
COMPLETIONS = [
    ("‸", VALUES),
    ("Den‸", VALUES),
    ("Dense(64) -> ‸", LAYERS),
    ("Dense(64) -> ‸; Dense(10)", LAYERS),
    ("Dense(64) -> ‸\n Dense(10)", LAYERS),
    ("Dense(64) -> Re‸", LAYERS),
    ("Dense(64) -> re‸ -> Dense(10)", LAYERS),
    ("Dense(64) -> ‸Relu -> Dense(10)", LAYERS),
    ("Dense(64) -> Relu‸ -> Dense(10)", LAYERS),
    ("Dense(64) -> label: ‸", LAYERS),
    ("Dense(64) -> frozen label: De‸", LAYERS),
    ("Unknown(64) -> ‸", LAYERS),
    ("Dense(64 -> ‸", LAYERS),
    ("let known = Dense(64); ‸", VALUES),
    ("let known = Dense(64); kn‸", VALUES),
    ("let known = Dense(64);\n ‸ let other = known -> Relu;", VALUES),
    ("let known = ‸", VALUES),
    ("let known = Dense(16); (known, ‸) -> Sum -> Dense(10)", ["input", "known"]),
    ("tied: Dense(16) -> share(‸) -> Dense(10)", LABELS),
    ("Dense(64, ‸)", OPTIONS),
    ("Dense(64, ini‸)", OPTIONS),
    ("Dense(64, in‸, bias = false) -> Dense(10)", OPTIONS),
    ("Dense(64, in‸it = HeNormal) -> Dense(10)", OPTIONS),
    ("Dense(64, ‸", OPTIONS),
    ("Dense(64, init = ‸)", INITS),
    ("Dense(64, init = He‸)", INITS),
    ("Dense(64, init = ‸HeNormal) -> Dense(10)", INITS),
    ("Dense(WI‸)", CONSTS),
    ("Dense(64) -> [WI‸]", CONSTS),
]

OWN = {"Block", "Net", "Own"}


def layers(editor):
    """The layers of nn-runtime, as an ordinary path is completed."""
    text = HEAD + "fn main() { let _: nn_runtime::layers::‸; }\n"
    at, text = text.index(MARK), text.replace(MARK, "")
    editor.show(text)
    found = set(editor.completions(text, at)) - {"Direction", "Padding", "UpsampleMode"}
    assert len(found) > 40, found
    return found


def fault_of(kind, offered, known):
    """What is wrong with the words offered; None if they are right."""
    hidden = [word for word in offered if word.startswith("_") or word in ("nothing", "Shown", "places", "start")]
    if hidden:
        return f"internals: {hidden}"
    words = {word.split("(")[0].removesuffix("…") for word in offered}
    if kind in (LAYERS, VALUES):
        # Types of the file that are no layers are offered too, as are functions where an expression may stand.
        others = words - known - OWN - {"Layer", "LayerContext", "LayerSpec", "ParamGrad", "Rule", "Shape", "WIDTH"}
        others -= {"input", "known", "other", "main"} if kind is VALUES else set()
        missing = (known | OWN) - words
        if kind is VALUES:
            missing |= {"input"} - words
        return f"also {sorted(others)}, without {sorted(missing)}" if others or missing else None
    if kind is LABELS or isinstance(kind, list):
        expected = {"tied"} if kind is LABELS else set(kind)
        return None if words == expected else f"{sorted(words)}, not {sorted(expected)}"
    first = {
        OPTIONS: {"bias", "bias_init", "init"},
        INITS: {"GlorotNormal", "GlorotUniform", "HeNormal", "HeUniform", "LecunNormal", "LecunUniform", "Zeros"},
        CONSTS: {"WIDTH"},
    }[kind]
    found = {word.split("(")[0] for word in offered[: len(first)]} if kind is not CONSTS else words & first
    return None if found == first else f"first {sorted(found)}, not {sorted(first)}"


def main():
    if not is_there():
        sys.exit("rust-analyzer is missing: `rustup component add rust-analyzer rust-src`")
    faults = []
    with Editor() as editor:
        known = layers(editor)
        for declaration, expected in HOVERS:
            parts = (HEAD + declaration + TAIL).split(MARK)
            text, at = "".join(parts), 0
            editor.show(text)
            assert len(parts) == len(expected) + 1, "each mark has what is expected there"
            for part, words in zip(parts, expected):
                at += len(part)
                shown = editor.hover(text, at) or "nothing"
                missing = [word for word in words if word not in shown]
                internals = [word for word in INTERNALS if word in shown]
                if missing or internals:
                    place = text[at:].split("\n")[0]
                    faults.append(f"hover on `{place}`: without {missing}, with {internals}:\n{shown}")
        for body, kind in COMPLETIONS:
            text = HEAD + f"network! {{\n    struct Net: [16] -> [10] {{\n        {body}\n    }}\n}}" + TAIL
            at, text = text.index(MARK), text.replace(MARK, "")
            editor.show(text)
            fault = fault_of(kind, editor.completions(text, at), known)
            if fault:
                faults.append(f"completion in `{body}`, where {kind} are expected: {fault}")
    for fault in faults:
        print(fault, file=sys.stderr)
    hovers = sum(len(expected) for _, expected in HOVERS)
    print(f"{hovers} hovers and {len(COMPLETIONS)} completions: {len(faults)} faults")
    sys.exit(bool(faults))


if __name__ == "__main__":
    main()
