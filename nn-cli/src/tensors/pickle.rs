//! Python's pickles, as far as files of tensors need them. In: bytes, which may be anything; out: values.
//! Nothing is called and no class is known: what a pickle would make of one stays a name with its arguments.

use std::collections::BTreeMap;

/// How deep values may lie within each other.
const DEEPEST: usize = 100;

#[derive(Clone, PartialEq, Debug)]
pub(super) enum Value {
    None,
    Int(i64),
    /// A number or bytes that no tensor needs.
    Other,
    Text(String),
    /// A tuple, a list or a set.
    Items(Vec<Value>),
    Pairs(Vec<(Value, Value)>),
    /// A class or a function by its name.
    Global(String),
    /// What would be made by calling a global: its name, its arguments, and the state that was given to it.
    Object(String, Box<[Value; 2]>),
    /// What the archive stores elsewhere.
    Stored(Vec<Value>),
}

/// The value of a pickle.
///
/// # Errors
/// It is cut short, damaged, or uses what no file of tensors does.
pub(super) fn read(bytes: &[u8]) -> Result<Value, String> {
    let mut machine = Machine { left: bytes, stack: Vec::new(), marks: Vec::new(), memo: BTreeMap::new(), memoized: 0 };
    while !machine.step()? {}
    let (_, value) = machine.pop()?;
    Ok(value)
}

/// A value, and how deep others lie within it.
type Deep = (usize, Value);

struct Machine<'a> {
    left: &'a [u8],
    stack: Vec<Deep>,
    marks: Vec<usize>,
    memo: BTreeMap<u32, Deep>,
    /// How many values were kept without a number of their own.
    memoized: u64,
}

