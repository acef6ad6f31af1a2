// The page: strokes on the board become 28 × 28 pixels, which the network reads; buttons teach it, files keep
// it. Strokes are points from 0 to 1 along both sides of the board.

import { load } from './nn.js';

const SIDE = 28;
// A digit's longer side, and the width of the pen, in pixels of what the network sees: as it has learnt them.
const EXTENT = 17.6;
const PEN = 2.8;
// `index.html?network=digits-cnn` has convolutions.
const CHOSEN = new URLSearchParams(location.search).get('network') ?? 'digits';
// Steps before the first answer, and after each lesson: one of convolutions takes longer, and says more.
const [BEGINNING, LESSON] = CHOSEN === 'digits' ? [400, 40] : [150, 20];
// Milliseconds of steps between two pictures.
const SLICE = 12;

const at = (id) => document.getElementById(id);
const [ink, shine, overlay, answer, big, bars, labels, progress, lesson, fault] =
  ['ink', 'shine', 'overlay', 'answer', 'big', 'bars', 'labels', 'progress', 'lesson', 'fault'].map(at);
const seen = Object.assign(document.createElement('canvas'), { width: SIDE, height: SIDE });
const map = Object.assign(document.createElement('canvas'), { width: SIDE, height: SIDE });
const seenBy = seen.getContext('2d', { willReadFrequently: true });

let network;
let strokes = [];
// Where the keyboard's pen is, and the stroke it draws.
let pen = { x: 0.5, y: 0.5 };
let drawing = null;
let begun = false;

// The square of the board that the network sees: its centre, and its pixels for the length of the board.
function frame() {
  const points = strokes.flat();
  const [left, right] = [Math.min(...points.map((p) => p.x)), Math.max(...points.map((p) => p.x))];
  const [top, bottom] = [Math.min(...points.map((p) => p.y)), Math.max(...points.map((p) => p.y))];
  // A dot stays small.
  const extent = Math.max(right - left, bottom - top, 0.25);
  return { x: (left + right) / 2, y: (top + bottom) / 2, scale: EXTENT / extent };
}

function trace(context, place, width, colour) {
  context.lineWidth = width;
  context.lineCap = context.lineJoin = 'round';
  context.strokeStyle = colour;
  for (const stroke of strokes) {
    context.beginPath();
    const [first, ...rest] = stroke.map(place);
    context.moveTo(...first);
    context.lineTo(...first);
    for (const point of rest) context.lineTo(...point);
    context.stroke();
  }
}

// What the network sees: the digit in the middle, from 0 (paper) to 1 (ink).
function pixels() {
  const { x, y, scale } = frame();
  seenBy.fillStyle = '#000';
  seenBy.fillRect(0, 0, SIDE, SIDE);
  trace(seenBy, (p) => [SIDE / 2 + (p.x - x) * scale, SIDE / 2 + (p.y - y) * scale], PEN, '#fff');
  const { data } = seenBy.getImageData(0, 0, SIDE, SIDE);
  return Float32Array.from({ length: SIDE * SIDE }, (_, i) => data[4 * i] / 255);
}

function show() {
  const context = ink.getContext('2d');
  context.clearRect(0, 0, ink.width, ink.height);
  trace(context, (p) => [p.x * ink.width, p.y * ink.height], ink.width / 16, '#101318');
  if (document.activeElement === ink && ink.matches(':focus-visible')) {
    context.lineWidth = 3;
    context.strokeStyle = drawing ? '#d9660f' : '#1357c9';
    context.strokeRect(pen.x * ink.width - 9, pen.y * ink.height - 9, 18, 18);
  }
}

// Colours each pixel the network sees by its saliency, where it lies on the board.
function colour(saliency) {
  const context = shine.getContext('2d');
  context.clearRect(0, 0, shine.width, shine.height);
  if (!saliency || !overlay.checked) return;
  const most = Math.max(...saliency.map(Math.abs)) || 1;
  const image = new ImageData(SIDE, SIDE);
  saliency.forEach((number, i) => {
    const rgb = number > 0 ? [31, 119, 208] : [217, 102, 15];
    image.data.set([...rgb, 200 * Math.abs(number) / most], 4 * i);
  });
  map.getContext('2d').putImageData(image, 0, 0);
  const { x, y, scale } = frame();
  const side = (SIDE / scale) * shine.width;
  context.drawImage(map, x * shine.width - side / 2, y * shine.height - side / 2, side, side);
}

const percent = (probability) => `${Math.round(100 * probability)} %`;

// Reads the drawing; says the answer aloud where `aloud`, as at the end of a stroke.
function read(aloud) {
  show();
  const empty = strokes.length === 0;
  if (!begun) return;
  const found = empty ? null : guarded(() => network.read(pixels()));
  [...bars.children].forEach((bar, digit) => {
    const probability = found ? found.probabilities[digit] : 0;
    bar.querySelector('meter').value = probability;
    bar.lastChild.textContent = found ? percent(probability) : '';
    bar.classList.toggle('best', found?.answer === digit);
  });
  big.textContent = found ? found.answer : '–';
  colour(found?.saliency);
  if (aloud) answer.textContent = found ? `${found.answer}, with ${percent(found.probabilities[found.answer])}` : 'Nothing drawn';
}

// Tells what went wrong, and goes on.
function tell(error) {
  fault.textContent = error.message;
}

