// The network as an object: loads the module, with vector instructions where the browser has them, and moves
// numbers, bytes and text in and out of its memory.

// A function that makes a vector of bytes and drops it: what a browser without simd128 refuses.
const VECTOR = new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 3, 2, 1, 0, 10, 9, 1, 7, 0, 65, 0, 253, 15, 26, 11]);

export function hasVectors() {
  return WebAssembly.validate(VECTOR);
}

export async function load(vectors = hasVectors()) {
  const name = vectors ? 'digits-simd128.wasm' : 'digits.wasm';
  const response = await fetch(new URL(name, import.meta.url));
  if (!response.ok) throw new Error(`${name}: ${response.status} ${response.statusText}; build it with ./build.sh`);
  const code = await response.arrayBuffer();
  const module = await WebAssembly.compile(code);
  return new Network(await WebAssembly.instantiate(module), name, code.byteLength);
}

export class Network {
  constructor(instance, name, bytes) {
    this.wasm = instance.exports;
    this.name = name;
    this.bytes = bytes;
  }

  // Memory may move when it grows: a view is made anew for each use.
  floats(at, length) {
    return new Float32Array(this.wasm.memory.buffer, at, length);
  }

  // Reads 784 pixels from 0 (paper) to 1 (ink).
  read(pixels) {
    this.floats(this.wasm.image(), 784).set(pixels);
    const answer = this.wasm.read();
    return {
      answer,
      probabilities: Array.from(this.floats(this.wasm.probabilities(), 10)),
      saliency: Array.from(this.floats(this.wasm.saliency(), 784)),
    };
  }

  // Keeps pixels as a sample of a class, for steps to learn from.
  keep(pixels, label) {
    this.floats(this.wasm.image(), 784).set(pixels);
    this.wasm.keep(label);
  }

  // Takes one step of all layers and gives its loss.
  step() {
    const loss = this.wasm.step();
    if (Number.isNaN(loss)) throw new Error(this.message());
    return loss;
  }

  score() {
    return this.wasm.score();
  }

  forget() {
    this.wasm.forget();
  }

  // The network as the bytes of a safetensors file.
  save() {
    const length = this.wasm.save();
    return new Uint8Array(this.wasm.memory.buffer, this.wasm.file(), length).slice();
  }

  // Takes over the network of a file, or throws what is wrong with it and stays as it is.
  load(bytes) {
    this.wasm.room(bytes.length);
    new Uint8Array(this.wasm.memory.buffer, this.wasm.file(), bytes.length).set(bytes);
    if (!this.wasm.load()) throw new Error(this.message());
  }

  message() {
    return new TextDecoder().decode(new Uint8Array(this.wasm.memory.buffer, this.wasm.message(), this.wasm.message_len()));
  }
}
