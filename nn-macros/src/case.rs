//! How words are spelt. In: a word; out: whether it may name a value, a label or a layer, and how it would be
//! written to do so. It knows no particular word but Rust's own.

use proc_macro2::Ident;
use syn::ext::IdentExt;

/// True for Rust's own words, which name nothing.
pub fn is_keyword(word: &Ident) -> bool {
    syn::parse_str::<Ident>(&word.to_string()).is_err()
}

/// Values are written in lower case, and are none of Rust's own words.
pub fn is_value(word: &Ident) -> bool {
    let begins = |first: char| first.is_lowercase() || first == '_';
    !is_keyword(word) && word.unraw().to_string().starts_with(begins)
}

/// True for what may name a label or a value.
pub fn is_snake(name: &str) -> bool {
    !name.chars().any(char::is_uppercase)
}

/// `MaxPool2d` as the name of a site: `max_pool2d`; a row of capitals is one word.
pub fn snake(camel: &str) -> String {
    let letters: Vec<char> = camel.chars().collect();
    let mut snake = String::new();
    for (i, letter) in letters.iter().enumerate() {
        let after_lower = i > 0 && (letters[i - 1].is_lowercase() || letters[i - 1].is_ascii_digit());
        let ends_row =
            i > 0 && letters[i - 1].is_uppercase() && letters.get(i + 1).is_some_and(|next| next.is_lowercase());
        if letter.is_uppercase() && (after_lower || ends_row) {
            snake.push('_');
        }
        snake.extend(letter.to_lowercase());
    }
    snake
}

/// `max_pool2d` as the name of a layer: `MaxPool2d`.
pub fn camel(snake: &str) -> String {
    let capital = |word: &str| {
        let mut letters = word.chars();
        letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
    };
    snake.split('_').map(capital).collect()
}
