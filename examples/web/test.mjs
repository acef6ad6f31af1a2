// Tries the page as a visitor would: node --experimental-websocket test.mjs NATIVE FOLDER SCREENSHOTS
// NATIVE is the program of src/bin/native.rs, FOLDER has the files that it has written.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { after, before } from 'node:test';
import { Browser, serve } from './browser.mjs';

const [native, folder, screenshots] = process.argv.slice(2);
let browser, server, page;

before(async () => {
  server = await serve(import.meta.dirname);
  browser = await Browser.start(folder);
  page = await browser.page(`http://127.0.0.1:${server.address().port}/`, 1200, 900);
  await page.until('Ready');
});
after(() => {
  browser?.stop();
  server?.close();
});

// Strokes as a hand draws them, from 0 to 1 along the board.
const ONE = [[[0.5, 0.15], [0.5, 0.85]]];
const SEVEN = [[[0.25, 0.2], [0.75, 0.2], [0.4, 0.85]]];
const ZERO = [Array.from({ length: 25 }, (_, i) => [0.5 + 0.22 * Math.sin((i * Math.PI) / 12), 0.5 - 0.33 * Math.cos((i * Math.PI) / 12)])];
const CROSS = [[[0.2, 0.2], [0.8, 0.8]], [[0.8, 0.2], [0.2, 0.8]]];

const KEPT = `
  const pattern = (k) => Float32Array.from({ length: 784 }, (_, at) => Number(at % k === 0));
  const { load } = await import('./nn.js');`;

// What may be downloaded, in bytes: to be lowered when there is less.
const MOST = { 'digits.wasm': 85_000, 'digits-simd128.wasm': 99_000, 'digits-cnn.wasm': 156_000, 'digits-cnn-simd128.wasm': 187_500 };

test('a download does not grow', () => {
  for (const [name, most] of Object.entries(MOST)) {
    const { length } = readFileSync(join(import.meta.dirname, name));
    assert.ok(length <= most, `${name}: ${length} bytes`);
  }
});

test('it has learnt before the first drawing, and says so', async () => {
  const score = Number(/reads (\d+) of 100/.exec(await page.text('#lesson'))[1]);
  assert.ok(score >= 85, `${score} of 100`);
  assert.equal(await page.text('#fault'), '');
});

test('it reads what the mouse draws', async () => {
  for (const [strokes, digit] of [[ONE, '1'], [SEVEN, '7'], [ZERO, '0']]) {
    await page.click('#clear');
    assert.equal(await page.text('#big'), '–');
    await page.draw(strokes);
    assert.equal(await page.text('#big'), digit);
    assert.match(await page.text('#answer'), new RegExp(`^${digit}, with \\d+ %$`));
  }
  const sum = await page.evaluate("[...document.querySelectorAll('meter')].reduce((sum, meter) => sum + meter.value, 0)");
  assert.ok(Math.abs(sum - 1) < 1e-4, `${sum}`);
});

// How many dots of the map are coloured.
const COLOURED = `(() => {
  const { width, height } = shine, { data } = shine.getContext('2d').getImageData(0, 0, width, height);
  return data.filter((number, i) => i % 4 === 3 && number > 20).length;
})()`;

test('the saliency map lies on the drawing and can be put away', async () => {
  assert.ok(await page.evaluate(COLOURED) > 1000);
  await page.screenshot(join(screenshots, 'desktop.png'));
  await page.click('#overlay');
  assert.equal(await page.evaluate(COLOURED), 0);
  await page.click('#overlay');
});

test('it learns what it is told', async () => {
  await page.click('#clear');
  await page.draw(CROSS);
  for (let lesson = 0; lesson < 2; lesson += 1) {
    await page.click("[aria-label='This is a 4']");
    await page.until('Learnt that this is a 4');
  }
  assert.equal(await page.text('#big'), '4');
  await page.click('#clear');
  await page.draw(ONE);
  assert.equal(await page.text('#big'), '1', 'it has not forgotten the others');
});

test('a keyboard does all of it, in the order of the page', async () => {
  await page.evaluate("document.activeElement.blur(); document.body.focus()");
  const labels = Array.from({ length: 10 }, (_, digit) => `This is a ${digit}`);
  const expected = ['ink', 'clear', 'overlay', ...labels, 'save', 'forget', 'file'];
  const order = [];
  // Once around, from wherever it begins.
  for (let i = 0; i < 2 * expected.length + 2; i += 1) {
    await page.key('Tab');
    order.push(await page.evaluate("document.activeElement.id || document.activeElement.getAttribute('aria-label')"));
  }
  const first = order.indexOf('ink');
  assert.deepEqual(order.slice(first, first + expected.length), expected);

  await page.evaluate("document.getElementById('ink').focus()");
  await page.key('Backspace');
  for (let i = 0; i < 6; i += 1) await page.key('ArrowUp');
  await page.key(' ');
  for (let i = 0; i < 13; i += 1) await page.key('ArrowDown');
  await page.key(' ');
  assert.match(await page.text('#answer'), /^1, with \d+ %$/);
  await page.key('1');
  await page.until('Learnt that this is a 1');
});

