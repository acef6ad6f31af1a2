//! Every fault of a formula with its whole text, what simplification makes of formulas, and formulas with
//! tokens changed. In: formulas, sound and faulty; out: nothing, or what differs.

use super::fuzz::{Rng, mutate};
use super::tokens;
use crate::formula::{Kind, expand, faults};

const CAN: &str = "\nhelp: a formula is made of numbers, names, `+ - * /`, `let`, `if … { … } else { … }` and functions such as `exp(x)`";
const EXAMPLE: &str = "\nhelp: `pub swish(x; beta = 1.0) = x * sigmoid(beta * x)`";
const LIST: &str = "abs, clamp, cos, cosh, erf, exp, expm1, exp_m1, ln, ln_1p, max, min, powf, powi, recip, relu, sigmoid, sin, sinh, softplus, sqrt, square, tanh; any other function is written out";

#[test]
fn every_fault_is_told_once_in_these_words() {
    let mut wrong = Vec::new();
    for (source, expected) in CASES {
        let expected: Vec<String> = expected
            .iter()
            .map(|text| text.replace("{CAN}", CAN).replace("{EXAMPLE}", EXAMPLE).replace("{LIST}", LIST))
            .collect();
        let found = faults(tokens(source), Kind::Activation);
        if found != expected {
            wrong.push(format!("{source}\nfound {found:#?}\nexpected {expected:#?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(
        faults(tokens("half(y, t; learn k = 1.0) = k * t"), Kind::Loss),
        ["expected a constant, found a learnt parameter\nhelp: remove `learn`: a loss has nothing that learns",]
    );
}

#[test]
fn faults_of_sums_are_told() {
    for (source, expected) in [
        (
            "f(y, t) = sum(y) + row_sum(t)",
            "expected sums over rows, or over windows, found both\nhelp: take all of them over a row, `row_sum(y)`, or all over the window, `sum(y)`",
        ),
        (
            "f(y, t) = before(y - t)",
            "expected the name of an argument, found `y - t`\nhelp: the number before is that of the output or of the target: write the formula with `before(y)`",
        ),
        ("f(y, t) = sum(y, t)", "expected 1 number for `sum`, found 2\nhelp: `sum(y)`"),
        ("f(y, t) = sum(t)", "expected `y` to be used, found that nothing reads it\nhelp: write `y` into the formula"),
        (
            "f(y, t) = y * sum(t / 0.0)",
            "expected numbers that make a number, found a division by 0\nhelp: such a formula is NaN or infinite wherever it is asked: write another number",
        ),
    ] {
        assert_eq!(faults(tokens(source), Kind::Loss), [expected], "{source}");
    }
    assert_eq!(faults(tokens("f(y, t) = y * before(t) / mean(abs(t - mean(t)))"), Kind::Loss), [""; 0]);
    assert_eq!(
        faults(tokens("f(x) = x / sum(x)"), Kind::Activation),
        ["expected a function with a known derivative, found `sum`\nhelp: an activation is of one number: `x`"]
    );
}

const CASES: &[(&str, &[&str])] = &[
    ("", &["expected a formula, found none{EXAMPLE}"]),
    ("3 + x", &["expected the name of a formula, found `3`{EXAMPLE}"]),
    ("f = x", &["expected its arguments in parentheses, found `=`{EXAMPLE}"]),
    ("f(x)", &["expected `=` and the formula, found the end{EXAMPLE}"]),
    ("f(x) =", &["expected a formula after `=`, found none{EXAMPLE}"]),
    ("f(x) == x", &["expected `=` and the formula, found `=`{EXAMPLE}"]),
    ("f() = 1.0", &["expected one argument, found `()`{EXAMPLE}"]),
    ("f(x, y) = x + y", &["expected one argument, found `(x, y)`{EXAMPLE}"]),
    ("f(X) = 1.0", &["expected the name of an argument, found `X`{EXAMPLE}"]),
    (
        "f(x, k = 1.0) = k * x",
        &["expected the name of an argument, found a setting, `k`\nhelp: settings stand after a `;`: `(x; k = …)`"],
    ),
    ("f(x; K = 1.0) = x", &["expected the name of a setting, found `K`\nhelp: `beta = 1.0`, or `learn beta = 1.0`"]),
    (
        "f(x; k) = k * x",
        &["expected a value for `k`, found none\nhelp: say what it is unless the user says otherwise: `k = 1.0`"],
    ),
    ("f(x; k = ) = k * x", &["expected a value for `k`, found none\nhelp: `k = 1.0`"]),
    ("f(x; k = -1) = k * x", &["expected a number with a point, found `-1`\nhelp: `k = -1.0`"]),
    (
        "f(x; k = 1.0, k = 2.0) = k * x",
        &["expected a name of its own, found `k` a second time\nhelp: `k_b`, or another name"],
    ),
    (
        "f(x; exp = 1.0) = exp * x",
        &["expected a name of its own, found `exp`, which is a function\nhelp: `exp_`, or another name"],
    ),
    (
        "f(x; rule = 1.0) = rule * x",
        &[
            "expected a name of its own, found `rule`, which is a method of every formula\nhelp: `rule_`, or another name",
        ],
    ),
    (
        "f(x; k = 1.0) = x.exp()",
        &["expected `k` to be used, found that nothing reads it\nhelp: write `k` into the formula, or remove it"],
    ),
    ("f(x) = exp(1.0)", &["expected `x` to be used, found that nothing reads it\nhelp: write `x` into the formula"]),
    (
        "f(x; k = 1.0) where x > 0.0 = k * x",
        &[
            "expected a setting compared with a number, found `x > 0.0`\nhelp: `where k > 0.0`, or `where k > 0.0: \"help\"`",
        ],
    ),
    (
        "f(x) = x y",
        &["expected an operator, or the end of the formula, found `y`\nhelp: separate several formulas by `;`"],
    ),
    (
        "f(x) = x +",
        &[
            "expected an expression, found what Rust does not read: unexpected end of input, expected an expression\nhelp: write it as Rust would: `x * sigmoid(beta * x)`",
        ],
    ),
    ("f(x) = 2 * x", &["expected a number with a point, found `2`\nhelp: `2.0`"]),
    ("f(x) = -2 * x", &["expected a number with a point, found `-2`\nhelp: `-2.0`"]),
    ("f(x) = 2.0f64 * x", &["expected a number of type `f32`, found `2.0f64`\nhelp: `2.0`"]),
    ("f(x) = 1e300 * x", &["expected a number that fits into an `f32`, found `1e300`\nhelp: one up to `3.4e38`"]),
    ("f(x) = \"a\"", &["expected something that can be differentiated, found `\"a\"`{CAN}"]),
    ("f(x) = x % 2.0", &["expected something that can be differentiated, found `%`{CAN}"]),
    ("f(x) = x ^ x", &["expected a function for a power, found `^`\nhelp: `exp(x * ln(x))`, for a base above 0"]),
    ("f(x) = *x", &["expected something that can be differentiated, found `*x`{CAN}"]),
    ("f(x) = &x", &["expected a number, found a reference, `&x`\nhelp: remove `&`"]),
    (
        "f(x) = x as f32",
        &["expected numbers as they are, found a cast to `f32`\nhelp: every number here is an `f32`: remove `as f32`"],
    ),
    (
        "f(x) = x * (N as f32)",
        &[
            "expected numbers as they are, found a cast to `f32`\nhelp: every number here is an `f32`: make it one where it is declared, `const N: f32 = …;`",
        ],
    ),
    ("f(x) = T[0]", &["expected something that can be differentiated, found an index{CAN}"]),
    ("f(x) = x.y", &["expected something that can be differentiated, found a field{CAN}"]),
    ("f(x) = (|v| v)(x)", &["expected something that can be differentiated, found a closure{CAN}"]),
    ("f(x) = |v| v", &["expected something that can be differentiated, found a closure{CAN}"]),
    ("f(x) = max!(x)", &["expected something that can be differentiated, found a macro call, `max!`{CAN}"]),
    ("f(x) = loop { x }", &["expected something that can be differentiated, found a loop{CAN}"]),
    ("f(x) = return x", &["expected an expression, found `return`\nhelp: the last expression is the value: `x`"]),
    (
        "f(x) = match x { _ => x }",
        &["expected `if … { … } else { … }`, found `match`\nhelp: compare instead: `if x < 0.0 { … } else { … }`"],
    ),
    ("f(x) = { x = 2.0; x }", &["expected `let name = …;`, or the value of the block, found an assignment{CAN}"]),
    (
        "f(x) = { let a = x; }",
        &["expected a number at the end of a block, found none\nhelp: `{ let e = exp(x); e / (1.0 + e) }`"],
    ),
    ("f(x) = { x; }", &["expected a number at the end of a block, found a `;` after it\nhelp: remove the last `;`"]),
    (
        "f(x) = { let mut a = x; a }",
        &["expected the name of a value, found `mut a`\nhelp: a value does not change: `let name = …;`"],
    ),
    (
        "f(x) = { let (a, b) = x; x }",
        &["expected one name, found `(a, b)`\nhelp: a `let` for each: `let a = …; let b = …;`"],
    ),
    ("f(x) = { let a = x; x }", &["expected `a` to be used, found that nothing reads it\nhelp: remove the `let`"]),
    (
        "f(x) = if x > 0.0 { x }",
        &["expected `if` with `else`, found `if` alone\nhelp: say what it is otherwise, such as `else { 0.0 }`"],
    ),
    (
        "f(x) = if x { x } else { 1.0 }",
        &["expected a comparison, found `x`\nhelp: `if x > 0.0 { … } else { … }`; `&&`, `||` and `!` join several"],
    ),
    (
        "f(x) = x * (x > 0.0)",
        &[
            "expected a number, found a condition\nhelp: a condition belongs in an `if`: `if x > 0.0 { 1.0 } else { 0.0 }`",
        ],
    ),
    (
        "f(x) = sigmod(x)",
        &[
            "expected a function with a known derivative, found `sigmod`\nhelp: did you mean `sigmoid`? there are {LIST}",
        ],
    ),
    ("f(x) = x.atan()", &["expected a function with a known derivative, found `atan`\nhelp: there are {LIST}"]),
    (
        "f(x) = f32::exp(x)",
        &["expected a function with a known derivative, found `f32::exp`\nhelp: did you mean `exp`? there are {LIST}"],
    ),
    (
        "f(x; beta = 1.0) = x * bta",
        &["expected the name of a number, found `bta`, which is none\nhelp: did you mean `beta`?"],
    ),
    ("f(x) = x * exp", &["expected the name of a number, found `exp`, which is none\nhelp: call it: `exp(x)`"]),
    (
        "f(x) = x * width",
        &[
            "expected the name of a number, found `width`, which is none\nhelp: names known here: `x`; a const is written in upper case",
        ],
    ),
    ("f(x) = max(x)", &["expected 2 numbers for `max`, found 1\nhelp: `max(x, 2.0)`"]),
    ("f(x) = x.tanh(x)", &["expected 1 number for `tanh`, found 2\nhelp: `tanh(x)`"]),
    (
        "f(x) = x.powi(2.0)",
        &[
            "expected a whole number as exponent, found `2.0`\nhelp: `powi(x, 3)`, up to 64; `powf(x, 1.5)` takes any constant",
        ],
    ),
    (
        "f(x; learn a = 2.0) = powf(x, a)",
        &["expected a constant as exponent, found `a`, which changes\nhelp: `exp(a * ln(x))`, for a base above 0"],
    ),
    (
        "f(x; k = 1) = sin(y) + { let a = 2; a * exq(x) }; g(x) = x x",
        &[
            "expected a number with a point, found `1`\nhelp: `k = 1.0`",
            "expected an operator, or the end of the formula, found `x`\nhelp: separate several formulas by `;`",
            "expected the name of a number, found `y`, which is none\nhelp: names known here: `x`, `k`; a const is written in upper case",
            "expected a number with a point, found `2`\nhelp: `2.0`",
            "expected a function with a known derivative, found `exq`\nhelp: did you mean `exp`? there are {LIST}",
        ],
    ),
];

const SOUND: [&str; 4] = [
    "/// docs\n pub swish(x; beta = 1.0) = x * sigmoid(beta * x)",
    "elu(x; alpha = 1.0) where alpha > 0.0: \"help\" = if x > 0.0 && !(x == 1.0) { x } else { alpha * x.exp_m1() }",
    "pub(crate) f(x; learn a = 0.5, b = std::f32::consts::PI) = { let e = exp(-a * x); max(e / (1.0 + e), b.powi(3)) }; g(x) = ln(cosh(x))",
    "h(x) = clamp(x, -1.0, 1.0) * powf(abs(x), 1.5) - sqrt(x * x) + (sin(x) / cos(x)).min(x - 2.0 * x)",
];

#[test]
fn sound_formulas_have_no_faults() {
    for source in SOUND {
        assert_eq!(faults(tokens(source), Kind::Activation), [""; 0], "{source}");
    }
}

#[test]
fn every_mutant_gets_an_answer() {
    let mut rng = Rng(11);
    let mut faulty = 0;
    for round in 0..2_000 {
        let mut mutant = tokens(SOUND[round % SOUND.len()]);
        for _ in 0..=rng.below(4) {
            mutant = mutate(mutant, &mut rng);
        }
        let text = mutant.to_string();
        let kind = if round % 7 == 0 { Kind::Loss } else { Kind::Activation };
        let texts = faults(mutant.clone(), kind);
        for fault in &texts {
            let told = fault.starts_with("expected ") && fault.contains(", found ") && fault.contains("\nhelp: ");
            assert!(told, "not in the usual words: {fault}\n{text}");
        }
        let answer = expand(mutant, kind);
        assert_eq!(answer.to_string().matches("compile_error").count(), texts.len(), "{text}");
        if let Err(error) = syn::parse2::<syn::File>(answer) {
            panic!("{error}: {text}");
        }
        faulty += usize::from(!texts.is_empty());
    }
    assert!((1_000..1_990).contains(&faulty), "{faulty} of 2000");
}
