// A client is as patient as confab says. In a file of its own: it moves the clock, and Node's own client of HTTP must not have older timers.

import assert from 'node:assert/strict';
import { after, before, mock, test } from 'node:test';
import { Confab } from '../../src/web/confab.js';
import { Gate, Redis, Server } from './kit.mjs';

let redis, server, gate;
before(async () => {
  redis = await Redis.start();
  server = await Server.start(redis, { stream_heartbeat_s: 600, request_timeout_ms: 600_000 });
  gate = await Gate.start(server);
});
after(async () => {
  mock.timers.reset();
  gate?.end();
  await server?.end();
  await redis?.end();
});

/** Lets what has arrived be handled, without a clock. */
const settle = async () => {
  for (let turn = 0; turn < 2000; turn++) await new Promise(setImmediate);
};

/** Waits until something has arrived, by the clock that the tests do not move. */
const arrives = async (condition) => {
  const end = performance.now() + 20_000;
  while (!condition() && performance.now() < end) await new Promise(setImmediate);
};

test('a stream may be silent, and a request may take, as long as confab says', async () => {
  mock.timers.enable({ apis: ['setTimeout', 'setInterval', 'Date'], now: Date.now() });
  const patient = new Confab({ base: gate.url, name: 'patient' });
  const [stop, states, types] = [new AbortController(), [], []];
  const following = (async () => {
    const options = { signal: stop.signal, onState: ({ live }) => states.push(live) };
    for await (const { type } of patient.followChat('patient:x', options)) types.push(type);
  })();
  await arrives(() => types.length);
  assert.deepEqual(types, ['open']);
  await settle();
  let release;
  const begun = gate.requests.length;
  gate.answer = ({ url }) => (url.startsWith('/api/pull') ? new Promise((resolve) => (release = resolve)) : undefined);
  const pulling = patient.pull('patient:x');
  await arrives(() => release);
  for (let second = 0; second < 120; second++) {
    mock.timers.tick(1000);
    await new Promise(setImmediate);
  }
  assert.ok(!states.includes(false), 'a stream that was silent for less than a heartbeat was broken off');
  assert.equal(gate.requests.length, begun + 1, 'a request was given up before confab has answered');
  release();
  gate.answer = () => {};
  mock.timers.reset();
  assert.deepEqual((await pulling).messages, []);
  stop.abort();
  await following;
});
