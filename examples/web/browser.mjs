// A browser without a window, told what to do by the DevTools protocol; and a server for the page's files.

import { spawn } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';

const KINDS = { '.html': 'text/html', '.css': 'text/css', '.js': 'text/javascript', '.wasm': 'application/wasm' };

// Serves the files of a folder on this machine alone.
export async function serve(folder) {
  const server = createServer(async (request, response) => {
    const path = normalize(new URL(request.url, 'http://here').pathname).replace(/\/$/, '/index.html');
    try {
      const body = await readFile(join(folder, path));
      response.writeHead(200, { 'content-type': KINDS[extname(path)] ?? 'application/octet-stream' }).end(body);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  return server;
}

export class Browser {
  // Starts Chromium, which keeps its files and downloads in a folder.
  static async start(folder) {
    const profile = join(folder, 'profile');
    const flags = ['--headless=new', '--no-sandbox', '--disable-gpu', '--no-first-run', '--hide-scrollbars', '--remote-debugging-port=0', `--user-data-dir=${profile}`];
    const process = spawn('chromium', [...flags, 'about:blank'], { stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    const address = await new Promise((found, failed) => {
      const timer = setTimeout(() => failed(new Error(`Chromium did not start:\n${said}`)), 60_000);
      process.stderr.on('data', (text) => {
        said += text;
        const place = /DevTools listening on (ws:\S+)/.exec(said);
        if (place) {
          clearTimeout(timer);
          found(place[1]);
        }
      });
      process.on('exit', () => failed(new Error(`Chromium ended:\n${said}`)));
    });
    const socket = new WebSocket(address);
    await new Promise((open, failed) => Object.assign(socket, { onopen: open, onerror: failed }));
    const browser = Object.assign(new Browser(), { process, socket, waiting: new Map(), last: 0 });
    socket.onmessage = ({ data }) => {
      const { id, result, error } = JSON.parse(data);
      const { done, failed } = browser.waiting.get(id) ?? {};
      browser.waiting.delete(id);
      if (error) failed?.(new Error(error.message));
      else done?.(result);
    };
    await browser.send('Browser.setDownloadBehavior', { behavior: 'allow', downloadPath: folder });
    return browser;
  }

  send(method, params = {}, sessionId = undefined) {
    const id = ++this.last;
    this.socket.send(JSON.stringify({ id, method, params, sessionId }));
    return new Promise((done, failed) => this.waiting.set(id, { done, failed }));
  }

  async page(url, width, height) {
    const { targetId } = await this.send('Target.createTarget', { url: 'about:blank' });
    const { sessionId } = await this.send('Target.attachToTarget', { targetId, flatten: true });
    const page = new Page(this, sessionId, url);
    await page.resize(width, height, false);
    await page.reload();
    return page;
  }

  stop() {
    this.socket.close();
    this.process.kill();
  }
}

class Page {
  constructor(browser, session, url) {
    Object.assign(this, { browser, session, url });
  }

  send(method, params) {
    return this.browser.send(method, params, this.session);
  }

  async reload() {
    await this.send('Page.navigate', { url: this.url });
    for (let i = 0; i < 200; i += 1) {
      if (await this.evaluate("document.readyState === 'complete' && !!document.querySelector('#labels button')")) return;
      await pause(50);
    }
    throw new Error('the page does not load');
  }

  async evaluate(expression) {
    const { result, exceptionDetails } = await this.send('Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true });
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    return result.value;
  }

  text(selector) {
    return this.evaluate(`document.querySelector(${JSON.stringify(selector)}).textContent`);
  }

  // Waits until an element says something.
  async until(text, selector = '#lesson') {
    let found;
    for (let i = 0; i < 600; i += 1) {
      found = await this.text(selector);
      if (found.startsWith(text)) return;
      await pause(50);
    }
    throw new Error(`expected \`${text}\`, found \`${found}\`, and \`${await this.text('#fault')}\``);
  }

  resize(width, height, mobile) {
    return this.send('Emulation.setDeviceMetricsOverride', { width, height, mobile, deviceScaleFactor: 1 });
  }

  // Where an element is, after it has been scrolled into view.
  box(selector) {
    return this.evaluate(`(() => {
      const one = document.querySelector(${JSON.stringify(selector)});
      one.scrollIntoView({ block: 'center' });
      const { left, top, width, height } = one.getBoundingClientRect();
      return { left, top, width, height };
    })()`);
  }

  mouse(type, x, y) {
    return this.send('Input.dispatchMouseEvent', { type, x, y, button: 'left', buttons: type === 'mouseReleased' ? 0 : 1, clickCount: 1 });
  }

  async click(selector) {
    const { left, top, width, height } = await this.box(selector);
    await this.mouse('mousePressed', left + width / 2, top + height / 2);
    await this.mouse('mouseReleased', left + width / 2, top + height / 2);
  }

  // The points of a stroke, close to each other, in pixels of the window.
  async points(stroke) {
    const { left, top, width, height } = await this.box('#ink');
    const place = ([x, y]) => ({ x: left + x * width, y: top + y * height });
    const all = [place(stroke[0])];
    for (const [i, to] of stroke.slice(1).map(place).entries()) {
      const from = place(stroke[i]);
      for (let k = 1; k <= 5; k += 1) all.push({ x: from.x + ((to.x - from.x) * k) / 5, y: from.y + ((to.y - from.y) * k) / 5 });
    }
    return all;
  }

  async draw(strokes) {
    for (const stroke of strokes) {
      const points = await this.points(stroke);
      await this.mouse('mousePressed', points[0].x, points[0].y);
      for (const { x, y } of points.slice(1)) await this.mouse('mouseMoved', x, y);
      await this.mouse('mouseReleased', points.at(-1).x, points.at(-1).y);
    }
  }

  async touch(strokes) {
    for (const stroke of strokes) {
      const points = await this.points(stroke);
      await this.send('Input.dispatchTouchEvent', { type: 'touchStart', touchPoints: [points[0]] });
      for (const point of points.slice(1)) await this.send('Input.dispatchTouchEvent', { type: 'touchMove', touchPoints: [point] });
      await this.send('Input.dispatchTouchEvent', { type: 'touchEnd', touchPoints: [] });
    }
  }

  async key(key) {
    const code = { Tab: 9, Backspace: 8, ArrowUp: 38, ArrowDown: 40 }[key] ?? key.charCodeAt(0);
    const common = { key, windowsVirtualKeyCode: code };
    await this.send('Input.dispatchKeyEvent', { type: 'rawKeyDown', ...common });
    await this.send('Input.dispatchKeyEvent', { type: 'keyUp', ...common });
  }

  async upload(selector, file) {
    const { root } = await this.send('DOM.getDocument');
    const { nodeId } = await this.send('DOM.querySelector', { nodeId: root.nodeId, selector });
    await this.send('DOM.setFileInputFiles', { files: [file], nodeId });
  }

  // Roles and names as a screen reader finds them.
  async accessible() {
    const { nodes } = await this.send('Accessibility.getFullAXTree');
    return nodes.filter((node) => !node.ignored).map(({ role, name }) => ({ role: role?.value, name: name?.value }));
  }

  async screenshot(file) {
    const { data } = await this.send('Page.captureScreenshot', { format: 'png', captureBeyondViewport: true });
    await writeFile(file, Buffer.from(data, 'base64'));
  }
}

const pause = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));
