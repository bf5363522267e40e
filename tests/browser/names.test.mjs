// Who is who: names in many scripts, each typed in two ways, go through the whole page.

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

/** A name as one types it and as the other does. */
const names = {
  Latin: ['Bella', 'BELLA'],
  'Latin with marks': ['Zoe\u0301', 'ZOÉ'],
  'Latin, long s': ['Straſse', 'STRASSE'],
  'Turkish İ': ['İpek', 'İPEK'],
  'German ß': ['Weiß', 'WEIẞ'],
  Greek: ['Οδυσσεύς', 'ΟΔΥΣΣΕΎΣ'],
  Cyrillic: ['Ёлка', 'ёлКА'],
  Armenian: ['Հայկ', 'ՀԱՅԿ'],
  Georgian: ['ნინო', 'ნინო'],
  Hebrew: ['שָׂרָה', 'שָׂרָה'],
  Arabic: ['محمد!', 'محمد!'],
  Devanagari: ['क्षितिज', 'क्षितिज'],
  Tamil: ['கௌரி', 'கௌரி'.normalize('NFD')],
  Thai: ['สมชาย', 'สมชาย'],
  Hangul: ['한글', '한글'.normalize('NFD')],
  Han: ['田中', '田中'],
  Kana: ['がく', 'がく'.normalize('NFD')],
  Cherokee: ['Ꭰꮃ', 'ꭰᎳ'],
  Deseret: ['𐐀𐐨', '𐐨𐐀'],
  emoji: ['👩‍🚀&#%', '👩‍🚀&#%'],
};

for (const [script, [name, other]] of Object.entries(names)) {
  test(`${script}: a name is one person, however it is typed`, async () => {
    const friend = `Friend of ${script}`;
    const page = await browser.person(server, name, friend);
    await write(page, 'mine');
    await until('it is sent', async () => /Sent$/.test(await page.locator('#messages small').last().textContent()));
    // For a moment, the stream may be ahead of the answer to the send: both stand there then.
    await until('an own message stands on the own side, once', async () => (await page.locator('#messages .own').count()) === 1);
    const second = await browser.person(server, friend);
    await until('the friend has one unread', async () => (await second.title()) === '(1) confab');
    await second.getByLabel('Write to').fill(other);
    await second.keyboard.press('Enter');
    await until('the message is in the chat', async () => (await texts(second)).includes('mine'));
    await until('it is seen', async () => /Seen$/.test(await page.locator('#messages small').last().textContent()));
    assert.equal(await second.locator('#messages .own').count(), 0);
    await until('nothing is unread', async () => (await second.title()) === 'confab');
    await write(second, 'theirs');
    await until('the reply is in the open chat', async () => (await texts(page)).includes('theirs'));
    await until('both lists have one chat', async () => {
      const lists = await Promise.all([page, second].map((one) => one.locator('#chats i').allTextContents()));
      return lists[0].length === 1 && lists[0][0] === 'theirs' && lists[1].length === 1 && lists[1][0] === 'You: theirs';
    });
    assert.equal(await page.locator('#messages .own').count(), 1);
    assert.equal(await second.locator('#other').textContent(), await page.locator('#me').textContent());
    assert.equal(await second.locator('#chats [aria-current]').count(), 1);
    // The address has the name in the one form, and a reload finds the chat.
    await page.reload();
    await until('the chat is there again', async () => (await texts(page)).length === 2);
    assert.deepEqual([...page.faults, ...second.faults], []);
    await Promise.all([page, second].map((one) => one.context().close()));
  });
}

test('what is no name is refused, with the reason', async () => {
  const page = await browser.open(server.url);
  for (const [name, reason] of [['a:b', /colon/], ['x'.repeat(65), /64/]]) {
    await page.getByLabel('Your name').fill(name);
    await page.keyboard.press('Enter');
    await until(`"${name}" is refused`, async () => reason.test(await page.locator('#why.bad').allTextContents()));
  }
  await page.getByLabel('Your name').fill('Noname');
  await page.keyboard.press('Enter');
  await page.locator('#none').waitFor();
  await page.getByLabel('Write to').fill('y'.repeat(65));
  await page.keyboard.press('Enter');
  await until('the state says why', async () => /64/.test(await page.locator('#state').textContent()));
  assert.equal(await page.locator('#chat').isVisible(), false);
  await page.getByLabel('Write to').fill('y'.repeat(64));
  await page.keyboard.press('Enter');
  await write(page, 'long');
  await until('it is sent', async () => (await server.texts(`noname:${'y'.repeat(64)}`)).includes('long'));
});
