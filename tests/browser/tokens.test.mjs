// Tokens in the address: which are taken, when the page asks, and what stays with whom.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Browser, Redis, Server, identity, texts, tokenOf, until, write } from './kit.mjs';

let redis, server, browser;
before(async () => {
  redis = await Redis.start();
  [server, browser] = await Promise.all([Server.start(redis, identity), Browser.start()]);
});
after(async () => {
  await Promise.all([browser?.end(), server?.end()]);
  await redis?.end();
});

const enter = (name, other) => browser.open(`${server.url}/#token=${tokenOf(name)}&with=${other}`);
const me = (page) => page.locator('#me').textContent();
/** What a link of another site does to a page that is open: it changes the address. */
const navigate = (page, hash) => page.evaluate((hash) => void (location.hash = hash), hash);

test("somebody else's token in the address is not taken without a question", async () => {
  const page = await enter('Ann', 'ben');
  await write(page, 'of ann');
  await until('it is sent', async () => / Sent$/.test(await page.locator('#messages small').last().textContent()));
  await page.locator('#text').fill('a draft of ann');
  const stay = page.getByRole('button', { name: 'Stay ann' });
  const links = {
    'to an open page': () => navigate(page, `token=${tokenOf('Mallory')}&with=ben`),
    'to a new page of the tab': async () => {
      await page.goto('about:blank');
      await page.goto(`${server.url}/#token=${tokenOf('Mallory')}`);
    },
  };
  for (const [link, follow] of Object.entries(links)) {
    await follow();
    await stay.waitFor();
    assert.ok(!page.url().includes('token'), `${link}: the token is still in the address`);
    assert.match(await page.locator('#question').textContent(), /mallory.*ann/);
    assert.equal(await page.locator('#chat').isVisible(), false);
    await stay.click();
    await until('ann is here', async () => (await me(page)) === 'ann');
    await until('the page goes on', async () => page.locator('#chats li').count());
  }
  await navigate(page, 'with=ben');
  await until('the draft is there', async () => (await page.locator('#text').inputValue()) === 'a draft of ann');
  await write(page, 'of ann, too');
  const reader = async () => {
    const answer = await fetch(`${server.url}/api/pull?chat=ann:ben`, { headers: { Authorization: `Bearer ${tokenOf('ann')}` } });
    return (await answer.json()).messages.map(({ member, text }) => `${member}: ${text}`);
  };
  await until('it is sent as ann', async () => (await reader()).length === 2);
  assert.deepEqual(await reader(), ['ann: of ann', 'ann: of ann, too']);

  await page.locator('#text').fill('a secret of ann');
  await navigate(page, `token=${tokenOf('Mallory')}&with=ben`);
  await page.getByRole('button', { name: 'Continue as mallory' }).click();
  await until('mallory is here', async () => (await me(page)) === 'mallory');
  await page.getByRole('heading', { name: 'ben' }).waitFor();
  await until('the chat is empty', async () => (await page.locator('#messages').textContent()).includes('Say hello'));
  assert.deepEqual([await page.locator('#text').inputValue(), await texts(page)], ['', []]);
  assert.deepEqual(page.faults, []);
});

test('what one has not sent is neither shown to nor sent by another in the same tab', async () => {
  const page = await enter('carl', 'dora');
  await page.locator('#chats[aria-busy="false"]').waitFor({ state: 'attached' });
  await page.route('**/api/send', (route) => route.abort());
  await write(page, 'of carl');
  await until('it waits', async () => (await page.locator('.waits').count()) === 1);
  await navigate(page, `token=${tokenOf('eve')}&with=dora`);
  await page.getByRole('button', { name: 'Continue as eve' }).click();
  await until('eve is here', async () => (await me(page)) === 'eve');
  await until('the chat is there', async () => (await page.locator('#messages').textContent()).includes('Say hello'));
  assert.equal(await page.locator('.waits').count(), 0);
  await page.unroute('**/api/send');
  await write(page, 'of eve');
  await until('it is sent', async () => / Sent$/.test(await page.locator('#messages small').last().textContent()));
  await navigate(page, `token=${tokenOf('carl')}&with=dora`);
  await page.getByRole('button', { name: 'Continue as carl' }).click();
  await until('it goes out as carl', async () => (await texts(page)).includes('of carl') && !(await page.locator('.waits').count()));
  assert.deepEqual(await texts(page), ['of carl']);
});

test('a token of the same person renews the one before, without a question', async () => {
  const page = await browser.open(`${server.url}/#token=${tokenOf('fay')}&with=gil`);
  await page.getByRole('heading', { name: 'gil' }).waitFor();
  await navigate(page, `token=${tokenOf('FAY')}`);
  await until('the token is out of the address', () => page.url() === `${server.url}/#with=gil`);
  await write(page, 'renewed');
  await until('it is sent', async () => / Sent$/.test(await page.locator('#messages small').last().textContent()));
  assert.equal(await page.locator('#entry').isVisible(), false);
  // One that has ended already is renewed in the same way.
  const ended = await browser.open(`${server.url}/#token=${tokenOf('hal', -28)}&with=ida`);
  await ended.getByLabel('Your token').waitFor();
  await navigate(ended, `token=${tokenOf('hal')}&with=ida`);
  await ended.getByRole('heading', { name: 'ida' }).waitFor();
  assert.deepEqual([...page.faults, ...ended.faults], []);
});

test('a token that proves nobody changes nothing', async () => {
  const page = await enter('jan', 'kim');
  await page.getByRole('heading', { name: 'kim' }).waitFor();
  await navigate(page, 'token=nonsense&with=kim');
  await until('it is out of the address', () => !page.url().includes('token'));
  await write(page, 'still jan');
  await until('it is sent', async () => / Sent$/.test(await page.locator('#messages small').last().textContent()));
});
