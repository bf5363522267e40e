// What people type and see: input methods, directions, links, days, and browsers that keep nothing.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Browser, Redis, Server, texts, until, write } from './kit.mjs';

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
const sent = (chat, text) => until(`"${text}" is sent`, async () => (await server.texts(chat)).includes(text));

test('Enter that ends a composition sends nothing', async () => {
  const page = await browser.person(server, 'ayu', 'bin');
  await page.locator('#text').fill('にほ');
  // In the order of Chromium and Firefox, and in that of Safari, where the key comes after the composition.
  for (const [isComposing, keyCode] of [[true, 229], [false, 229]]) {
    await page.locator('#text').evaluate((text, [isComposing, keyCode]) => {
      text.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', keyCode, isComposing, bubbles: true, cancelable: true }));
    }, [isComposing, keyCode]);
    assert.equal(await page.locator('#text').inputValue(), 'にほ', `keyCode ${keyCode}, isComposing ${isComposing}`);
  }
  await page.locator('#text').fill('にほん');
  await page.locator('#text').press('Enter');
  await sent('ayu:bin', 'にほん');
  assert.deepEqual(await server.texts('ayu:bin'), ['にほん']);
});

/** Whether the last sign of a text stands left of its first letter. */
const endsLeft = (locator) => locator.evaluate((element) => {
  const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
  const nodes = [];
  while (walker.nextNode()) nodes.push(walker.currentNode);
  const place = (node, at) => {
    const range = document.createRange();
    range.setStart(node, at);
    range.setEnd(node, at + 1);
    return range.getBoundingClientRect().left;
  };
  return place(nodes.at(-1), nodes.at(-1).length - 1) < place(nodes.at(-1), 0);
});

test('texts and names of right-to-left scripts end on the left', async () => {
  const page = await browser.person(server, 'dan', 'שרה!');
  await write(page, 'שלום!');
  await sent('dan:שרה!', 'שלום!');
  await page.locator('#chats li').waitFor();
  for (const place of ['#messages p', '#other', '#chats b', '#chats i bdi']) {
    assert.equal(await endsLeft(page.locator(place)), true, place);
  }
  for (const input of ['#text', '#with']) {
    await page.locator(input).fill('שלום!');
    assert.equal(await page.locator(input).evaluate((input) => getComputedStyle(input).direction), 'rtl', input);
    await page.locator(input).fill('hello!');
    assert.equal(await page.locator(input).evaluate((input) => getComputedStyle(input).direction), 'ltr', input);
  }
  await write(page, 'hello!');
  await said(page, 'hello!');
  assert.equal(await endsLeft(page.locator('#messages p').last()), false);
});

test('http and https addresses are links, and nothing else is', async () => {
  const cases = [
    ['see https://example.org/a?b=c#d.', ['https://example.org/a?b=c#d']],
    ['(http://example.org/x), https://example.org/wiki/A_(b)!', ['http://example.org/x', 'https://example.org/wiki/A_(b)']],
    ['“https://example.org/quoted” https://example.org/今，好', ['https://example.org/quoted', 'https://example.org/今']],
    ['HTTPS://EXAMPLE.ORG', ['HTTPS://EXAMPLE.ORG']],
    ['https://good.example/\u202egro.live', ['https://good.example/']],
    ['javascript:alert(1) data:text/html,x ftp://a.b www.example.org http:// https://', []],
    ['<a href="https://example.org">x</a> **bold** `code` xhttps://example.org', ['https://example.org']],
  ];
  const page = await browser.person(server, 'lin', 'kay');
  for (const [text, expected] of cases) {
    await server.send('lin:kay', 'kay', text);
    await said(page, text);
    const links = await page.locator('#messages li').last().locator('a').evaluateAll((links) => links.map((link) => {
      const { textContent, rel, target, href } = link;
      return { textContent, rel, target, scheme: new URL(href).protocol.slice(0, 4) };
    }));
    const link = (textContent) => ({ textContent, rel: 'noreferrer noopener', target: '_blank', scheme: 'http' });
    assert.deepEqual(links, expected.map(link), text);
  }
  assert.equal(await page.locator('#messages :is(b, strong, code, img)').count(), 0);
  assert.deepEqual(page.faults, []);
});

test('"Today" is another day after midnight', async () => {
  await server.send('ola:per', 'per', 'late');
  const day = new Date().toISOString().slice(0, 10);
  const page = await browser.open(`${server.url}/`, { timezoneId: 'UTC', locale: 'en-GB' });
  await page.clock.install({ time: new Date(`${day}T23:59:30Z`) });
  await page.goto(`${server.url}/#with=per`);
  await page.reload();
  await page.getByLabel('Your name').fill('ola');
  await page.keyboard.press('Enter');
  await said(page, 'late');
  const days = () => page.locator('#messages .day').allTextContents();
  assert.deepEqual(await days(), ['Today']);
  await page.clock.runFor(60_000);
  await until('it is yesterday\'s', async () => !(await days()).includes('Today'));
  assert.match((await days())[0], /\d{4}/);
  assert.doesNotMatch(await page.locator('#chats time').textContent(), /:/);
});

/** Runs in a page: a browser that keeps nothing, or no more. */
const storages = {
  blocked: () => Object.defineProperty(window, 'sessionStorage', { get() { throw new DOMException('blocked', 'SecurityError'); } }),
  full: () => (Storage.prototype.setItem = () => { throw new DOMException('full', 'QuotaExceededError'); }),
};
for (const [kind, storage] of Object.entries(storages)) {
  test(`if the browser's storage is ${kind}, the page works until it is closed`, async () => {
    const page = await browser.open('about:blank');
    await page.addInitScript(storage);
    await page.goto(`${server.url}/#with=nils`);
    await page.getByLabel('Your name').fill(`mia ${kind}`);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'nils' }).waitFor();
    await write(page, 'not lost');
    await said(page, 'not lost');
    await sent(`mia ${kind}:nils`, 'not lost');
    await page.locator('#text').fill('a draft');
    await page.evaluate(() => (location.hash = '#'));
    await page.getByRole('link', { name: 'nils' }).click();
    await until('the draft is there', async () => (await page.locator('#text').inputValue()) === 'a draft');
    await page.getByRole('button', { name: 'Leave' }).click();
    await page.getByLabel('Your name').waitFor();
    assert.deepEqual(page.faults, []);
  });
}

test('the browser asks before a page goes that has something unsent, and only then', async () => {
  const page = await browser.person(server, 'rob', 'sue');
  await write(page, 'sent');
  await sent('rob:sue', 'sent');
  await until('nothing waits', async () => !(await page.locator('.waits').count()));
  const asked = [];
  page.on('dialog', (dialog) => {
    asked.push(dialog.type());
    return dialog.dismiss();
  });
  await page.context().setOffline(true);
  await write(page, 'unsent');
  await page.locator('.waits').waitFor();
  await page.close({ runBeforeUnload: true });
  await until('the browser asks', () => asked.length);
  assert.deepEqual(asked, ['beforeunload']);
  // To leave is a question of the page's own.
  await page.getByRole('button', { name: 'Leave' }).click();
  await until('the page asks', () => asked.length === 2);
  assert.equal(await page.locator('.waits').count(), 1);
  await page.context().setOffline(false);
  await sent('rob:sue', 'unsent');
  await until('nothing waits', async () => !(await page.locator('.waits').count()));
  await page.close({ runBeforeUnload: true });
  await until('the page is closed', () => page.isClosed());
  assert.deepEqual(asked, ['beforeunload', 'confirm']);
});
