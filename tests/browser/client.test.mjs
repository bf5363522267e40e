// confab.js without a page: this process imports it as an app's author would.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Confab, Problem, keep, keepChats } from '../../src/web/confab.js';
import { Redis, Server, identity, tokenOf, until } from './kit.mjs';

let redis, server;
before(async () => {
  redis = await Redis.start();
  server = await Server.start(redis, { stream_lifetime_s: 1 });
});
after(async () => {
  await server?.end();
  await redis?.end();
});

test('while Redis comes and goes, each send is stored once, and followers have all in order', async () => {
  const chat = 'alice:bob';
  const [alice, bob] = ['alice', 'bob'].map((name) => new Confab({ base: server.url, name }));
  const stop = new AbortController();
  const [messages, chats, states] = [[], [], new Set()];
  const following = Promise.all([
    (async () => {
      const onState = ({ live }) => states.add(live);
      for await (const event of bob.followChat(chat, { after: '0', signal: stop.signal, onState })) keep(messages, event);
    })(),
    (async () => {
      for await (const event of bob.followInbox({ signal: stop.signal })) keepChats(chats, event);
    })(),
  ]);
  const expected = Array.from({ length: 60 }, (_, number) => `message ${number}`);
  let failures = 0;
  const sending = Promise.all(expected.map((text) => alice.send({ chat, text }, { onTry: () => failures++ })));
  for (let round = 0; round < 3; round++) {
    const reached = messages.length;
    await until('some arrive', () => messages.length > reached || messages.length === expected.length);
    await redis.stop();
    await until('a try fails, or all are sent', () => failures > round || messages.length === expected.length);
    await redis.start();
    alice.wake();
    bob.wake();
  }
  const receipts = await sending;
  await until('the follower has all', () => messages.length >= expected.length);
  assert.deepEqual(messages.map(({ text }) => text), expected);
  assert.deepEqual(receipts.map(({ index }) => index), expected.map((_, number) => number));
  await until('the inbox has the last', () => chats[0]?.last.text === expected.at(-1));
  assert.equal(chats[0].unread, 60);
  const { position } = await bob.pull(chat, { reverse: true, limit: 1 });
  assert.equal((await bob.read(chat, position)).unread, 0);
  await until('the inbox knows that it is read', () => chats[0].unread === 0);
  assert.ok(states.has(true));
  stop.abort();
  await following;
  console.log(`60 sends, ${failures} failed tries, 3 outages: lost 0, doubled 0`);
});

test('the same key is the same message; a refusal is thrown at once, and holds nobody up', async () => {
  const zoe = new Confab({ base: server.url, name: 'zoe' });
  const [chat, key] = ['zoe:yan', 'k1'];
  const [first, again] = [await zoe.send({ chat, text: 'once', key }), await zoe.send({ chat, text: 'once', key })];
  assert.equal(again.index, first.index);
  const refused = zoe.send({ chat, text: '' });
  const next = zoe.send({ chat, text: 'next' });
  await assert.rejects(refused, (problem) => problem instanceof Problem && problem.status === 400 && problem.field === 'text');
  assert.equal((await next).index, 1);
  await assert.rejects(async () => {
    for await (const _ of zoe.followChat('no chat')) assert.fail();
  }, { status: 400, field: 'chat' });
});

test('a token that expires is replaced, and nothing is lost meanwhile', async () => {
  const guarded = await Server.start(redis, identity);
  try {
    const refused = [];
    let token = tokenOf('ida', -28);
    const ida = new Confab({
      base: guarded.url,
      token: (old) => {
        if (old === token) {
          refused.push(old);
          token = tokenOf('ida', refused.length < 2 ? -28 : 3600);
        }
        return token;
      },
    });
    const jon = new Confab({ base: guarded.url, token: () => tokenOf('jon') });
    const [messages, stop] = [[], new AbortController()];
    const following = (async () => {
      for await (const event of ida.followChat('ida:jon', { after: '0', signal: stop.signal })) keep(messages, event);
    })();
    const expected = [];
    while (refused.length < 2) {
      expected.push(`message ${expected.length}`);
      await jon.send({ chat: 'ida:jon', text: expected.at(-1), sender: 'jon' });
    }
    await until('all arrive', () => messages.length >= expected.length);
    assert.deepEqual(messages.map(({ text }) => text), expected);
    const { name, auth } = await ida.me();
    assert.deepEqual({ name, auth }, { name: 'ida', auth: 'required' });
    stop.abort();
    await following;
    // One who has no other token learns that it has expired.
    const once = tokenOf('ida', -28);
    const ended = new Confab({ base: guarded.url, token: (old) => (old === once ? undefined : once) });
    await assert.rejects(async () => {
      for await (const event of ended.followInbox()) assert.equal(event.type, 'inbox');
    }, { status: 401 });
    const [forged, other] = [new Confab({ base: guarded.url, token: () => 'x' }), new Confab({ base: guarded.url, token: () => tokenOf('kay') })];
    await assert.rejects(forged.send({ chat: 'ida:jon', text: 'no' }), { status: 401, type: '/problems/unauthenticated' });
    await assert.rejects(other.pull('ida:jon'), { status: 403, type: '/problems/forbidden' });
  } finally {
    await guarded.end();
  }
});

test('events are kept as the chat has them', () => {
  const messages = [0, 1, 2, 3, 4].map((index) => ({ index }));
  const indexes = () => messages.map(({ index }) => index);
  keep(messages, { type: 'open', data: { position: '0' } });
  keep(messages, { type: 'gap', data: { from: 0, first_index: 2 } });
  assert.deepEqual(indexes(), [2, 3, 4]);
  keep(messages, { type: 'reset', data: { index: 4 } });
  keep(messages, { type: 'message', data: { index: 4 } });
  assert.deepEqual(indexes(), [2, 3, 4]);
  keep(messages, { type: 'reset', data: { index: 0 } });
  assert.deepEqual(indexes(), []);
});
