//! Declarations with tokens deleted, doubled, swapped and moved: the macro must answer each with items, and
//! never panic.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

use super::{faults, tokens};
use crate::expand::expand;

const SOUND: [&str; 4] = [
    "/// docs
    pub struct Cnn: [1, SIDE, 28] -> [10] { Conv2d(32, 3, stride = 2) -> Relu -> [3]; head: Dense(10) -> Softmax; }",
    "pub(crate) struct B: [16] -> [16] { let x = input; let y = x -> Dense(16) * N -> a::Relu; (x, y) -> Sum }",
    "struct T: (a: [1, 28], b: [16]) -> (c: [10], d: [4],) { let h = (a, b) -> frozen f: Deep; let c = h -> D; let d = h -> E(1); }",
    "struct S: [16] -> [16] { t: Dense(16) -> Relu; let (p, q) = share(t) -> Split::<2>; (p, q) -> Sum; }",
];

/// A linear congruential generator (Knuth, MMIX), its upper bits.
pub struct Rng(pub u64);

impl Rng {
    pub fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 33) as usize % end
    }
}

/// Changes one token somewhere, at any depth.
pub fn mutate(stream: TokenStream, rng: &mut Rng) -> TokenStream {
    let mut list: Vec<TokenTree> = stream.into_iter().collect();
    if list.is_empty() {
        return ["x", "->", "3", ";", "struct", "(a)", "[]"][rng.below(7)].parse().expect("tokens");
    }
    let at = rng.below(list.len());
    if let TokenTree::Group(group) = &list[at]
        && rng.below(4) > 0
    {
        list[at] = Group::new(group.delimiter(), mutate(group.stream(), rng)).into();
        return list.into_iter().collect();
    }
    let other = rng.below(list.len());
    match rng.below(6) {
        0 => drop(list.remove(at)),
        1 => list.insert(other, list[at].clone()),
        2 => list.swap(at, other),
        3 => list.truncate(at),
        4 => {
            let delimiter =
                [Delimiter::Parenthesis, Delimiter::Bracket, Delimiter::Brace, Delimiter::None][rng.below(4)];
            let inner = list.drain(at.min(other)..=at.max(other)).collect();
            list.insert(at.min(other), Group::new(delimiter, inner).into());
        }
        _ => {
            let words = [
                "let", "frozen", "share", "->", "=>", ";", ",", ":", "::", "=", "*", ".", "x", "Dense", "type", "#",
                "<", "3",
            ];
            let word: TokenStream = words[rng.below(words.len())].parse().expect("tokens");
            list.splice(at..at, word);
        }
    }
    list.into_iter().collect()
}

#[test]
fn sound_declarations_have_no_faults() {
    for source in SOUND {
        assert_eq!(faults(tokens(source)), (vec![], true), "{source}");
    }
}

#[test]
fn every_mutant_gets_an_answer() {
    let mut rng = Rng(7);
    let mut faulty = 0;
    for round in 0..3_000 {
        let mut mutant = tokens(SOUND[round % SOUND.len()]);
        for _ in 0..=rng.below(4) {
            mutant = mutate(mutant, &mut rng);
        }
        let text = mutant.to_string();
        let (texts, sound) = faults(mutant.clone());
        assert!(sound || !texts.is_empty(), "neither a graph nor a fault: {text}");
        for fault in &texts {
            let told = fault.starts_with("expected ") && fault.contains(", found ") && fault.contains("\nhelp: ");
            assert!(told, "not in the usual words: {fault}\n{text}");
        }
        let answer = expand(mutant);
        let errors = answer.to_string().matches("compile_error").count();
        assert_eq!(errors, texts.len(), "{text}");
        if let Err(error) = syn::parse2::<syn::File>(answer) {
            panic!("{error}: {text}");
        }
        faulty += usize::from(!texts.is_empty());
    }
    // Most mutations hurt, and some do not: otherwise they test nothing.
    assert!((1_500..2_990).contains(&faulty), "{faulty} of 3000");
}
