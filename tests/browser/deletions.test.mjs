// Messages that are taken back: on the chat page, and in the arrays of confab.js.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Confab, keep } from '../../src/web/confab.js';
import { Browser, Redis, Server, faults, identity, texts, tokenOf, until, write } from './kit.mjs';

let redis, server, browser;
before(async () => {
  redis = await Redis.start();
  [server, browser] = await Promise.all([Server.start(redis, identity), Browser.start()]);
});
after(async () => {
  await Promise.all([browser?.end(), server?.end()]);
  await redis?.end();
});

const client = (name) => new Confab({ base: server.url, token: () => tokenOf(name) });
const open = (name, other) => browser.open(`${server.url}/#${new URLSearchParams({ token: tokenOf(name), with: other })}`);
const shown = (page, expected) => until(`the page shows ${expected}`, async () => (await texts(page)).join() === expected.join());

test('one takes a message back, after a question, and the other sees it vanish', async () => {
  const [amy, ben] = [await open('amy', 'ben'), await open('ben', 'amy')];
  await write(amy, 'one');
  await write(amy, 'wrong');
  await shown(ben, ['one', 'wrong']);
  await write(ben, 'two');
  await shown(amy, ['one', 'wrong', 'two']);
  // Only one's own.
  assert.equal(await ben.getByRole('button', { name: 'Delete' }).count(), 1);
  const questions = [];
  let answer = false;
  amy.on('dialog', (dialog) => {
    questions.push(dialog.message());
    return answer ? dialog.accept() : dialog.dismiss();
  });
  const button = amy.locator('li', { hasText: 'wrong' }).getByRole('button', { name: 'Delete' });
  await amy.getByText('wrong').hover();
  assert.deepEqual(await faults(amy), []);
  await button.click();
  answer = true;
  await amy.getByText('wrong').hover();
  await button.click();
  await shown(amy, ['one', 'two']);
  await shown(ben, ['one', 'two']);
  assert.deepEqual(questions, ['Delete “wrong” for you and ben?', 'Delete “wrong” for you and ben?']);
  await until('the list has the newest left', async () => (await ben.locator('#chats').innerText()).includes('two'));
  await amy.reload();
  await shown(amy, ['one', 'two']);
  assert.deepEqual([...amy.faults, ...ben.faults], []);
});

test('who was away never sees what was taken back, and an open deployment has no button', async () => {
  const cat = client('cat');
  const dot = await open('dot', 'cat');
  const sent = [];
  for (const text of ['a', 'b', 'c']) sent.push(await cat.send({ chat: 'cat:dot', text }));
  await shown(dot, ['a', 'b', 'c']);
  await dot.context().setOffline(true);
  const { epoch } = await cat.pull('cat:dot');
  await cat.delete({ chat: 'cat:dot', epoch, ...sent[1] });
  await cat.send({ chat: 'cat:dot', text: 'd' });
  await dot.context().setOffline(false);
  await shown(dot, ['a', 'c', 'd']);
  const anybody = await Server.start(redis);
  const page = await browser.person(anybody, 'cat', 'dot');
  await shown(page, ['a', 'c', 'd']);
  assert.equal(await page.getByRole('button', { name: 'Delete' }).count(), 0);
  await anybody.end();
});

test('keep has what the chat has, whatever comes first', async () => {
  const [eve, fox] = [client('eve'), client('fox')];
  for (let number = 0; number < 12; number++) await eve.send({ chat: 'eve:fox', text: `${number}` });
  const page = await fox.pull('eve:fox', { limit: 100 });
  const older = await fox.pull('eve:fox', { limit: 4 });
  const followed = [];
  const events = fox.followChat('eve:fox', { after: page.position });
  const { epoch } = (await events.next()).value.data;
  const lazy = [];
  for (const index of [2, 7, 11]) {
    const { send_time } = page.messages[index];
    await eve.delete({ chat: 'eve:fox', epoch, index, send_time });
    const { value } = await events.next();
    assert.deepEqual(value.data, { epoch, index, send_time, by: 'eve' });
    keep(lazy, value);
    followed.push(value);
  }
  await events.return();
  // An older page that was read before the deletion comes after it.
  keep(lazy, { type: 'page', data: older });
  assert.deepEqual(lazy.map(({ text }) => text), ['0', '1', '3']);
  const whole = [];
  keep(whole, { type: 'page', data: page });
  for (const event of followed) keep(whole, event);
  const left = (await fox.pull('eve:fox', { limit: 100 })).messages;
  assert.deepEqual(whole, left);
  // By pages alone.
  const pulled = [];
  keep(pulled, { type: 'page', data: page });
  const later = await fox.pull('eve:fox', { after: page.position });
  assert.equal(later.deleted.length, 3);
  keep(pulled, { type: 'page', data: later });
  assert.deepEqual(pulled, left);
  // Below a gap nothing is certain, and a reset voids what it names.
  keep(pulled, { type: 'gap', data: { from: 1, first_index: 5 } });
  assert.equal(pulled[0].index, 5);
  keep(pulled, { type: 'reset', data: { epoch, index: 7 } });
  keep(pulled, { type: 'message', data: page.messages[7] });
  assert.deepEqual(pulled.map(({ index }) => index), [5, 6, 7]);
});

test('a message that is not there, or not one\'s own, cannot be taken back', async () => {
  const [gus, hal] = [client('gus'), client('hal')];
  const { index, send_time } = await gus.send({ chat: 'gus:hal', text: 'mine' });
  const { epoch } = await gus.pull('gus:hal');
  const message = { chat: 'gus:hal', epoch, index, send_time };
  await assert.rejects(hal.delete(message), { status: 403, field: 'index' });
  await assert.rejects(gus.delete({ ...message, send_time: send_time + 1 }), { status: 409 });
  await assert.rejects(gus.delete({ ...message, index: 1 }), { status: 410 });
  assert.deepEqual(await gus.delete(message), { deleted: true });
});
