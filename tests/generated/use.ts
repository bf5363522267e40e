// Sends, pulls and reads an inbox by the types that openapi-typescript makes. The arguments are a confab's address and two names.

import assert from 'node:assert/strict';
import createClient from 'openapi-fetch';
import type { paths } from './confab.js';

const [url, alice, bob] = process.argv.slice(2) as [string, string, string];
const confab = createClient<paths>({ baseUrl: url });
const chat = `${alice}:${bob}`;

async function send(text: string) {
  const { data, error, response } = await confab.POST('/api/send', { body: { chat, text, sender: alice } });
  return { sent: data, problem: error, status: response.status };
}

const { sent: first } = await send('Hi Bob');
const { sent: second } = await send('Lunch?');
assert(first && second && second.send_time > first.send_time);

const { data: page } = await confab.GET('/api/pull', { params: { query: { chat, limit: 1 } } });
assert(page?.has_more && page.messages.length === 1 && page.next_cursor === 1);
assert.equal(page.messages[0]?.send_time, first.send_time);
const { epoch, next_cursor: cursor } = page;
const { data: rest } = await confab.GET('/api/pull', { params: { query: { chat, cursor, epoch } } });
assert(rest?.messages[0]?.text === 'Lunch?' && rest.has_more === undefined);

const { data: inbox } = await confab.GET('/api/inbox', { params: { query: { name: bob } } });
const entry = inbox?.chats[0];
assert(entry?.with === alice && entry.unread === 2 && entry.epoch === epoch && entry.last.send_time === second.send_time);

const { problem, status } = await send('');
assert(status === 400 && problem?.type === '/problems/invalid');
