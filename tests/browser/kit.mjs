// What the browser tests stand on: a confab of their own, on a Redis of its own, and people in Chromium.

import { spawn } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer as createProxy, request as ask } from 'node:http';
import { createRequire } from 'node:module';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

const project = fileURLToPath(new URL('../..', import.meta.url));
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** A program that ends with these tests, whatever becomes of them. */
function start(...command) {
  const child = spawn(...command);
  process.on('exit', () => child.kill('SIGKILL'));
  return child;
}

/** Waits until `condition` returns something true, and returns that; fails after 15 s, and says `what` was waited for. */
export async function until(what, condition) {
  const end = Date.now() + 15_000;
  for (;;) {
    let value;
    try {
      value = await condition();
    } catch (why) {
      // A page that is just replaced by another cannot be asked.
      if (!/navigation/.test(why.message)) throw why;
    }
    if (value) return value;
    if (Date.now() > end) throw new Error(`waited in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

/** A redis-server on a port of its own, which keeps its data over `stop` and `start`. */
export class Redis {
  static async start() {
    const redis = new Redis();
    redis.port = await freePort();
    redis.folder = mkdtempSync(join(tmpdir(), 'confab-'));
    await redis.start();
    return redis;
  }

  async start() {
    const options = ['--bind', '127.0.0.1', '--port', this.port, '--dir', this.folder, '--appendonly', 'yes', '--save', ''];
    this.process = start(process.env.REDIS_SERVER || 'redis-server', options.map(String), { stdio: 'ignore' });
    await until('redis-server listens', () => new Promise((resolve) => {
      const socket = connect(this.port, '127.0.0.1');
      socket.on('connect', () => socket.end(resolve(true)));
      socket.on('error', () => resolve(false));
    }));
  }

  async stop() {
    this.process.kill();
    await once(this.process, 'exit');
  }

  /** Forgets all idempotency keys, as it does when their time is over. */
  async forgetKeys() {
    const script = "for _, key in ipairs(redis.call('KEYS', 'confab:*:sent:*')) do redis.call('DEL', key) end";
    const socket = connect(this.port, '127.0.0.1');
    socket.end(`EVAL "${script}" 0\r\nQUIT\r\n`);
    for await (const _ of socket);
  }

  async end() {
    await this.stop();
    rmSync(this.folder, { recursive: true });
  }
}

/** A confab on a free port. `variables` are those of spin.toml. */
export class Server {
  static async start(redis, variables = {}) {
    const server = new Server();
    const options = ['--listen', '127.0.0.1:0', '--redis', `redis://127.0.0.1:${redis.port}`];
    for (const [name, value] of Object.entries(variables)) options.push('--variable', `${name}=${value}`);
    const stdio = ['ignore', 'pipe', process.env.CONFAB_LOG ? 'inherit' : 'ignore'];
    server.process = start(join(process.env.CARGO_TARGET_DIR || join(project, 'target'), 'debug/confab-host'), options, { cwd: project, stdio });
    for await (const line of createInterface({ input: server.process.stdout })) {
      server.url = /http:\S+[0-9]/.exec(line)?.[0];
      if (server.url) return server;
    }
    throw new Error('confab-host stopped');
  }

  /** Sends a message past the page. */
  async send(chat, sender, text) {
    const answer = await fetch(`${this.url}/api/send`, { method: 'POST', body: JSON.stringify({ chat, sender, text }) });
    if (!answer.ok) throw new Error(await answer.text());
  }

  /** All texts of a chat, as confab has them. */
  async texts(chat) {
    const answer = await fetch(`${this.url}/api/pull?${new URLSearchParams({ chat, limit: 1000 })}`);
    return (await answer.json()).messages.map(({ text }) => text);
  }

  async end() {
    this.process.kill('SIGINT');
    await once(this.process, 'exit');
  }
}

/** A proxy between a client and confab. It passes everything on, unless `answer` says otherwise. */
export class Gate {
  /**
   * Receives each request, and returns what the proxy answers in place of confab: `{ status, type, body }`; or 'cut' to drop the
   * connection, 'lose' to pass the request on and drop confab's answer, a promise to wait for; or nothing, to pass it on.
   */
  answer = () => {};
  requests = [];

  static async start(server) {
    const gate = new Gate();
    gate.target = server.url;
    gate.proxy = createProxy((request, response) => gate.#serve(request, response).catch(() => response.destroy()));
    gate.proxy.listen(0, '127.0.0.1');
    await once(gate.proxy, 'listening');
    gate.url = `http://127.0.0.1:${gate.proxy.address().port}`;
    return gate;
  }

  async #serve(request, response) {
    this.requests.push(request);
    const parts = [];
    for await (const part of request) parts.push(part);
    const how = await this.answer(request);
    if (how === 'cut' || request.socket.destroyed) return response.destroy();
    if (how?.status) {
      response.writeHead(how.status, { 'content-type': how.type ?? 'text/html' });
      return response.end(how.body ?? '<title>Sign in</title>');
    }
    const { method, headers, url } = request;
    const passed = ask(this.target + url, { method, headers }, (answer) => {
      if (how === 'lose') return answer.resume().on('end', () => response.destroy());
      response.writeHead(answer.statusCode, answer.headers);
      answer.pipe(response);
      // Whoever waits for the first event must know that the stream is there.
      response.flushHeaders();
    });
    passed.on('error', () => response.destroy());
    response.on('close', () => passed.destroy());
    passed.end(Buffer.concat(parts));
  }

  /** Drops all connections. */
  cut() {
    this.proxy.closeAllConnections();
  }

  end() {
    this.proxy.close();
    this.cut();
  }
}

/** The variables of a confab that knows who calls, by the tokens of `tokenOf`. */
export const identity = { auth: 'required', auth_secret: 'a-secret-of-the-browser-tests-alone' };

/** A token that proves `name` for so many seconds (and 30 more: confab forgives clocks that differ). */
export function tokenOf(name, seconds = 3600) {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const signed = `${part({ alg: 'HS256' })}.${part({ sub: name, exp: Math.floor(Date.now() / 1000) + seconds })}`;
  return `${signed}.${createHmac('sha256', identity.auth_secret).update(signed).digest('base64url')}`;
}

/** Chromium, with a context of its own for each person. */
export class Browser {
  static async start() {
    const browser = new Browser();
    const executablePath = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync);
    browser.chromium = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
    return browser;
  }

  /** A page that is open. Errors of its scripts fail the test that asks `faults`. */
  async open(url, options = {}) {
    const context = await this.chromium.newContext({ viewport: { width: 1000, height: 700 }, ...options });
    const page = await context.newPage();
    page.faults = [];
    page.on('pageerror', ({ message }) => page.faults.push(message));
    page.on('console', (message) => /Content Security|Trusted/.test(message.text()) && page.faults.push(message.text()));
    await page.goto(url);
    return page;
  }

  /** A page on which `name` has come in, in open mode, with the chat with `other` open. */
  async person(server, name, other, options) {
    const page = await this.open(`${server.url}/${other ? `#${new URLSearchParams({ with: other })}` : ''}`, options);
    await page.getByLabel('Your name').fill(name);
    await page.keyboard.press('Enter');
    await page.locator('#chats[aria-busy="false"]').waitFor({ state: 'attached' });
    return page;
  }

  async end() {
    await this.chromium.close();
  }
}

/** Writes a text into the open chat. */
export async function write(page, text) {
  await page.locator('#text').fill(text);
  await page.keyboard.press('Enter');
}

/** The texts of the open chat, in the order of the screen. */
export const texts = (page) => page.locator('#messages p').allTextContents();

/** What axe finds, one line per fault. The page's policy forbids a script tag, so it is evaluated. */
export async function faults(page) {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => axe.run());
  return violations.flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => `${id}: ${html} ${failureSummary}`));
}
