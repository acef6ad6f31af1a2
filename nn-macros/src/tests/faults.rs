//! Every fault with its whole text. In: faulty declarations; out: nothing, or the fault whose words changed.

use super::{faults, tokens};

/// A declaration, and everything that is wrong with it.
type Case = (&'static str, &'static [&'static str]);

#[test]
fn every_fault_is_told_once_in_these_words() {
    let mut wrong = Vec::new();
    for (source, expected) in HEADERS.iter().chain(STEPS).chain(NAMES) {
        let (found, _) = faults(tokens(source));
        if found != *expected {
            wrong.push(format!("{source}\nfound {found:#?}\nexpected {expected:#?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

const HEADERS: &[Case] = &[
    ("struct N: [3] [4] { Dense(4) }", &["expected `->`, found `[…]`\nhelp: `-> [10]`"]),
    ("struct N: [3] => [4] { Dense(4) }", &["expected `->`, found `=>`\nhelp: `-> [10]`"]),
    ("struct N: [3] { Dense(4) }", &["expected `->` and the shape of the output, found `{…}`\nhelp: `-> [10]`"]),
    (
        "struct N -> [4] { Dense(4) }",
        &["expected `:` and the shape of the input, found `->`\nhelp: `N: [784] -> [10]`"],
    ),
    ("struct N { Dense(4) }", &["expected `:` and the shape of the input, found `{…}`\nhelp: `N: [784] -> [10]`"]),
    (
        "struct N: [3] -> [4]",
        &["expected the layers in braces, found the end\nhelp: `pub struct Name: [784] -> [10] { … }`"],
    ),
    ("struct N: 3 -> [4] { Dense(4) }", &["expected the shape of the input, found `3`\nhelp: `[3]`"]),
    (
        "enum N: [3] -> [4] { Dense(4) }",
        &["expected `struct`, found `enum`\nhelp: `pub struct Name: [784] -> [10] { … }`"],
    ),
    ("N: [3] -> [4] { Dense(4) }", &["expected `struct`, found `N`\nhelp: `pub struct Name: [784] -> [10] { … }`"]),
    (
        "struct struct: [3] -> [4] { Dense(4) }",
        &["expected the name of the network, found `struct`\nhelp: `pub struct Name: [784] -> [10] { … }`"],
    ),
    (
        "struct N<const K: usize>: [3] -> [4] { Dense(4) }",
        &[
            "expected a network without generics, found `<const K: usize>`\nhelp: use a const for the number, `<const W: usize in [16, 32]>` for one of several, another network as a layer, or a `macro_rules!` around `network!`",
        ],
    ),
    (
        "struct N: [3] -> [4] { Dense(4) } struct M;",
        &[
            "expected nothing after the braces, found `struct`\nhelp: declare each network in a `network! { … }` of its own",
        ],
    ),
    (
        "struct N: [] -> [4] { Dense(4) }",
        &["expected at least one dimension, found `[]`\nhelp: `[1]` is a single number"],
    ),
    ("struct N: [3 4] -> [4] { Dense(4) }", &["expected `,`, found `4`\nhelp: separate them with commas"]),
    ("struct N: () -> [4] { Dense(4) }", &["expected the shape of the input, found `()`\nhelp: `(name: [10])`"]),
    (
        "struct N: (a: [3], [4]) -> [4] { Dense(4) }",
        &["expected `name: [10]`, found `[…]`\nhelp: give each one a name: `(image: [1, 28, 28], tags: [16])`"],
    ),
    (
        "struct N: (a: [3], a: [4]) -> [4] { (a, a) -> Dense(4) }",
        &["expected a name of its own, found `a` a second time\nhelp: `a_b: …`"],
    ),
    (
        "struct N: (a: [1], b: [1], c: [1], d: [1], e: [1], f: [1], g: [1], h: [1], i: [1]) -> [4] { let x = (a, b, c, d) -> Sum; (x, e, f, g, h, i) -> Sum }",
        &["expected at most 8 inputs, found 9\nhelp: put some of them together in one shape"],
    ),
    (
        "struct N: [3] -> (a: [1], b: [1], c: [1], d: [1], e: [1]) { let (a, b, c, d, e) = Split; }",
        &["expected at most 4 outputs, found 5\nhelp: put some of them together in one shape"],
    ),
    ("struct N: [3] -> [4] { }", &["expected at least one layer, found none\nhelp: `{ Layer -> Layer }`"]),
];

const STEPS: &[Case] = &[
    ("struct N: [3] -> [4] { Relu => Dense(4) }", &["expected `->`, found `=>`\nhelp: `->`"]),
    ("struct N: [3] -> [4] { Relu.Dense(4) }", &["expected `->`, found `.`\nhelp: `->`"]),
    (
        "struct N: [3] -> [4] { Relu Dense(4) }",
        &["expected `->` or `;`, found `Dense`\nhelp: write `->` to go on, or `;` to end the statement"],
    ),
    (
        "struct N: [3] -> [4] { Relu let x = Dense(4); x -> Relu }",
        &["expected `;`, found `let`\nhelp: end the statement before it with `;`"],
    ),
    (
        "struct N: [3] -> [4] { Relu -> -> Dense(4) }",
        &["expected a layer, found `->`\nhelp: write a layer there, or remove the arrow"],
    ),
    (
        "struct N: [3] -> [4] { Relu -> Dense(4) -> }",
        &["expected a layer after `->`, found the end\nhelp: write a layer there, or remove the arrow"],
    ),
    ("struct N: [3] -> [4] { Relu; ; Dense(4) }", &["expected a layer, found `;`\nhelp: remove it"]),
    (
        "struct N: [3] -> [4] { Relu -> 4 }",
        &["expected a layer, found `4`\nhelp: a layer is a name, as `Name(4)`; a shape is checked by `[4]`"],
    ),
    ("struct N: [3] -> [4] { dense(4) }", &["expected a layer, found `dense`\nhelp: `Dense(4)`"]),
    (
        "struct N: [3] -> [4] { Relu -> max_pool2d -> Dense(4) }",
        &["expected a layer, found `max_pool2d`\nhelp: `MaxPool2d`"],
    ),
    ("struct N: [3] -> [4] { Dense<f32>(4) }", &["expected `::<`, found `<`\nhelp: `Dense::<f32>`"]),
    (
        "struct N: [3] -> [4] { Conv(4, stride = 2, 3) }",
        &["expected arguments without a name first, found `3`\nhelp: write it before `stride = …`"],
    ),
    (
        "struct N: [3] -> [4] { Conv(4, stride = 2, stride = 3) }",
        &["expected `stride` once, found it a second time\nhelp: remove one of the two"],
    ),
    ("struct N: [3] -> [4] { Conv(4, stride: 2) }", &["expected `=`, found `:`\nhelp: `stride = …`"]),
    ("struct N: [3] -> [4] { Conv(4 5) }", &["expected `,`, found `5`\nhelp: separate them with commas"]),
    (
        "struct N: [3] -> [4] { Conv(3 +, 4) }",
        &["expected an expression, found `3 +`\nhelp: write a number, or a const"],
    ),
    ("struct N: [3] -> [4] { Block * }", &["expected how many times after `*`, found the end\nhelp: `* 2`"]),
    (
        "struct N: [3] -> [4] { Dense(4) -> [] }",
        &["expected at least one dimension, found `[]`\nhelp: `[1]` is a single number"],
    ),
];

const NAMES: &[Case] = &[
    ("struct N: [3] -> [4] { type: Dense(4) }", &["expected a label, found the Rust keyword `type`\nhelp: `type_: …`"]),
    ("struct N: [3] -> [4] { Head: Dense(4) }", &["expected a label in lower case, found `Head`\nhelp: `head: …`"]),
    (
        "struct N: [3] -> [4] { a: Dense(4) -> a: Dense(4) }",
        &["expected a label of its own, found `a`, which labels an earlier layer\nhelp: `a_b: …`"],
    ),
    (
        "struct N: [3] -> [4] { dense_1: Dense(4) -> Dense(4) }",
        &[
            "expected a name of its own, found `dense_1`, which labels an earlier layer\nhelp: give this layer a label: `name: …`",
        ],
    ),
    (
        "struct N: [3] -> [4] { Dense(4) -> dense_1: Dense(4) }",
        &[
            "expected a label of its own, found `dense_1`, the name that an earlier layer without a label has\nhelp: `dense_1_b: …`",
        ],
    ),
    (
        "struct N: [3] -> [4] { let x = Relu; let x = x -> Relu; x -> Dense(4) }",
        &["expected a name of its own, found `x` a second time\nhelp: `let x_b = …;`"],
    ),
    (
        "struct N: [3] -> [4] { let X = Relu; X -> Dense(4) }",
        &["expected the name of a value in lower case, found `X`\nhelp: `let x = …;`"],
    ),
    (
        "struct N: [3] -> [4] { let type = Relu; Dense(4) }",
        &["expected the name of a value, found the Rust keyword `type`\nhelp: `let type_ = …;`"],
    ),
    (
        "struct N: [3] -> [4] { let input = Relu; Dense(4) }",
        &["expected a name of its own, found `input`, which is an input\nhelp: `let input_b = …;`"],
    ),
    (
        "struct N: [3] -> [4] { let mut x = Relu; x -> Dense(4) }",
        &["expected the name of a value, found `mut`\nhelp: remove it: a value does not change"],
    ),
    (
        "struct N: [3] -> [4] { let x: [3] = Relu; x -> Dense(4) }",
        &["expected `=`, found `:`\nhelp: a shape is checked in the flow: `let name = … -> [10];`"],
    ),
    ("struct N: [3] -> [4] { let x Relu; Dense(4) }", &["expected `=`, found `Relu`\nhelp: `let x = …;`"]),
    ("struct N: [3] -> [4] { let x = ; Dense(4) }", &["expected a layer, found `;`\nhelp: `let name = …;`"]),
    (
        "struct N: [3] -> [4] { let hidden = Relu; hiden -> Dense(4) }",
        &["expected the name of a value, found `hiden`, which is none\nhelp: did you mean `hidden`?"],
    ),
    (
        "struct N: [3] -> [4] { zzz -> Dense(4) }",
        &["expected the name of a value, found `zzz`, which is none\nhelp: values known here: `input`"],
    ),
    (
        "struct N: [3] -> [4] { let x = y -> Relu; let y = x -> Relu; y -> Dense(4) }",
        &[
            "expected a value defined before it is used, found `y`, which is defined further down\nhelp: move `let y = …;` up",
        ],
    ),
    (
        "struct N: [3] -> [4] { let x = Relu; Relu -> x -> Dense(4) }",
        &[
            "expected a layer, found the value `x`\nhelp: a value begins a chain: `x -> Layer`; several go together: `(x, other) -> Layer`",
        ],
    ),
    (
        "struct N: [3] -> [4] { Relu -> (a, b) -> Dense(4) }",
        &["expected a layer, found `(…)`\nhelp: several values may only begin a statement: write `;` before them"],
    ),
    ("struct N: [3] -> [4] { () -> Dense(4) }", &["expected the names of values, found `()`\nhelp: `(a, b)`"]),
    (
        "struct N: [3] -> [4] { (input, Dense(3)) -> Sum }",
        &[
            "expected the name of a value, found `Dense(3)`\nhelp: name what it makes in a statement before: `let name = Dense(3);`",
        ],
    ),
    (
        "struct N: [3] -> [4] { (8, bias = false) -> Dense(4) }",
        &["expected a layer before its arguments, found `(8, bias = false)`\nhelp: `Layer(8, bias = false)`"],
    ),
    (
        "struct N: [3] -> [4] { let a = input; (a, input, a, input, a, input, a, input, a) -> Sum }",
        &["expected at most 8 values, found 9\nhelp: join some of them first: `let one = (a, b) -> Layer;`"],
    ),
    (
        "struct N: [3] -> [4] { let a = input; let b = input; (a, b) -> [3] -> Sum }",
        &["expected a layer that joins several values, found a shape\nhelp: `(a, b) -> Layer -> [10]`"],
    ),
    (
        "struct N: [3] -> [4] { body: Dense(4) -> share(bdy) }",
        &["expected the label of an earlier layer, found `bdy`, which labels none\nhelp: did you mean `body`?"],
    ),
    (
        "struct N: [3] -> [4] { share(body) -> body: Dense(4) }",
        &[
            "expected the label of an earlier layer, found `body`, which labels a layer further down\nhelp: write `body: …` there and `share(body)` after it",
        ],
    ),
    (
        "struct N: [3] -> [4] { Dense(4) -> share(other) }",
        &[
            "expected the label of an earlier layer, found `other`, which labels none\nhelp: label the layer to share: `other: Layer`",
        ],
    ),
    (
        "struct N: [3] -> [4] { Dense(4) -> share }",
        &["expected a label in parentheses, found the end\nhelp: `share(label)`"],
    ),
    ("struct N: [3] -> [4] { Dense(4) -> share(a, b) }", &["expected one label, found `a, b`\nhelp: `share(label)`"]),
    (
        "struct N: [3] -> [4] { let x = Relu; input -> Dense(4) }",
        &["expected the value `x` to be used, found that nothing reads it\nhelp: `x -> Layer`, or remove it"],
    ),
    (
        "struct N: [3] -> [4] { Relu; input -> Dense(4) }",
        &[
            "expected what this makes to be used, found that nothing reads it\nhelp: name it by `let name = …;` and read it, or remove the statement",
        ],
    ),
    (
        "struct N: (a: [3], b: [3]) -> [4] { a -> Dense(4) }",
        &["expected the input `b` to be used, found that nothing reads it\nhelp: `b -> Layer`, or remove it"],
    ),
    (
        "struct N: (a: [3], b: [3]) -> [4] { Dense(4); (a, b) -> Sum }",
        &[
            "expected one of several inputs to begin with, found `Dense`\nhelp: begin with one of them: `a -> …`, `b -> …`",
        ],
    ),
    (
        "struct N: [3] -> [4] { let (a, b) = Split; Dense(4) }",
        &[
            "expected one of the values of the statement before to begin with, found `Dense`\nhelp: begin with one of them: `a -> …`, `b -> …`",
        ],
    ),
    (
        "struct N: [3] -> [4] { let (a, b) = Split; }",
        &["expected one value as the output, found `a`, `b`\nhelp: name the outputs: `-> (a: [10], b: [4])`"],
    ),
    (
        "struct N: [3] -> [4] { let (a, b) = Split -> [3]; (a, b) -> Sum }",
        &[
            "expected one name for one value, found 2 names\nhelp: a layer joins several values: `let one = (a, b) -> Layer;`",
        ],
    ),
    (
        "struct N: [3] -> [4] { let a = Dense(4); a }",
        &[
            "expected `->` and a layer after a value, found the end of the statement\nhelp: `a -> Layer;`, or remove it: a network's only output is what the last statement makes",
        ],
    ),
    (
        "struct N: [3] -> [4] { let a = input; }",
        &["expected an output that a layer makes, found an input\nhelp: `… -> Layer`"],
    ),
    (
        "struct N: [3] -> (class: [4], bounds: [4]) { let class = Dense(4); let bound = input -> Dense(4); }",
        &["expected `let bounds = …;` for the output, found `let bound = …;`\nhelp: rename `bound` to `bounds`"],
    ),
    (
        "struct N: [3] -> (class: [4]) { Dense(4) }",
        &["expected `let class = …;` for the output, found none\nhelp: `let class = … -> Layer;`"],
    ),
    (
        "struct N: [3] -> (a: [4], b: [4]) { let a = Dense(4); let b = a; }",
        &[
            "expected a value of its own for each output, found `b`, which is the same value as `a`\nhelp: declare it once",
        ],
    ),
    (
        "struct N: [3] -> (a: [3]) { let a = input; }",
        &["expected an output that a layer makes, found an input\nhelp: `… -> Layer`"],
    ),
    (
        "struct N: [3] -> [4] { N -> Dense(4) }",
        &[
            "expected another network or a layer, found `N` itself\nhelp: declare what repeats as a network of its own: `Block * 2`",
        ],
    ),
    (
        "struct N: [3] -> [4] { dense(4) -> Conv(4, a = 1, 2) => Relu; Relu -> 3; type: Relu }",
        &[
            "expected a layer, found `dense`\nhelp: `Dense(4)`",
            "expected arguments without a name first, found `2`\nhelp: write it before `a = …`",
            "expected `->`, found `=>`\nhelp: `->`",
            "expected a layer, found `3`\nhelp: a layer is a name, as `Name(3)`; a shape is checked by `[3]`",
            "expected a label, found the Rust keyword `type`\nhelp: `type_: …`",
        ],
    ),
];
