// The chat page, in a real browser on a real confab.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Browser, Redis, Server, faults, identity, texts, tokenOf, until, write } from './kit.mjs';

let redis, server, browser;
before(async () => {
  redis = await Redis.start();
  [server, browser] = await Promise.all([Server.start(redis), Browser.start()]);
});
after(async () => {
  await Promise.all([browser?.end(), server?.end()]);
  await redis?.end();
});

/** The state under the last message, like "12:00 Sent". */
const state = (page) => page.locator('#messages small').last().textContent();
const said = (page, text) => until(`the page shows "${text}"`, async () => (await texts(page)).includes(text));
const list = (page) => page.locator('#chats').innerText();

test('two people talk: unread counts, live messages, "seen"', async () => {
  const alice = await browser.person(server, 'Alice', 'bob');
  await write(alice, 'Hi Bob');
  await until('it is sent', async () => (await state(alice)).endsWith('Sent'));
  const bob = await browser.person(server, 'bob');
  await until('bob has one unread', async () => /alice[^]*Hi Bob\s*1/.test(await list(bob)));
  assert.equal(await bob.title(), '(1) confab');
  assert.ok((await state(alice)).endsWith('Sent'));
  await bob.getByRole('link', { name: 'alice' }).click();
  await said(bob, 'Hi Bob');
  await until('alice knows that it is seen', async () => (await state(alice)).endsWith('Seen'));
  await until('bob has nothing unread', async () => (await bob.title()) === 'confab');
  await write(bob, 'Hi Alice');
  await said(alice, 'Hi Alice');
  await write(alice, 'two\nlines');
  await said(bob, 'two\nlines');
  assert.deepEqual(await texts(alice), ['Hi Bob', 'Hi Alice', 'two\nlines']);
  assert.deepEqual(await texts(bob), await texts(alice));
  assert.deepEqual([...alice.faults, ...bob.faults], []);
});

test('a text with markup stays text', async () => {
  const markup = '<img src=x onerror="document.title=1"><b>bold</b> &amp; <script>document.title=2</script>';
  await server.send('mallory:victim', 'mallory', markup);
  const victim = await browser.person(server, 'victim', 'mallory');
  await said(victim, markup);
  assert.ok((await list(victim)).includes('<img src=x'));
  assert.equal(await victim.locator('img, #messages b, #messages script').count(), 0);
  assert.match(await victim.title(), /confab$/);
  assert.deepEqual(victim.faults, []);
});

test('the network goes away and comes back: nothing lost, nothing doubled', async () => {
  const [ann, ben] = [await browser.person(server, 'ann', 'ben'), await browser.person(server, 'ben', 'ann')];
  await write(ann, 'before');
  await said(ben, 'before');
  const sent = ['before'];
  for (const round of [1, 2]) {
    await ann.context().setOffline(true);
    await until('ann sees that she is offline', async () => (await ann.locator('#state').innerText()).startsWith('Offline'));
    for (let number = 0; number < 5; number++) {
      await write(ann, `ann ${round}.${number}`);
      await write(ben, `ben ${round}.${number}`);
      sent.push(`ann ${round}.${number}`, `ben ${round}.${number}`);
    }
    assert.equal(await ann.locator('.waits').count(), 5);
    await said(ben, `ben ${round}.4`);
    // What is not sent yet outlives the page.
    if (round === 2) {
      await ann.context().setOffline(false);
      await ann.reload();
    } else await ann.context().setOffline(false);
    await until('ann has sent all', async () => (await ann.locator('.waits').count()) === 0 && (await texts(ann)).length === sent.length);
    await until('ben has all', async () => (await texts(ben)).length === sent.length);
  }
  const stored = await server.texts('ann:ben');
  assert.deepEqual([...stored].sort(), [...sent].sort());
  assert.deepEqual(await texts(ann), stored);
  assert.deepEqual(await texts(ben), stored);
  const own = stored.filter((text) => text.startsWith('ann'));
  assert.deepEqual(own, [...own].sort());
  assert.deepEqual([...ann.faults, ...ben.faults], []);
});

