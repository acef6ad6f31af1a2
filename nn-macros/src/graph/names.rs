//! Names of sites. In: labels and kinds of layers, in order; out: one name each, no two alike. A name is a
//! string: no identifier is made of it.

use std::collections::BTreeMap;

use proc_macro2::Ident;
use syn::ext::IdentExt;

use crate::case::{is_snake, snake};
use crate::errors::{Errors, nearest};

#[derive(Default)]
pub struct SiteNames {
    counts: BTreeMap<String, usize>,
    taken: BTreeMap<String, Taken>,
}

/// Who has a name: a site, by number, and whether by its label.
struct Taken {
    site: usize,
    label: bool,
}

impl SiteNames {
    /// The name of site `site`: its label, or else its kind and count. Without a label, faults are underlined
    /// at `place`.
    pub fn give(
        &mut self,
        site: usize,
        label: Option<&Ident>,
        kind: &Ident,
        place: &Ident,
        errors: &mut Errors,
    ) -> String {
        let name = match label {
            Some(label) => label.unraw().to_string(),
            None => {
                let kind = snake(&kind.unraw().to_string());
                let count = self.counts.entry(kind.clone()).or_default();
                *count += 1;
                format!("{kind}_{count}")
            }
        };
        if let Some(label) = label
            && !is_snake(&name)
        {
            let help = format!("`{}: …`", snake(&name));
            errors.add(label, "a label in lower case", &format!("`{label}`"), &help);
        }
        match self.taken.get(&name) {
            None => {
                self.taken.insert(name.clone(), Taken { site, label: label.is_some() });
            }
            Some(first) => {
                let found = if first.label {
                    format!("`{name}`, which labels an earlier layer")
                } else {
                    format!("`{name}`, the name that an earlier layer without a label has")
                };
                match label {
                    Some(label) => errors.add(label, "a label of its own", &found, &format!("`{name}_b: …`")),
                    None => errors.add(place, "a name of its own", &found, "give this layer a label: `name: …`"),
                }
            }
        }
        name
    }

    /// The site with this label.
    pub fn labelled(&self, label: &str) -> Option<usize> {
        self.taken.get(label).filter(|taken| taken.label).map(|taken| taken.site)
    }

    /// The label most like this one.
    pub fn nearest(&self, label: &str) -> Option<&str> {
        nearest(label, self.taken.iter().filter(|(_, taken)| taken.label).map(|(name, _)| name.as_str()))
    }
}
