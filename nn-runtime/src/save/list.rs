//! What a header lists. In: its text; out: an entry for each tensor, or what is wrong with the text. It is
//! const code: nothing is looked up, and nothing allocated.

use super::entry::{CUT_SHORT, Entry};
use super::json::Json;
use super::names::NameText;
use crate::fault::Fault;

/// Writes what a header lists to as many entries as there is room for; how many there are, and where the
/// metadata stands.
pub(crate) const fn list(text: &[u8], to: &mut [Entry]) -> Result<(usize, Option<usize>), Fault> {
    if core::str::from_utf8(text).is_err() {
        return Err(no_list("bytes that are no UTF-8"));
    }
    let mut json = Json::new(text);
    if !json.take(b'{') {
        return Err(broken(&json));
    }
    let (mut count, mut metadata) = (0, None);
    if json.take(b'}') {
        return if json.is_at_end() { Ok((0, None)) } else { Err(broken(&json)) };
    }
    loop {
        // A blank before it may have been skipped.
        let before = json;
        let Some(raw) = json.string() else { return Err(broken(&json)) };
        if !json.take(b':') {
            return Err(broken(&json));
        }
        if NameText::unescaped(raw).is(b"__metadata__") {
            json.is_at_end();
            let at = json.at();
            if !strings(&mut json) {
                return Err(no_list("metadata that are no map of texts"));
            }
            if metadata.is_some() {
                return Err(no_list("metadata twice"));
            }
            metadata = Some(at);
        } else {
            match entry(&mut json, raw, 8 + text.len() as u64) {
                Ok(entry) if count < to.len() => to[count] = Entry { name: before.at() as u32, ..entry },
                Ok(_) => {}
                Err(fault) => return Err(fault),
            }
            count += 1;
        }
        if json.take(b',') {
            continue;
        }
        if !json.take(b'}') || !json.is_at_end() {
            return Err(broken(&json));
        }
        return Ok((count, metadata));
    }
}

const fn no_list(found: &str) -> Fault {
    Fault::expected("a header that lists tensors, found ").str(found).help(CUT_SHORT)
}

const fn broken(json: &Json) -> Fault {
    let fault = Fault::expected("a header that lists tensors, found none of JSON's signs at byte ").num(json.at());
    fault.str(" of it").help(CUT_SHORT)
}

/// Goes on behind a map of texts to texts.
const fn strings(json: &mut Json) -> bool {
    if !json.take(b'{') {
        return false;
    }
    if json.take(b'}') {
        return true;
    }
    loop {
        if json.string().is_none() || !json.take(b':') || json.string().is_none() {
            return false;
        }
        if !json.take(b',') {
            return json.take(b'}');
        }
    }
}

/// `{"dtype": …, "shape": …, "data_offsets": …}`; what else stands there is passed over.
const fn entry(json: &mut Json, raw_name: &[u8], start: u64) -> Result<Entry, Fault> {
    let name = NameText::unescaped(raw_name);
    let name = name.as_str();
    let mut entry = Entry::NONE;
    let mut seen = [false; 3];
    if !json.take(b'{') {
        return Err(broken(json));
    }
    if !json.take(b'}') {
        loop {
            let Some(key) = json.string() else { return Err(broken(json)) };
            if !json.take(b':') || json.is_at_end() {
                return Err(broken(json));
            }
            let at = json.at() as u32;
            let field = match key {
                b"dtype" => 0,
                b"shape" => 1,
                b"data_offsets" => 2,
                _ => 3,
            };
            let sound = match field {
                0 => {
                    entry.dtype = at;
                    json.string().is_some()
                }
                1 => {
                    entry.shape = at;
                    numbers(json)
                }
                2 => {
                    let mut pair = *json;
                    let sound = numbers(json);
                    pair.take(b'[');
                    let from = pair.number();
                    pair.take(b',');
                    let to = pair.number();
                    if !sound || !pair.take(b']') {
                        return Err(Fault::of(name, "two `data_offsets`, found others").help(CUT_SHORT));
                    }
                    let (Some(from), Some(to)) = (from, to) else { return Err(broken(json)) };
                    match (start.checked_add(from), start.checked_add(to)) {
                        (Some(first), Some(last)) if first <= last => (entry.from, entry.to) = (first, last),
                        _ => {
                            let fault = Fault::of(name, "a range of bytes, found ").whole(from).str(" to ").whole(to);
                            return Err(fault.help(CUT_SHORT));
                        }
                    }
                    true
                }
                _ => json.skip_value(),
            };
            if !sound {
                return Err(broken(json));
            }
            if field < 3 {
                if seen[field] {
                    return Err(Fault::of(name, "each of its fields once, found one twice").help(CUT_SHORT));
                }
                seen[field] = true;
            }
            if json.take(b',') {
                continue;
            }
            if !json.take(b'}') {
                return Err(broken(json));
            }
            break;
        }
    }
    if seen[0] && seen[1] && seen[2] {
        return Ok(entry);
    }
    Err(Fault::of(name, "`dtype`, `shape` and `data_offsets`, found not all of them").help(CUT_SHORT))
}

/// Goes on behind a list of whole numbers.
const fn numbers(json: &mut Json) -> bool {
    if !json.take(b'[') {
        return false;
    }
    if json.take(b']') {
        return true;
    }
    loop {
        if json.number().is_none() {
            return false;
        }
        if !json.take(b',') {
            return json.take(b']');
        }
    }
}