test('what is shown has names for those who do not see it', async () => {
  const nameless = (await page.accessible()).filter(({ role, name }) => ['button', 'checkbox', 'meter', 'application', 'progressbar', 'group'].includes(role) && !name);
  assert.deepEqual(nameless, []);
  const live = await page.evaluate("['answer', 'lesson', 'fault'].map((id) => document.getElementById(id)).every((one) => one.matches('[aria-live=polite], [role=status], [role=alert]'))");
  assert.ok(live);
});

test('a file goes to this machine and back, with the same bits', async () => {
  const file = join(folder, 'digits.safetensors');
  await page.click('#save');
  for (let i = 0; i < 100 && !existsSync(file); i += 1) await new Promise((done) => setTimeout(done, 50));
  const here = execFileSync(native, ['read', file], { encoding: 'utf8' }).trim();
  const there = await page.evaluate(`(async () => {${KEPT}
    const network = await load('digits', false);
    network.load(new Uint8Array(${JSON.stringify([...readFileSync(file)])}));
    const { answer, probabilities, saliency } = network.read(pattern(5));
    const bits = (numbers) => [...new Uint32Array(Float32Array.from(numbers).buffer)].map((x) => x.toString(16).padStart(8, '0')).join(' ');
    return [answer, bits(probabilities), bits(saliency)].join(' ');
  })()`);
  assert.equal(there, here);

  await page.reload();
  await page.until('Ready');
  await page.draw(CROSS);
  assert.notEqual(await page.text('#big'), '4', 'a page begins without what was learnt');
  await page.upload('#file', file);
  await page.until('Loaded digits.safetensors');
  assert.equal(await page.text('#big'), '4');
});

test('what is no network of this page is told, and it goes on', async () => {
  await page.upload('#file', join(import.meta.dirname, 'page.css'));
  await page.until('page.css: ', '#fault');
  assert.match(await page.text('#fault'), /expected/);
  await page.upload('#file', join(import.meta.dirname, '../data/digits.safetensors'));
  await page.until('digits.safetensors: ', '#fault');
  assert.match(await page.text('#fault'), /hidden\.weight.*expected \[32, 784\], found \[12, 784\]/s);
  assert.equal(await page.text('#big'), '4');
});

// As many as src/bin/native.rs has taken of each.
for (const [name, steps] of [['digits', 500], ['digits-cnn', 25]]) {
  test(`after ${steps} steps the parameters of ${name} are those of this machine, bit for bit`, async () => {
    const here = readFileSync(join(folder, `learnt-${name}.safetensors`));
    for (const vectors of [false, true]) {
      const there = await page.evaluate(`(async () => {${KEPT}
        const network = await load('${name}', ${vectors});
        for (let step = 0; step < ${steps}; step += 1) {
          const label = [2, 3].map((part) => ${steps} / 5 * part).indexOf(step);
          if (label >= 0) network.keep(pattern(3 + label), label);
          network.step();
        }
        return Array.from(network.save());
      })()`);
      assert.ok(here.equals(Buffer.from(there)), `vectors: ${vectors}`);
    }
  });
}

test('it begins anew', async () => {
  const same = await page.evaluate(`(async () => {${KEPT}
    const [network, other] = await Promise.all([load(), load()]);
    network.keep(pattern(3), 1);
    for (let step = 0; step < 5; step += 1) network.step();
    network.forget();
    for (const one of [network, other]) for (let step = 0; step < 5; step += 1) one.step();
    return String(network.save()) === String(other.save());
  })()`);
  assert.ok(same);
});

test('a finger draws on a phone, and nothing is cut off', async () => {
  await page.resize(390, 844, true);
  await page.reload();
  await page.until('Ready');
  await page.touch(SEVEN);
  assert.equal(await page.text('#big'), '7');
  await page.screenshot(join(screenshots, 'phone.png'));
  for (const width of [390, 320]) {
    await page.resize(width, 700, true);
    assert.ok(await page.evaluate('document.documentElement.scrollWidth <= innerWidth'), `${width} pixels wide`);
  }
  const small = await page.evaluate("[...document.querySelectorAll('button')].filter((one) => one.getBoundingClientRect().height < 44).length");
  assert.equal(small, 0, 'buttons are large enough for a finger');
});

test('a network with convolutions learns and reads too', async () => {
  page.url += '?network=digits-cnn';
  await page.reload();
  await page.until('Ready');
  const score = Number(/reads (\d+) of 100/.exec(await page.text('#lesson'))[1]);
  assert.ok(score >= 85, `${score} of 100`);
  await page.draw(SEVEN);
  assert.equal(await page.text('#big'), '7');
  assert.match(await page.text('#facts'), /^digits-cnn/);
});
