// The network as an object: loads the module, with vector instructions where the browser has them, and moves
// numbers in and out of its memory.

import * as safetensors from './safetensors.js';

// A function that makes a vector of bytes and drops it: what a browser without simd128 refuses.
const VECTOR = new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 3, 2, 1, 0, 10, 9, 1, 7, 0, 65, 0, 253, 15, 26, 11]);

export function hasVectors() {
  return WebAssembly.validate(VECTOR);
}

// What each network learns, in the order of its declaration in src/lib.rs.
const head = [['head.weight', [10, 32]], ['head.bias', [10]]];
const TENSORS = {
  digits: [['hidden.weight', [32, 784]], ['hidden.bias', [32]], ...head],
  'digits-cnn': [
    ['conv1.weight', [6, 1, 5, 5]], ['conv1.bias', [6]], ['conv2.weight', [16, 6, 5, 5]], ['conv2.bias', [16]],
    ['hidden.weight', [32, 400]], ['hidden.bias', [32]], ...head,
  ],
};

export async function load(network = 'digits', vectors = hasVectors()) {
  if (!Object.hasOwn(TENSORS, network)) throw new Error(`expected one of ${Object.keys(TENSORS).join(', ')}, found ${network}`);
  const name = vectors ? `${network}-simd128.wasm` : `${network}.wasm`;
  const response = await fetch(new URL(name, import.meta.url));
  if (!response.ok) throw new Error(`${name}: ${response.status} ${response.statusText}; build it with ./build.sh`);
  const code = await response.arrayBuffer();
  const module = await WebAssembly.compile(code);
  return new Network(await WebAssembly.instantiate(module), TENSORS[network], name, code.byteLength);
}

export class Network {
  constructor(instance, tensors, name, bytes) {
    this.wasm = instance.exports;
    this.tensors = tensors;
    this.name = name;
    this.bytes = bytes;
  }

  floats(at, length) {
    return new Float32Array(this.wasm.memory.buffer, at, length);
  }

  numbers() {
    return this.floats(this.wasm.numbers(), this.wasm.numbers_len());
  }

  // Reads 784 pixels from 0 (paper) to 1 (ink).
  read(pixels) {
    this.floats(this.wasm.image(), 784).set(pixels);
    const answer = this.wasm.read();
    if (answer >= 10) throw new Error('expected a drawing of finite numbers');
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
    if (Number.isNaN(loss)) throw new Error('expected a step to finite parameters, found NaN or infinity: it was not taken');
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
    this.wasm.save();
    return safetensors.write(this.tensors, this.numbers());
  }

  // Takes over the network of a file, or throws what is wrong with it and stays as it is.
  load(bytes) {
    this.numbers().set(safetensors.read(this.tensors, bytes));
    if (!this.wasm.load()) throw new Error('expected finite numbers, found others');
  }
}
