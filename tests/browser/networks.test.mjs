// Networks as they are: proxies that answer in confab's place, answers that get lost, and times that confab sets.

import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { after, afterEach, before, test } from 'node:test';
import { Confab, Problem, keep } from '../../src/web/confab.js';
import { Browser, Gate, Redis, Server, texts, until, write } from './kit.mjs';

let redis, server, gate, browser;
before(async () => {
  [redis, browser] = [await Redis.start(), await Browser.start()];
  server = await Server.start(redis, { idempotency_window_s: 60, stream_heartbeat_s: 600, request_timeout_ms: 600_000 });
  gate = await Gate.start(server);
});
after(async () => {
  gate?.end();
  await Promise.all([browser?.end(), server?.end()]);
  await redis?.end();
});
const now = Date.now;
afterEach(() => {
  Date.now = now;
  gate.answer = () => {};
});

/** What a proxy may answer in confab's place. */
const foreign = [
  { status: 200 },
  { status: 200, type: 'application/json', body: '"Sign in"' },
  { status: 400 },
  { status: 401 },
  { status: 403 },
  { status: 404 },
  { status: 404, type: 'application/json', body: '{"error":"no such route"}' },
  { status: 404, type: 'application/problem+json', body: '{"type":"about:blank","status":404}' },
  { status: 410 },
  { status: 502 },
];

test('what a proxy answers in the place of confab ends no follower, and it says what is wrong', async () => {
  for (const [number, answer] of foreign.entries()) {
    const [chat, stop, messages, states] = [`proxy:${number}`, new AbortController(), [], []];
    const proxy = new Confab({ base: gate.url, name: 'proxy' });
    gate.answer = () => answer;
    const onState = (state) => states.push(state);
    const following = (async () => {
      for await (const event of proxy.followChat(chat, { after: '0', signal: stop.signal, onState })) keep(messages, event);
    })();
    await until(`the follower knows of ${JSON.stringify(answer)}`, () => states.length);
    assert.deepEqual([states[0].live, states[0].problem.status, states[0].problem.own], [false, answer.status, false]);
    assert.match(states[0].problem.message, /on the way to confab/);
    gate.answer = () => {};
    await server.send(chat, 'proxy', 'through');
    proxy.wake();
    await until('it arrives', () => messages.length);
    stop.abort();
    await following;
  }
});

test('a send gets through a proxy that answers in the place of confab', async () => {
  for (const [number, answer] of foreign.entries()) {
    if (answer.body === '"Sign in"') continue;
    const chat = `sender:${number}`;
    const sender = new Confab({ base: gate.url, name: 'sender' });
    gate.answer = () => answer;
    const receipt = await sender.send({ chat, text: 'through' }, { onTry: () => (gate.answer = () => {}) });
    assert.equal(receipt.index, 0, JSON.stringify(answer));
    assert.deepEqual(await server.texts(chat), ['through']);
  }
});

test("confab's own refusals are thrown at once, through a proxy too", async () => {
  const reader = new Confab({ base: gate.url, name: 'reader' });
  await assert.rejects(reader.pull('no chat'), (problem) => problem instanceof Problem && problem.own && problem.status === 400);
  await assert.rejects(reader.followChat('no chat').next(), { status: 400, field: 'chat' });
});

test('a request that hangs is begun anew when the network is back', async () => {
  const waker = new Confab({ base: gate.url, name: 'waker' });
  const begun = gate.requests.length;
  gate.answer = () => new Promise(() => {});
  const sent = waker.send({ chat: 'waker:x', text: 'once' });
  await until('it is under way', () => gate.requests.length > begun);
  gate.answer = () => {};
  waker.wake();
  assert.equal((await sent).index, 0);
  assert.deepEqual(await server.texts('waker:x'), ['once']);
});

