// Files of weights: a length, a header in JSON, numbers. In: the tensors of a network (name, shape) in the order of
// its numbers, and these numbers or the bytes of a file; out: the other of the two, or what does not fit.

const LITTLE = true;

// A number of 16 bits whose exponent has 5.
function half(bits) {
  const [sign, exponent, fraction] = [bits >> 15 ? -1 : 1, (bits >> 10) & 31, bits & 1023];
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (exponent ? (1024 + fraction) * 2 ** (exponent - 25) : fraction * 2 ** -24);
}

// … and one that is the upper half of 32 bits.
function upper(bits) {
  return new Float32Array(Uint32Array.of(bits << 16).buffer)[0];
}

// Bytes of a number, and how it is read.
const TYPES = {
  F16: [2, (view, at) => half(view.getUint16(at, LITTLE))],
  BF16: [2, (view, at) => upper(view.getUint16(at, LITTLE))],
  F32: [4, (view, at) => view.getFloat32(at, LITTLE)],
  F64: [8, (view, at) => view.getFloat64(at, LITTLE)],
};

const count = (shape) => shape.reduce((product, dim) => product * dim, 1);
const list = (shape) => `[${shape.join(', ')}]`;

// Where each tensor begins among all numbers, by their names.
function byName(tensors) {
  let at = 0;
  const places = tensors.map(([name, shape]) => {
    const place = { name, shape, from: at, count: count(shape) };
    at += place.count;
    return place;
  });
  return places.sort((a, b) => (a.name < b.name ? -1 : 1));
}

export function write(tensors, numbers) {
  const places = byName(tensors);
  const header = {};
  let end = 0;
  for (const { name, shape, count } of places) {
    header[name] = { dtype: 'F32', shape, data_offsets: [end, (end += 4 * count)] };
  }
  let text = JSON.stringify(header);
  // The numbers begin at a multiple of eight bytes, for readers that map files into memory.
  text = text.padEnd(Math.ceil(text.length / 8) * 8);
  const file = new Uint8Array(8 + text.length + end);
  const view = new DataView(file.buffer);
  view.setBigUint64(0, BigInt(text.length), LITTLE);
  file.set(new TextEncoder().encode(text), 8);
  let at = 8 + text.length;
  for (const { from, count } of places) {
    for (const number of numbers.subarray(from, from + count)) {
      view.setFloat32(at, number, LITTLE);
      at += 4;
    }
  }
  return file;
}

export function read(tensors, file) {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const length = file.length < 8 ? NaN : Number(view.getBigUint64(0, LITTLE));
  if (!(8 + length <= file.length)) throw new Error('expected a safetensors file, found none: it does not begin with the length of a header');
  let header;
  try {
    header = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(file.subarray(8, 8 + length)));
  } catch {
    header = null;
  }
  if (typeof header !== 'object' || header === null) throw new Error('expected a header that lists tensors, found none of JSON');
  const numbers = new Float32Array(tensors.reduce((sum, [, shape]) => sum + count(shape), 0));
  const places = byName(tensors);
  const faults = places.map((place) => fault(place, header[place.name], view, 8 + length, numbers)).filter(Boolean);
  const others = Object.keys(header).filter((name) => name !== '__metadata__' && places.every((place) => place.name !== name));
  if (others.length > 0) faults.push(`expected no other tensors, found ${others.slice(0, 5).join(', ')}`);
  if (faults.length > 0) throw new Error(faults.join('; '));
  return numbers;
}

// Puts the numbers of a tensor to their place, or says how the file's is not the network's.
function fault({ name, shape, from, count }, found, view, start, numbers) {
  if (!found) return `expected ${name} ${list(shape)}, found none of this name`;
  const { dtype, shape: dims, data_offsets: offsets } = found;
  const type = Object.hasOwn(TYPES, dtype) && TYPES[dtype];
  if (!type) return `${name}: expected floats of 16, 32 or 64 bits, found ${dtype}`;
  if (!Array.isArray(dims) || list(dims) !== list(shape)) return `${name}: expected ${list(shape)}, found ${Array.isArray(dims) ? list(dims) : 'no shape'}`;
  const [size, number] = type;
  const [first, last] = Array.isArray(offsets) ? offsets : [];
  if (!Number.isSafeInteger(first) || first < 0 || last - first !== size * count || start + last > view.byteLength) {
    return `${name}: expected ${size * count} bytes within the file, found others: it may have been cut short`;
  }
  for (let i = 0; i < count; i += 1) numbers[from + i] = number(view, start + first + size * i);
  const bad = numbers.subarray(from, from + count).findIndex((number) => !Number.isFinite(number));
  return bad < 0 ? null : `${name}, element ${bad}: expected a finite number, found ${numbers[from + bad]}`;
}
