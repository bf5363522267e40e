// docs/guide.md: its files, as they stand there, are an app of another origin in which two people chat.

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Browser, Redis, Server, until } from './kit.mjs';

const guide = readFileSync(new URL('../../docs/guide.md', import.meta.url), 'utf8');
const secret = /AUTH_SECRET=(\S+)/.exec(guide)[1];

const programs = { 'app.mjs': process.execPath, 'app.py': 'python3' };
const files = Object.keys(programs);

let redis, browser, confab;
const ports = {};
before(async () => {
  [redis, browser] = await Promise.all([Redis.start(), Browser.start()]);
  for (const file of files) ports[file] = await freePort();
  const cors_origins = files.map((file) => originOf(file)).join(' ');
  confab = await Server.start(redis, { auth: 'required', auth_secret: secret, cors_origins });
});
after(async () => {
  await Promise.all([browser?.end(), confab?.end()]);
  await redis?.end();
});

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

const originOf = (file) => `http://127.0.0.1:${ports[file]}`;
const answers = (url) => fetch(url).then(({ ok }) => ok, () => false);
const rows = (page) => page.locator('li').allTextContents();

/** Does what the guide says with the app's `file`, and has its two people write to each other. */
async function follow(file) {
  const folder = mkdtempSync(join(tmpdir(), 'confab-guide-'));
  for (const [, name, code] of guide.matchAll(/^`([a-z.]+)`:\n\n```\w+\n(.*?)^```$/gms)) {
    writeFileSync(join(folder, name), code.replaceAll('http://127.0.0.1:3000', confab.url));
  }
  const env = { ...process.env, SECRET: secret, PORT: ports[file] };
  const app = spawn(programs[file], [file], { cwd: folder, env, stdio: ['ignore', 'ignore', 'inherit'] });
  try {
    const origin = originOf(file);
    await until(`${file} serves the page`, () => app.exitCode ?? answers(origin));
    const [ann, ben] = await Promise.all(['ann', 'ben'].map((name) => browser.open(`${origin}/#session-of-${name}`)));
    const said = [];
    for (const [page, name] of [[ann, 'ann'], [ben, 'ben'], [ann, 'ann']]) {
      const text = `by ${file}, ${said.length}`;
      said.push(`${name}: ${text}`);
      await page.getByLabel('Message').fill(text);
      await page.getByRole('button', { name: 'Send' }).click();
      for (const reader of [ann, ben]) await until(`both see ${text}`, async () => (await rows(reader)).includes(said.at(-1)));
    }
    for (const page of [ann, ben]) {
      assert.deepEqual((await rows(page)).filter((row) => row.includes(file)), said);
      assert.deepEqual(page.faults, []);
    }
    const stranger = await fetch(`${origin}/token`, { headers: { Authorization: 'session-of-nobody' } });
    assert.equal(stranger.status, 404);
  } finally {
    app.kill();
    rmSync(folder, { recursive: true });
  }
}

test('two people chat in the app of the guide, in Node', () => follow('app.mjs'));

test('two people chat in the app of the guide, in Python', async (t) => {
  if (spawnSync('python3', ['--version']).status !== 0) {
    console.error("####  THE GUIDE'S APP IN PYTHON WAS NOT TRIED: python3 is not there.  ####");
    return t.skip('python3 is not there');
  }
  await follow('app.py');
});
