// Blocks, mutes and data on the chat page and in confab.js.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Confab, keep } from '../../src/web/confab.js';
import { Browser, Redis, Server, faults, texts, until, write } from './kit.mjs';

let redis, server, browser;
before(async () => {
  redis = await Redis.start();
  [server, browser] = await Promise.all([Server.start(redis), Browser.start()]);
});
after(async () => {
  await Promise.all([browser?.end(), server?.end()]);
  await redis?.end();
});

const said = (page, text) => until(`the page shows "${text}"`, async () => (await texts(page)).includes(text));
const banner = (page) => page.locator('#blocked');

test('who is blocked learns it by writing, and who blocks sees it and takes it back', async () => {
  await server.send('ada:bob', 'bob', 'hello');
  const [ada, bob] = [await browser.person(server, 'ada', 'bob'), await browser.person(server, 'bob', 'ada')];
  await said(ada, 'hello');
  await said(bob, 'hello');
  assert.ok(await banner(ada).isHidden());
  await ada.getByLabel('Menu').click();
  assert.match(await ada.locator('#menu').innerText(), /Block bob can write no longer/);
  assert.deepEqual(await faults(ada), []);
  await ada.getByRole('button', { name: 'Block' }).click();
  await until('ada sees the block', async () => (await banner(ada).innerText()) === 'You have blocked bob. Unblock');
  assert.deepEqual(await faults(ada), []);
  assert.ok(await banner(bob).isHidden());
  await write(bob, 'are you there?');
  await until('bob learns it', async () => /Not sent: .*does not take messages/.test(await bob.locator('#messages').innerText()));
  // Who has blocked may write.
  await write(ada, 'later');
  await said(bob, 'later');
  await ada.reload();
  await until('the block is there after a reload', async () => (await banner(ada).innerText()).startsWith('You have blocked bob'));
  await banner(ada).getByRole('button', { name: 'Unblock' }).click();
  await until('the block is gone', () => banner(ada).isHidden());
  await bob.getByRole('button', { name: 'Try again' }).click();
  await said(ada, 'are you there?');
  assert.deepEqual(await server.texts('ada:bob'), ['hello', 'later', 'are you there?']);
  assert.deepEqual([...ada.faults, ...bob.faults], []);
});

test('a muted chat does not count in the title, on any device', async () => {
  await server.send('cleo:dan', 'dan', 'one');
  const [one, other] = [await browser.person(server, 'cleo'), await browser.person(server, 'cleo', 'dan')];
  await until('it counts', async () => (await other.locator('#messages p').count()) === 1);
  await other.getByLabel('Menu').click();
  await other.getByRole('button', { name: 'Mute' }).click();
  await other.getByRole('button', { name: 'Unmute' }).waitFor();
  await other.context().close();
  await server.send('cleo:dan', 'dan', 'two');
  await until('it is unread', async () => /two\s*[12]$/m.test(await one.locator('#chats').innerText()));
  assert.equal(await one.title(), 'confab');
});

test('one cannot be blocked by oneself, and a chat without messages has no menu', async () => {
  const page = await browser.person(server, 'emil', 'emil');
  await write(page, 'note');
  await said(page, 'note');
  await page.getByLabel('Menu').click();
  await page.getByRole('button', { name: 'Mute' }).waitFor();
  assert.equal(await page.getByRole('button', { name: 'Block' }).count(), 0);
  const empty = await browser.person(server, 'emil', 'nobody');
  await empty.getByText('Say hello to').waitFor();
  assert.ok(await empty.locator('#menu').isHidden());
});

test('a message with data and no text is shown as what it is, and loads nothing', async () => {
  const fay = new Confab({ base: server.url, name: 'fay' });
  await fay.send({ chat: 'fay:gil', data: { type: 'photo <b>', url: 'https://example.org/1.jpg' } });
  await fay.send({ chat: 'fay:gil', data: { url: ['https://example.org/2.jpg'], type: 7 } });
  await fay.send({ chat: 'fay:gil', text: 'with words', data: { type: 'photo' } });
  const page = await browser.person(server, 'gil', undefined);
  const asked = [];
  page.on('request', (request) => asked.push(request.url()));
  await page.getByRole('link', { name: 'fay' }).click();
  await said(page, 'with words');
  assert.deepEqual(await texts(page), ['Attachment: photo <b>', 'Attachment', 'with words']);
  await fay.send({ chat: 'fay:gil', data: { type: 'big', blob: 'x'.repeat(1000) } });
  await said(page, 'Attachment: big');
  await until('the list says so', async () => (await page.locator('#chats').innerText()).includes('Attachment'));
  assert.ok(asked.every((url) => url.startsWith(server.url)), asked.join());
  assert.deepEqual(page.faults, []);
});

test('confab.js sets, sends data once, and keeps it', async () => {
  const confab = new Confab({ base: server.url, name: 'hal' });
  const data = { n: [1, { a: null }], type: 'x' };
  const { index, key } = await confab.send({ chat: 'hal:ida', text: 'hi', data });
  assert.equal((await confab.send({ chat: 'hal:ida', text: 'hi', data, key })).index, index);
  await assert.rejects(confab.send({ chat: 'hal:ida', text: 'hi', key }), { status: 422 });
  await assert.rejects(confab.send({ chat: 'hal:ida', data: [] }), { status: 400, field: 'data' });
  const messages = [];
  for await (const event of confab.followChat('hal:ida', { after: '0' })) {
    keep(messages, event);
    if (messages.length) break;
  }
  assert.deepEqual(messages[0].data, data);
  assert.deepEqual(await confab.set('hal:ida', { muted: true }), { chat: 'hal:ida', blocked: false, muted: true, open: false });
  assert.deepEqual(await confab.set('hal:ida', { open: true }), { chat: 'hal:ida', open: true });
  assert.equal((await confab.inbox()).chats[0].muted, true);
});

test('what was refused stays until one goes on, though messages come', async () => {
  await server.send('jim:kai', 'kai', 'hello');
  const page = await browser.person(server, 'jim', 'kai');
  await said(page, 'hello');
  await page.evaluate((name) => (location.hash = `with=${name}`), 'x'.repeat(65));
  const refused = async () => /64/.test(await page.locator('#state').textContent());
  await until('the state says why', refused);
  await server.send('jim:kai', 'kai', 'more');
  await until('the message is there', async () => (await page.locator('#chats').innerText()).includes('more'));
  assert.ok(await refused());
  await page.getByRole('link', { name: 'kai' }).click();
  await said(page, 'more');
  assert.ok(!(await refused()));
});
