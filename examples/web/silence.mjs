// Takes what panics say out of a module, where nobody hears it: node silence.mjs IN OUT
// The functions of `core` that put messages together and end in a trap become the trap alone; wasm-opt then drops
// all that only they used. IN has the names of its functions.

import { readFileSync, writeFileSync } from 'node:fs';

const [from, to] = process.argv.slice(2);
const module = readFileSync(from);
const SPEAKS = /core9panicking|slice_index_fail|len_mismatch_fail|unwrap_failed|expect_failed/;
const [CUSTOM, IMPORT, CODE] = [0, 2, 10];
// No locals, `unreachable`, the end.
const TRAP = Buffer.of(3, 0, 0, 0x0b);

// A reader of numbers in LEB128.
function reader(at) {
  return {
    at,
    number() {
      let [value, shift, byte] = [0, 0, 0];
      do {
        byte = module[this.at++];
        value += (byte & 127) * 2 ** shift;
        shift += 7;
      } while (byte & 128);
      return value;
    },
    text() {
      const length = this.number();
      this.at += length;
      return module.toString('utf8', this.at - length, this.at);
    },
  };
}

function leb(number) {
  const bytes = [];
  do {
    bytes.push((number & 127) | (number > 127 ? 128 : 0));
    number = Math.floor(number / 128);
  } while (number > 0);
  return Buffer.from(bytes);
}

const sections = [];
for (const read = reader(8); read.at < module.length; ) {
  const start = read.at;
  const [id, length] = [module[read.at++], read.number()];
  sections.push({ id, start, inside: read.at, end: (read.at += length) });
}
if (sections.some(({ id }) => id === IMPORT)) throw new Error('expected a module that imports nothing');

// The numbers of functions that speak.
const silent = new Set();
for (const { inside, end } of sections.filter(({ id }) => id === CUSTOM)) {
  const read = reader(inside);
  if (read.text() !== 'name') continue;
  while (read.at < end) {
    const [kind, length] = [read.number(), read.number()];
    const next = read.at + length;
    if (kind === 1) {
      for (let left = read.number(); left > 0; left -= 1) {
        const number = read.number();
        if (SPEAKS.test(read.text())) silent.add(number);
      }
    }
    read.at = next;
  }
}
if (silent.size === 0) throw new Error('expected the names of functions, found none');

function code({ inside }) {
  const read = reader(inside);
  const count = read.number();
  const bodies = [leb(count)];
  for (let number = 0; number < count; number += 1) {
    const start = read.at;
    const length = read.number();
    read.at += length;
    bodies.push(silent.has(number) ? TRAP : module.subarray(start, read.at));
  }
  const all = Buffer.concat(bodies);
  return Buffer.concat([Buffer.of(CODE), leb(all.length), all]);
}

const parts = sections.map((section) => (section.id === CODE ? code(section) : module.subarray(section.start, section.end)));
writeFileSync(to, Buffer.concat([module.subarray(0, 8), ...parts]));
