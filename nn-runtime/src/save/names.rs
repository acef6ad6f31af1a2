//! Names of tensors as files have them: which one a tensor of a network goes by, and which tensors are no
//! part of a function. What PyTorch's modules are called by is taken as it stands in a `state_dict`.

/// Parameters of a recurrent layer. `torch.nn.LSTM`, `GRU` and `RNN` write the layer's number behind them.
const RECURRENT: [&str; 4] = ["weight_ih", "weight_hh", "bias_ih", "bias_hh"];

/// The tensor at the end of a checkpoint: the CRC-32 of every byte before it.
pub(super) const CHECKSUM: &str = "checksum";

/// What tells a checkpoint from weights alone: an entry of this name among the metadata.
pub(super) const NOTE: &str = "checkpoint";

/// What a tensor called `name` here may be called in a file, the first choice first.
pub(super) fn spellings(name: &str) -> Vec<String> {
    let mut all = vec![name.to_owned()];
    let (site, param) = name.rsplit_once('.').unwrap_or(("", name));
    let (param, reverse) = match param.strip_suffix("_reverse") {
        Some(param) => (param, "_reverse"),
        None => (param, ""),
    };
    if !RECURRENT.contains(&param) {
        return all;
    }
    let dotted = |site: &str| if site.is_empty() { String::new() } else { format!("{site}.") };
    all.push(format!("{}{param}_l0{reverse}", dotted(site)));
    // `lstm: Lstm(32) * 3` is `num_layers=3`: copy 2, `lstm.2.weight_ih`, is `lstm.weight_ih_l2` there.
    let (outer, copy) = site.rsplit_once('.').unwrap_or(("", site));
    if !copy.is_empty() && copy.bytes().all(|byte| byte.is_ascii_digit()) {
        all.push(format!("{}{param}_l{copy}{reverse}", dotted(outer)));
    }
    all
}

/// Whether a tensor that the network lacks is no part of the function: counters that PyTorch's modules save
/// along.
pub(super) fn is_passed_over(name: &str) -> bool {
    let last = name.rsplit('.').next().unwrap_or(name);
    last == "num_batches_tracked" || name == "n_averaged"
}

/// Tensors of a checkpoint that are no parameters of its model.
pub(super) fn is_beside(name: &str) -> bool {
    name == CHECKSUM || ["optimizer.", "ema.", "accumulated.", "best."].iter().any(|before| name.starts_with(before))
}

/// What `DataParallel`, averaged and compiled modules put before every name of theirs; "" where names are
/// plain.
pub(super) fn wrapper<'a>(names: impl Iterator<Item = &'a str> + Clone) -> &'static str {
    let wrappers = ["module.", "_orig_mod.", "_orig_mod.module.", "module._orig_mod."];
    let all = |prefix: &str| names.clone().all(|name| name.starts_with(prefix) || name == "n_averaged");
    match names.clone().any(|name| name != "n_averaged") {
        true => wrappers.into_iter().rev().find(|prefix| all(prefix)).unwrap_or(""),
        false => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recurrent_layers_go_by_torch_names_too() {
        assert_eq!(spellings("lstm.weight_ih"), ["lstm.weight_ih", "lstm.weight_ih_l0"]);
        assert_eq!(spellings("a.bias_hh_reverse"), ["a.bias_hh_reverse", "a.bias_hh_l0_reverse"]);
        assert_eq!(
            spellings("deep.rnn.2.weight_hh"),
            ["deep.rnn.2.weight_hh", "deep.rnn.2.weight_hh_l0", "deep.rnn.weight_hh_l2"]
        );
        assert_eq!(spellings("head.weight"), ["head.weight"]);
    }

    #[test]
    fn wrappers_are_seen_where_every_name_has_them() {
        let of = |names: &[&'static str]| wrapper(names.iter().copied());
        assert_eq!(of(&["module.a", "module.b", "n_averaged"]), "module.");
        assert_eq!(of(&["_orig_mod.module.a"]), "_orig_mod.module.");
        assert_eq!(of(&["module.a", "b"]), "");
        assert_eq!(of(&["n_averaged"]), "");
        assert_eq!(of(&[]), "");
    }
}