test('a reload keeps the place, and history loads on the way up', async () => {
  for (let number = 0; number < 180; number++) await server.send('rita:saul', number % 3 ? 'rita' : 'saul', `message ${number}`);
  const rita = await browser.person(server, 'rita', 'saul');
  await said(rita, 'message 179');
  assert.ok((await texts(rita)).length < 100);
  const place = () => rita.evaluate(() => {
    const top = document.getElementById('log').getBoundingClientRect().top;
    return [...document.querySelectorAll('#messages p')].find((text) => text.getBoundingClientRect().top >= top - 1).textContent;
  });
  await until('all of it is there', async () => {
    await rita.locator('#log').evaluate((log) => (log.scrollTop = 0));
    return (await texts(rita)).length === 180;
  });
  assert.deepEqual(await texts(rita), await server.texts('rita:saul'));
  await rita.locator('#messages li', { hasText: /^message 57/ }).evaluate((item) => item.scrollIntoView());
  await rita.locator('#text').fill('not sent');
  const before = await place();
  await rita.reload();
  await until('the place is there again', async () => (await rita.locator('#messages p').count()) && (await place()) === before);
  assert.equal(await rita.locator('#text').inputValue(), 'not sent');
  await server.send('rita:saul', 'saul', 'a new one');
  await rita.getByRole('button', { name: 'New messages' }).click();
  await said(rita, 'a new one');
  assert.deepEqual(rita.faults, []);
});

test('a list of more chats than a page keeps them all, in one order', async () => {
  const others = Array.from({ length: 45 }, (_, number) => `other ${String(number).padStart(2, '0')}`);
  for (const other of others) await server.send(`zed:${other}`, other, `from ${other}`);
  const zed = await browser.person(server, 'zed');
  const rows = () => zed.locator('#chats b').allTextContents();
  const inbox = async () => (await (await fetch(`${server.url}/api/inbox?name=zed&limit=100`)).json()).chats;
  const same = async () => JSON.stringify(await rows()) === JSON.stringify((await inbox()).map((chat) => chat.with));
  await until('the first page is there', async () => (await rows()).length === 20);
  assert.equal(await zed.title(), '(20+) confab');
  await zed.getByRole('button', { name: 'Older chats' }).click();
  await until('all are there', async () => (await rows()).length === 45);
  assert.equal(await zed.title(), '(45) confab');
  await server.send('zed:other 03', 'other 03', 'moves up');
  await until('one has moved up', same);
  assert.equal((await rows())[0], 'other 03');
  // A new whole event, as after an outage, drops none of them, nor the one that is open.
  await zed.getByRole('link', { name: 'other 07' }).click();
  await until('it is read', async () => (await zed.title()) === '(45) confab');
  await redis.stop();
  await until('the page knows of the outage', async () => (await zed.locator('#state').textContent()) !== '');
  await redis.start();
  await server.send('zed:other 05', 'other 05', 'after the outage');
  await zed.evaluate(() => document.querySelector('#state button')?.click());
  await until('the page is well', async () => (await rows())[0] === 'other 05');
  await until('all are there in order', same);
  assert.equal(await zed.locator('#chats [aria-current] b').textContent(), 'other 07');
  await until('the title counts all', async () => (await zed.title()) === '(46) confab');
  assert.deepEqual(zed.faults, []);
});

test('a chat that is not among the rows is read like any other, and seen', async () => {
  await server.send('yan:old friend', 'old friend', 'long ago');
  for (let number = 0; number < 25; number++) await server.send(`yan:${number}`, `${number}`, 'hi');
  const entry = async () => (await (await fetch(`${server.url}/api/inbox?name=yan&limit=100`)).json()).chats.find((chat) => chat.with === 'old friend');
  assert.equal((await entry()).unread, 1);
  const yan = await browser.person(server, 'yan', 'Old Friend');
  await said(yan, 'long ago');
  await until('it is read', async () => (await entry()).unread === 0);
  assert.equal(await yan.locator('#chats li').count(), 21);
  assert.equal(await yan.locator('#chats [aria-current] b').textContent(), 'old friend');
  await server.send('yan:old friend', 'old friend', 'and now');
  await said(yan, 'and now');
  await until('it is read', async () => (await entry()).unread === 0);
  const friend = await browser.person(server, 'old friend', 'yan');
  await write(friend, 'seen?');
  await until('it is seen', async () => (await state(friend)).endsWith('Seen'));
});

test('the keyboard is enough', async () => {
  const page = await browser.open(server.url);
  await page.getByLabel('Your name').waitFor();
  await page.keyboard.type('kim');
  await page.keyboard.press('Enter');
  await page.locator('#none').waitFor();
  for (const name of ['Leave', 'Write to']) {
    await page.keyboard.press('Tab');
    const focused = await page.evaluate(() => document.activeElement.labels?.[0]?.textContent || document.activeElement.textContent);
    assert.equal(focused, name);
  }
  await page.keyboard.type('lee');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'lee' }).waitFor();
  await page.keyboard.type('hello');
  await page.keyboard.press('Shift+Enter');
  await page.keyboard.type('lee');
  await page.keyboard.press('Enter');
  await until('it is sent', async () => (await state(page)).endsWith('Sent'));
  assert.deepEqual(await server.texts('kim:lee'), ['hello\nlee']);
  await page.keyboard.press('Shift+Tab');
  assert.equal(await page.evaluate(() => document.activeElement.id), 'log');
  assert.deepEqual(page.faults, []);
});

