// Pages of other origins: what a browser lets them do with a confab that lists one of them, and which page works with a token.

import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { after, before, test } from 'node:test';
import { Browser, Redis, Server, texts, until, write } from './kit.mjs';

const secret = 'a-secret-of-the-tests-of-32-bytes';

/** A token of this person, good for so many seconds. */
function token(name, seconds = 3600) {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const message = `${part({ alg: 'HS256' })}.${part({ sub: name, exp: Math.floor(Date.now() / 1000) + seconds })}`;
  return `${message}.${createHmac('sha256', secret).update(message).digest('base64url')}`;
}

/** A site with one empty page. */
async function site() {
  const server = createServer((_, answer) => answer.setHeader('content-type', 'text/html').end('<!doctype html>'));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, origin: `http://127.0.0.1:${server.address().port}` };
}

let redis, open, closed, browser, listed, other;
before(async () => {
  [redis, listed, other, browser] = await Promise.all([Redis.start(), site(), site(), Browser.start()]);
  const cors_origins = listed.origin;
  [open, closed] = await Promise.all([
    Server.start(redis, { cors_origins }),
    Server.start(redis, { cors_origins, auth: 'required', auth_secret: secret }),
  ]);
});
after(async () => {
  await Promise.all([browser?.end(), open?.end(), closed?.end()]);
  for (const { server } of [listed, other]) server.close();
  await redis?.end();
});

/** Runs in a page: sends a message there and reads it back; returns what the page learns, or the browser's words. */
async function call({ url, chat, token, mode }) {
  const headers = token === undefined ? {} : { Authorization: `Bearer ${token}`, 'Idempotency-Key': '"k"' };
  const body = JSON.stringify({ chat, text: 'hi', sender: chat.split(':')[0] });
  try {
    const sent = await fetch(`${url}/api/send`, { method: 'POST', headers, body, mode });
    const pulled = await fetch(`${url}/api/pull?chat=${chat}`, { headers, mode });
    const stream = await fetch(`${url}/api/stream?chat=${chat}&cursor=0`, { headers, mode });
    const first = mode === 'no-cors' ? '' : new TextDecoder().decode((await stream.body.getReader().read()).value);
    return [sent.status, pulled.status, stream.status, first.startsWith('retry: '), sent.headers.get('www-authenticate')];
  } catch (error) {
    return String(error);
  }
}

test('a listed page sends, pulls and follows; it reads refusals, and what they ask for', async () => {
  const page = await browser.open(listed.origin);
  assert.deepEqual(await page.evaluate(call, { url: open.url, chat: 'a:b' }), [200, 200, 200, true, null]);
  const alice = token('alice');
  assert.deepEqual(await page.evaluate(call, { url: closed.url, chat: 'alice:bob', token: alice }), [200, 200, 200, true, null]);
  const [status, , , , challenge] = await page.evaluate(call, { url: closed.url, chat: 'alice:bob', token: 'forged' });
  assert.equal(status, 401);
  assert.match(challenge, /error="invalid_token"/);
  const source = `${closed.url}/api/stream?chat=alice:bob&cursor=0&access_token=${token('alice', 200)}`;
  const data = await page.evaluate((source) => new Promise((resolve, reject) => {
    const events = new EventSource(source);
    events.onmessage = ({ data }) => resolve(data);
    events.onerror = reject;
  }), source);
  assert.equal(JSON.parse(data).text, 'hi');
  const app = `${open.url}/confab.js`;
  assert.equal(await page.evaluate(async (app) => typeof (await import(app)).Confab, app), 'function');
});

test('any other page can neither send nor read, whatever it tries', async () => {
  const pages = [await browser.open(other.origin), await browser.open(listed.origin)];
  // A frame without an origin, in a page of a listed one.
  await pages[1].setContent(`<iframe sandbox="allow-scripts" src="data:text/html,x"></iframe>`);
  const frame = await until('the frame is there', () => pages[1].frames()[1]);
  for (const [number, place] of [pages[0], frame].entries()) {
    const chat = `mallory:victim${number}`;
    for (const mode of ['cors', 'no-cors']) {
      for (const server of [open, closed]) {
        const learned = await place.evaluate(call, { url: server.url, chat, mode });
        if (mode === 'cors') console.log(`${number ? 'a frame without an origin' : 'another page'}: ${learned}`);
        // Without CORS, a browser sends and shows nothing of the answer.
        const nothing = mode === 'cors' ? 'TypeError: Failed to fetch' : [0, 0, 0, false, null];
        assert.deepEqual(learned, nothing);
      }
    }
    assert.deepEqual(await open.texts(chat), []);
  }
});

test('no other page can time what it cannot read, and a link on it works', async () => {
  const page = await browser.open(other.origin);
  const pull = `${open.url}/api/pull?chat=a:b`;
  for (const [what, ask] of Object.entries({
    fetch: (url) => void fetch(url, { mode: 'no-cors' }),
    image: (url) => void (new Image().src = url),
    frame: (url) => void (document.body.appendChild(document.createElement('iframe')).src = url),
    object: (url) => void (document.body.appendChild(document.createElement('object')).data = url),
    stylesheet: (url) => void Object.assign(document.head.appendChild(document.createElement('link')), { rel: 'stylesheet', href: url }),
  })) {
    const url = `${pull}&${what}`;
    // Where the browser keeps the answer even from its own tools, it says that the request has failed.
    const answered = Promise.race([
      page.waitForResponse((answer) => answer.url() === url).then((answer) => answer.status()),
      page.waitForEvent('requestfailed', (request) => request.url() === url).then((request) => request.failure().errorText),
    ]);
    await page.evaluate(ask, url);
    assert.match(String(await answered), /^403$|BLOCKED_BY_ORB/, what);
  }
  await page.setContent(`<a href="${pull}">the chat</a>`);
  const answered = page.waitForResponse(pull);
  await page.click('a');
  assert.equal((await answered).status(), 200);
});

test('a form of another page cannot send either', async () => {
  const page = await browser.open(other.origin);
  await page.setContent(`<form method="post" enctype="text/plain" action="${open.url}/api/send">
    <input name='{"chat":"mallory:form","sender":"mallory","text":"' value='"}'></form>`);
  const answered = page.waitForResponse(`${open.url}/api/send`);
  await page.evaluate(() => document.forms[0].submit());
  assert.equal((await answered).status(), 403);
  assert.deepEqual(await open.texts('mallory:form'), []);
});

test('two people with tokens talk on the chat page', async () => {
  const enter = (name, other) => browser.open(`${closed.url}/#with=${other}&token=${token(name)}`);
  const [ann, ben] = await Promise.all([enter('ann', 'ben'), enter('ben', 'ann')]);
  await write(ann, 'with a token');
  await until('it arrives', async () => (await texts(ben)).includes('with a token'));
  assert.equal(await ann.locator('#banner').isVisible(), false);
  assert.deepEqual([...ann.faults, ...ben.faults], []);
});