// What calls the network: a trap leaves it broken, and the page begins with a new one.
function guarded(call) {
  try {
    return call();
  } catch (error) {
    tell(error);
    if (error instanceof WebAssembly.RuntimeError) start();
    return null;
  }
}

// Takes so many steps, some between two pictures, and shows what they come to.
async function learn(steps, say) {
  const now = network;
  let loss = NaN;
  for (let done = 0; done < steps && now === network;) {
    await new Promise(requestAnimationFrame);
    const until = performance.now() + SLICE;
    do {
      loss = guarded(() => network.step());
      if (loss === null) return;
    } while (++done < steps && performance.now() < until);
    progress.value = done / steps;
    if (begun) read(false);
  }
  if (now === network) say(loss);
}

async function teach(label) {
  if (!begun) return;
  if (strokes.length === 0) {
    lesson.textContent = 'Draw something first: there is nothing to learn from.';
    return;
  }
  fault.textContent = '';
  guarded(() => network.keep(pixels(), label));
  lesson.textContent = `Learning that this is a ${label} …`;
  await learn(LESSON, (loss) => {
    read(true);
    lesson.textContent = `Learnt that this is a ${label}; loss ${loss.toFixed(2)}.`;
  });
}

// Learns drawn digits until it can read some.
async function practise() {
  begun = false;
  read(true);
  lesson.textContent = 'Knows nothing yet; learning from digits drawn here …';
  await learn(BEGINNING, () => {
    begun = true;
    lesson.textContent = `Ready: reads ${network.score().toFixed(0)} of 100 digits it has not seen.`;
    read(true);
  });
}

async function start() {
  try {
    network = await load(CHOSEN);
    at('facts').textContent = `${network.name}, ${(network.bytes / 1000).toFixed(0)} kB: network and training.`;
    await practise();
  } catch (error) {
    tell(error);
  }
}

function point(event) {
  const box = ink.getBoundingClientRect();
  const within = (number) => Math.min(1, Math.max(0, number));
  return { x: within((event.clientX - box.left) / box.width), y: within((event.clientY - box.top) / box.height) };
}

let waiting = false;
function soon() {
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(() => {
    waiting = false;
    read(false);
  });
}

ink.addEventListener('pointerdown', (event) => {
  if (event.button > 0) return;
  ink.setPointerCapture(event.pointerId);
  drawing = [point(event)];
  strokes.push(drawing);
  soon();
});
ink.addEventListener('pointermove', (event) => {
  if (!drawing || !ink.hasPointerCapture(event.pointerId)) return;
  for (const one of event.getCoalescedEvents?.() ?? []) drawing.push(point(one));
  drawing.push(point(event));
  soon();
});
for (const end of ['pointerup', 'pointercancel']) {
  ink.addEventListener(end, () => {
    if (!drawing) return;
    drawing = null;
    read(true);
  });
}

function clear() {
  strokes = [];
  drawing = null;
  read(true);
}

const WAYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
ink.addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const way = WAYS[event.key];
  if (way) {
    const [x, y] = [pen.x + way[0] / 20, pen.y + way[1] / 20].map((to) => Math.min(0.95, Math.max(0.05, to)));
    pen = { x, y };
    drawing?.push(pen);
    read(false);
  } else if (event.key === ' ') {
    if (drawing) {
      drawing = null;
      read(true);
    } else {
      drawing = [pen];
      strokes.push(drawing);
      answer.textContent = 'Pen down';
      read(false);
    }
  } else if (event.key === 'Backspace' || event.key === 'Delete') {
    clear();
  } else if (/^\d$/.test(event.key)) {
    teach(Number(event.key));
  } else {
    return;
  }
  event.preventDefault();
});
ink.addEventListener('focus', show);
ink.addEventListener('blur', show);

at('clear').addEventListener('click', clear);
overlay.addEventListener('change', () => {
  at('legend').hidden = !overlay.checked;
  read(false);
});
at('forget').addEventListener('click', () => {
  if (!network) return;
  fault.textContent = '';
  guarded(() => network.forget());
  practise();
});
at('save').addEventListener('click', () => {
  const bytes = network && guarded(() => network.save());
  if (!bytes) return;
  const url = URL.createObjectURL(new Blob([bytes]));
  Object.assign(document.createElement('a'), { href: url, download: 'digits.safetensors' }).click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
});
at('file').addEventListener('change', async (event) => {
  const [file] = event.target.files;
  if (!file || !network) return;
  fault.textContent = '';
  try {
    network.load(new Uint8Array(await file.arrayBuffer()));
    begun = true;
    lesson.textContent = `Loaded ${file.name}: reads ${network.score().toFixed(0)} of 100 digits.`;
    read(true);
  } catch (error) {
    tell(new Error(`${file.name}: ${error.message}`));
  }
  // The same file again is a change too.
  event.target.value = '';
});

for (let digit = 0; digit < 10; digit += 1) {
  const bar = document.createElement('li');
  bar.innerHTML = `<span id="digit-${digit}">${digit}</span><meter min="0" max="1" value="0" aria-labelledby="digit-${digit}"></meter><span></span>`;
  bars.append(bar);
  const button = Object.assign(document.createElement('button'), { type: 'button', textContent: digit });
  button.setAttribute('aria-label', `This is a ${digit}`);
  button.addEventListener('click', () => teach(digit));
  labels.append(button);
}
start();