test('with identity, the page asks for a token, takes it out of the address, and asks again if it expires', async () => {
  const guarded = await Server.start(redis, identity);
  try {
    const page = await browser.open(guarded.url);
    await page.getByLabel('Your token').fill('no token');
    await page.keyboard.press('Enter');
    await page.locator('#why.bad').waitFor();
    assert.deepEqual(await faults(page), []);
    const [amy, cal] = [
      await browser.open(`${guarded.url}/#token=${tokenOf('amy')}&with=cal`),
      await browser.open(`${guarded.url}/#with=amy&token=${tokenOf('cal', -27)}`),
    ];
    await amy.getByRole('heading', { name: 'cal' }).waitFor();
    assert.equal(amy.url(), `${guarded.url}/#with=cal`);
    assert.equal(await amy.locator('#me').textContent(), 'amy');
    assert.equal(await amy.locator('#banner').isVisible(), false);
    await write(amy, 'proved');
    await until('it is sent', async () => / (Sent|Seen)$/.test(await state(amy)));
    // The token of cal expires now, and with it the stream.
    await cal.getByLabel('Your token').waitFor();
    await cal.getByLabel('Your token').fill(tokenOf('cal'));
    await cal.keyboard.press('Enter');
    await said(cal, 'proved');
    assert.deepEqual([...page.faults, ...amy.faults, ...cal.faults], []);
  } finally {
    await guarded.end();
  }
});

test('axe finds nothing, and nothing is wider than 320 pixels', async () => {
  await server.send('uma:vic', 'vic', 'Look: https://example.org/a/very/long/address/without/any/place/to/break/it/at/all');
  await server.send('uma:wim', 'wim', 'unread');
  const guarded = await Server.start(redis, identity);
  for (const colorScheme of ['light', 'dark']) {
    for (const width of [320, 1000]) {
      const options = { colorScheme, viewport: { width, height: 640 } };
      const at = `${colorScheme} ${width}`;
      const fits = (page) => page.evaluate(() => document.documentElement.scrollWidth <= innerWidth);
      const entry = await browser.open(server.url, options);
      await entry.getByLabel('Your name').waitFor();
      assert.deepEqual(await faults(entry), [], `${at} entry`);
      const empty = await browser.person(server, 'nobody', undefined, options);
      assert.deepEqual(await faults(empty), [], `${at} empty`);
      const page = await browser.person(server, 'uma', undefined, options);
      await page.getByRole('link', { name: 'vic' }).waitFor();
      assert.deepEqual([await faults(page), await fits(page)], [[], true], `${at} list`);
      await page.getByRole('link', { name: 'vic' }).click();
      await page.locator('#messages p').first().waitFor();
      assert.deepEqual([await faults(page), await fits(page)], [[], true], `${at} chat`);
      await page.context().setOffline(true);
      await write(page, 'x'.repeat(300));
      await page.locator('#state button').waitFor();
      assert.deepEqual([await faults(page), await fits(page)], [[], true], `${at} offline`);
      // An error, links, and texts and names of a right-to-left script.
      const hebrew = await browser.person(server, 'שרה', 'דן', options);
      await write(hebrew, 'שלום! https://example.org/של');
      await until('it is sent', async () => (await state(hebrew)).endsWith('Sent'));
      assert.deepEqual([await faults(hebrew), await fits(hebrew)], [[], true], `${at} right to left`);
      await hebrew.evaluate((name) => (location.hash = `with=${name}`), 'x'.repeat(65));
      await until('the state says why', async () => /64/.test(await hebrew.locator('#state').textContent()));
      assert.deepEqual([await faults(hebrew), await fits(hebrew)], [[], true], `${at} refused`);
      // The question of whom a token makes one.
      const guest = await browser.open(`${guarded.url}/#token=${tokenOf('uma')}`, options);
      await until('uma is here', async () => (await guest.locator('#me').textContent()) === 'uma');
      await guest.evaluate((token) => (location.hash = `token=${token}`), tokenOf('x'.repeat(64)));
      await guest.getByRole('button', { name: 'Stay uma' }).waitFor();
      assert.deepEqual([await faults(guest), await fits(guest)], [[], true], `${at} question`);
      await Promise.all([entry, empty, page, hebrew, guest].map((one) => one.context().close()));
    }
  }
  await guarded.end();
});