impl<'a> Machine<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], String> {
        let (taken, left) =
            self.left.split_at_checked(count).ok_or("expected a whole pickle, found one that is cut short")?;
        self.left = left;
        Ok(taken)
    }

    fn number(&mut self, bytes: usize) -> Result<u64, String> {
        let taken = self.take(bytes)?;
        Ok(taken.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }

    fn line(&mut self) -> Result<&'a str, String> {
        let end = self.left.iter().position(|byte| *byte == b'\n').ok_or("expected a whole line in the pickle")?;
        let line = self.take(end + 1)?;
        std::str::from_utf8(&line[..end]).map_err(|_| "expected names of letters in the pickle".to_owned())
    }

    fn text(&mut self, length: usize) -> Result<(), String> {
        let len = self.number(length)?;
        let text = self.take(usize::try_from(len).unwrap_or(usize::MAX))?;
        let text = std::str::from_utf8(text).map_err(|_| "expected text of UTF-8 in the pickle".to_owned())?;
        self.push(Value::Text(text.to_owned()));
        Ok(())
    }

    fn push(&mut self, value: Value) {
        self.stack.push((0, value));
    }

    fn push_deep(&mut self, depth: usize, value: Value) -> Result<(), String> {
        if depth > DEEPEST {
            return Err(format!("expected values at most {DEEPEST} deep in the pickle"));
        }
        self.stack.push((depth, value));
        Ok(())
    }

    /// The last value since the last mark.
    fn pop(&mut self) -> Result<Deep, String> {
        let least = self.marks.last().copied().unwrap_or(0);
        if self.stack.len() <= least {
            return Err("expected a value in the pickle, found none".to_owned());
        }
        Ok(self.stack.pop().expect("there is one"))
    }

    fn pop_to_mark(&mut self) -> Result<Vec<Deep>, String> {
        let at = self.marks.pop().ok_or("expected a mark in the pickle, found none")?;
        Ok(self.stack.split_off(at))
    }

    /// Adds values to what is on top: one after the other to a list, in pairs to a dictionary.
    fn add(&mut self, all: Vec<Deep>) -> Result<(), String> {
        let (depth, mut top) = self.pop()?;
        let depth = all.iter().map(|(of, _)| of + 1).fold(depth, usize::max);
        let mut values = all.into_iter().map(|(_, value)| value);
        let pairs = match &mut top {
            Value::Items(items) => {
                items.extend(values);
                return self.push_deep(depth, top);
            }
            Value::Pairs(pairs) => pairs,
            // An OrderedDict is called first, and filled then.
            Value::Object(_, parts) => {
                if !matches!(parts[1], Value::Pairs(_)) {
                    parts[1] = Value::Pairs(Vec::new());
                }
                let Value::Pairs(pairs) = &mut parts[1] else { unreachable!("it was just put there") };
                pairs
            }
            _ => return Err("expected a list or a dictionary in the pickle".to_owned()),
        };
        while let (Some(key), Some(value)) = (values.next(), values.next()) {
            pairs.push((key, value));
        }
        self.push_deep(depth + 1, top)
    }

    fn tuple(&mut self, count: usize) -> Result<(), String> {
        let mut all = Vec::new();
        for _ in 0..count {
            all.push(self.pop()?);
        }
        all.reverse();
        self.items(all)
    }

    fn items(&mut self, all: Vec<Deep>) -> Result<(), String> {
        let depth = all.iter().map(|(of, _)| of + 1).max().unwrap_or(0);
        self.push_deep(depth, Value::Items(all.into_iter().map(|(_, value)| value).collect()))
    }

    /// What a class or a function would make of its arguments.
    fn object(&mut self) -> Result<(), String> {
        let ((of, arguments), (_, global)) = (self.pop()?, self.pop()?);
        let name = match global {
            Value::Global(name) => name,
            _ => "an object".to_owned(),
        };
        self.push_deep(of + 1, Value::Object(name, Box::new([arguments, Value::None])))
    }

    fn build(&mut self) -> Result<(), String> {
        let ((of, state), (depth, mut top)) = (self.pop()?, self.pop()?);
        // What an OrderedDict holds beside its pairs is not asked for.
        if let Value::Object(_, parts) = &mut top
            && parts[1] == Value::None
        {
            parts[1] = state;
        }
        self.push_deep(depth.max(of + 1), top)
    }

    fn get(&mut self, at: u64) -> Result<(), String> {
        let value = u32::try_from(at)
            .ok()
            .and_then(|at| self.memo.get(&at))
            .ok_or("expected a value that the pickle has kept")?;
        self.stack.push(value.clone());
        Ok(())
    }

    fn put(&mut self, at: u64) -> Result<(), String> {
        let at = u32::try_from(at).map_err(|_| "expected a number of a value in the pickle")?;
        let value = self.pop()?;
        // What is filled later would be kept as it is now, and large values many times: of these none is read
        // again in a file of tensors.
        let kept = match &value.1 {
            Value::Text(_) | Value::Global(_) | Value::Int(_) | Value::None | Value::Stored(_) => true,
            Value::Items(items) => items.len() <= 8 && value.0 <= 1,
            _ => false,
        };
        if kept {
            self.memo.insert(at, value.clone());
        }
        self.stack.push(value);
        Ok(())
    }

    /// Whether the pickle is done.
    fn step(&mut self) -> Result<bool, String> {
        let op = self.take(1)?[0];
        match op {
            0x80 => drop(self.take(1)?),
            0x95 => drop(self.take(8)?),
            b'}' => self.push(Value::Pairs(Vec::new())),
            b']' | b')' | 0x8f => self.push(Value::Items(Vec::new())),
            b'(' => self.marks.push(self.stack.len()),
            b't' | b'l' => {
                let all = self.pop_to_mark()?;
                self.items(all)?;
            }
            0x85..=0x87 => self.tuple(usize::from(op - 0x84))?,
            b'q' => {
                let at = self.number(1)?;
                self.put(at)?
            }
            b'r' => {
                let at = self.number(4)?;
                self.put(at)?
            }
            0x94 => {
                self.memoized += 1;
                self.put(self.memoized - 1)?
            }
            b'h' => {
                let at = self.number(1)?;
                self.get(at)?
            }
            b'j' => {
                let at = self.number(4)?;
                self.get(at)?
            }
            0x8c => self.text(1)?,
            b'X' => self.text(4)?,
            0x8d => self.text(8)?,
            b'K' => {
                let number = self.number(1)?;
                self.push(Value::Int(number as i64))
            }
            b'M' => {
                let number = self.number(2)?;
                self.push(Value::Int(number as i64))
            }
            b'J' => {
                let number = self.number(4)?;
                self.push(Value::Int(i64::from(number as u32 as i32)))
            }
            0x8a => {
                let len = self.number(1)? as usize;
                let bytes = self.take(len)?;
                let negative = bytes.last().is_some_and(|byte| byte & 0x80 != 0);
                let mut all = [if negative { 0xff } else { 0 }; 8];
                let fits = len <= 8;
                all[..len.min(8)].copy_from_slice(&bytes[..len.min(8)]);
                self.push(if fits { Value::Int(i64::from_le_bytes(all)) } else { Value::Other });
            }
            b'G' => {
                self.take(8)?;
                self.push(Value::Other)
            }
            b'N' => self.push(Value::None),
            0x88 | 0x89 => self.push(Value::Other),
            b'B' | b'C' | b'U' => {
                let len = self.number(if op == b'B' { 4 } else { 1 })?;
                self.take(len as usize)?;
                self.push(Value::Other);
            }
            b'c' => {
                let name = format!("{}.{}", self.line()?, self.line()?);
                self.push(Value::Global(name))
            }
            0x93 => {
                let (Value::Text(name), Value::Text(module)) = (self.pop()?.1, self.pop()?.1) else {
                    return Err("expected a name in the pickle".to_owned());
                };
                self.push(Value::Global(format!("{module}.{name}")));
            }
            b'Q' => {
                let (depth, id) = self.pop()?;
                let Value::Items(id) = id else { return Err("expected a stored value in the pickle".to_owned()) };
                self.push_deep(depth, Value::Stored(id))?;
            }
            b'R' | 0x81 => self.object()?,
            b'b' => self.build()?,
            b's' => {
                let (value, key) = (self.pop()?, self.pop()?);
                self.add([key, value].into())?
            }
            b'u' | b'e' | 0x90 => {
                let all = self.pop_to_mark()?;
                self.add(all)?;
            }
            b'a' => {
                let value = self.pop()?;
                self.add([value].into())?
            }
            b'0' => drop(self.pop()?),
            b'.' => return Ok(true),
            other => {
                return Err(format!(
                    "expected a pickle of tensors, found operation {other:#04x}, which none of them has"
                ));
            }
        }
        Ok(false)
    }
}