test('a send is not repeated when confab may have forgotten its key: it is looked for', async () => {
  const sender = new Confab({ base: gate.url, name: 'Zoë' });
  const later = (seconds) => (Date.now = () => now() + seconds * 1000);
  await sender.send({ chat: 'Zoë:x', text: 'once' });
  // Confab has stored it, and the answer is lost.
  const problems = [];
  gate.answer = () => 'lose';
  const sent = sender.send({ chat: 'Zoë:x', text: 'once' }, { patience: Infinity, onTry: (problem) => problems.push(problem) });
  await until('a try has failed', () => problems.length);
  gate.answer = () => 'cut';
  later(70);
  await redis.forgetKeys();
  gate.answer = () => {};
  sender.wake();
  assert.equal((await sent).index, 1);
  assert.deepEqual(await server.texts('Zoë:x'), ['once', 'once']);
  assert.ok(problems.some(({ stored }) => stored === null));
  Date.now = now;
  // Confab has never had it.
  const tries = [];
  gate.answer = ({ url }) => (url.startsWith('/api/send') ? 'cut' : undefined);
  const lost = sender.send({ chat: 'Zoë:x', text: 'once' }, { patience: Infinity, onTry: (_, began) => tries.push(began) });
  lost.catch(() => {});
  await until('two tries have failed', () => tries.length > 1);
  assert.equal(new Set(tries).size, 1, 'the time of the first try counts');
  later(70);
  gate.answer = () => {};
  sender.wake();
  await assert.rejects(lost, ({ own, stored, message }) => own && stored === null && /nobody knows/.test(message));
  assert.deepEqual(await server.texts('Zoë:x'), ['once', 'once']);
});

test('a send that is told to be refused may be repeated for as long as one likes', async () => {
  const limited = new Confab({ base: gate.url, name: 'limited' });
  const body = JSON.stringify({ type: '/problems/unavailable', status: 503, stored: false });
  const problems = [];
  gate.answer = ({ url }) => (url.startsWith('/api/send') ? { status: 503, type: 'application/problem+json', body } : undefined);
  const sent = limited.send({ chat: 'limited:x', text: 'late' }, { patience: Infinity, onTry: (problem) => problems.push(problem) });
  await until('a try has failed', () => problems.length);
  Date.now = () => now() + 3_600_000;
  gate.answer = () => {};
  limited.wake();
  assert.equal((await sent).index, 0);
});

test('streams that have ended leave nothing behind', async () => {
  const [stop, follower] = [new AbortController(), new Confab({ base: gate.url, name: 'tidy' })];
  const stream = 'retry: 1\nevent: open\nid: 0\ndata: {"epoch":0,"position":"0"}\n\n';
  gate.answer = ({ url }) => (url.startsWith('/api/stream') ? { status: 200, type: 'text/event-stream', body: stream } : undefined);
  let streams = 0;
  for await (const _ of follower.followChat('tidy:x', { signal: stop.signal })) {
    if (++streams > 20) break;
  }
  const left = getEventListeners(stop.signal, 'abort').length;
  assert.ok(left <= 2, `${left} listeners`);
});

test('the page outlives proxies: it asks for no token, and says what is wrong', async () => {
  const page = await browser.person(gate, 'pia', 'quinn');
  await write(page, 'before');
  await until('it is sent', async () => (await server.texts('pia:quinn')).length);
  for (const answer of foreign) {
    // What confab itself may have said is taken for that.
    if (answer.body === '"Sign in"') continue;
    gate.answer = ({ url }) => (url.startsWith('/api/') ? answer : undefined);
    gate.cut();
    await until(`the page says it of ${JSON.stringify(answer)}`, async () => /on the way to confab/.test(await page.locator('#state').textContent()));
    assert.equal(await page.locator('#chat').isVisible(), true, JSON.stringify(answer));
    gate.answer = () => {};
    // It may be well by itself before anybody presses the button.
    await page.evaluate(() => document.querySelector('#state button')?.click());
    await until(`the page is well after ${JSON.stringify(answer)}`, async () => (await page.locator('#state').textContent()) === '');
    const text = `after ${JSON.stringify(answer)}`;
    await server.send('pia:quinn', 'quinn', text);
    await until('it arrives', async () => (await texts(page)).includes(text));
  }
  assert.deepEqual(page.faults, []);
});

test('a mark is set though the chat or the page is left before confab has answered', async () => {
  for (const leave of [(page) => page.goBack(), (page) => page.goto('about:blank'), (page) => page.close()]) {
    await server.send('mark:norma', 'norma', 'read me');
    const page = await browser.person(gate, 'mark');
    await page.getByRole('link', { name: 'norma' }).waitFor();
    let pass;
    const asked = new Promise((resolve) => {
      gate.answer = ({ url }) => {
        if (!url.startsWith('/api/read')) return undefined;
        resolve();
        return new Promise((resolve) => (pass = resolve));
      };
    });
    await page.getByRole('link', { name: 'norma' }).click();
    await asked;
    await leave(page);
    // What is given up by the page is gone by now.
    await new Promise((resolve) => setTimeout(resolve, 300));
    pass();
    const mark = new Confab({ base: server.url, name: 'mark' });
    await until('it is read', async () => (await mark.inbox()).chats[0].unread === 0);
    gate.answer = () => {};
  }
});
