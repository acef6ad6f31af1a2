#!/bin/sh
# tokenizers 0.23.3: a BPE model without an unknown token leaves out what it does not know, and joins what stood around it.
#
# What one expects: a character that is not in the vocabulary raises an error when no unknown token was named, as the word level
# and the unigram model do, or at least leaves a gap between the pieces.
# What is so: `models.BPE()` drops it in silence, before the merges: "abxc" becomes the one token "abc", with the offsets 0 to
# 3, which in the text is "abx"; "xyz" becomes nothing at all, so that the ids of a text may be an empty list.
# What follows: accents, signs and digits that the training text lacked vanish from inputs and turn words into others, and
# offsets that should mark spans are shifted; name `unk_token`, or use bytes (`pre_tokenizers.ByteLevel` with its whole
# alphabet).
#
# Exits with 0 as long as that is so.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check tokenizers==0.23.3
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import tokenizers
from tokenizers import Tokenizer, models, pre_tokenizers, trainers


def trained(model, trainer):
    tokenizer = Tokenizer(model)
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.train_from_iterator(["abc abd abc"] * 5, trainer)
    return tokenizer


print("tokenizers", tokenizers.__version__)
text = "abxc xyz abd"
pairs = trained(models.BPE(), trainers.BpeTrainer(vocab_size=20, show_progress=False))
seen = pairs.encode(text)
print(f"byte pairs of {text!r}: {seen.tokens} at {seen.offsets}; of 'xyz': {pairs.encode('xyz').tokens}")
marked = trained(models.BPE(unk_token="?"), trainers.BpeTrainer(vocab_size=20, show_progress=False, special_tokens=["?"]))
print("with an unknown token:", marked.encode(text).tokens)
errors = []
for name, model, trainer in [
    ("word level", models.WordLevel(), trainers.WordLevelTrainer(show_progress=False)),
    ("unigram", models.Unigram(), trainers.UnigramTrainer(vocab_size=20, show_progress=False)),
]:
    try:
        print(name, trained(model, trainer).encode(text).tokens)
    except Exception as error:
        errors.append(name)
        print(f"{name}: {error}")
same = seen.tokens == ["abc", "abd"] and seen.offsets == [(0, 3), (9, 12)] and pairs.encode("xyz").ids == [] and len(errors) == 2
sys.exit(0 if same else 1)
PYTHON
