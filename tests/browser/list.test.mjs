// The list of chats: random programs on `keepChats` and on the page's list, against a plain array.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keepChats } from '../../src/web/confab.js';
import { ChatList } from '../../src/web/list.js';

/** A person's inbox, as confab has it: a plain array, newest first. */
class Inbox {
  chats = [];
  time = 1000;

  send(chat, random) {
    // Redis gives a chat's message a time of its own; two chats may have the same.
    this.time += random(3) ? 1 : 0;
    const old = this.chats.find((one) => one.chat === chat);
    if (old?.last.send_time >= this.time) this.time = old.last.send_time + 1;
    const { unread = 0, read_by_other = 0 } = old ?? {};
    this.#keep({ chat, last: { send_time: this.time }, unread: unread + 1, read_by_other });
  }

  mark(chat) {
    const old = this.chats.find((one) => one.chat === chat);
    if (old) this.#keep({ ...old, unread: 0, read_by_other: old.read_by_other + 1 });
  }

  remove(chat) {
    this.chats = this.chats.filter((one) => one.chat !== chat);
  }

  #keep(entry) {
    const all = [...this.chats.filter(({ chat }) => chat !== entry.chat), entry];
    this.chats = all.sort((one, two) => two.last.send_time - one.last.send_time || (one.chat < two.chat ? 1 : -1));
  }

  /** The event of a chat in its state of now. */
  event(chat) {
    const data = this.chats.find((one) => one.chat === chat);
    return structuredClone(data ? { type: 'chat', data } : { type: 'gone', data: { chat } });
  }

  page(limit, before) {
    const [time, chat] = before ? [Number(before.split(':')[0]), before.slice(before.indexOf(':') + 1)] : [Infinity];
    const below = this.chats.filter((one) => one.last.send_time < time || (one.last.send_time === time && one.chat < chat));
    const chats = below.slice(0, limit);
    const next = below.length > limit ? { has_more: true, next: `${chats.at(-1).last.send_time}:${chats.at(-1).chat}` } : {};
    return structuredClone({ chats, ...next });
  }
}

/** The same numbers for the same seed (mulberry32). */
function randomBy(seed) {
  return (below) => {
    seed = (seed + 0x6d2b79f5) | 0;
    let bits = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    bits = (bits + Math.imul(bits ^ (bits >>> 7), 61 | bits)) ^ bits;
    return ((bits ^ (bits >>> 14)) >>> 0) % below;
  };
}

const names = Array.from({ length: 14 }, (_, number) => `a:${String.fromCharCode(98 + number)}`);
const PAGE = 4;

function change(inbox, random) {
  const chat = names[random(names.length)];
  [() => inbox.send(chat, random), () => inbox.send(chat, random), () => inbox.mark(chat), () => random(3) || inbox.remove(chat)][random(4)]();
  return inbox.event(chat);
}

test('random programs: keepChats has each chat once, newest first, and every page in its place', () => {
  for (let seed = 0; seed < 3000; seed++) {
    const [random, inbox, chats] = [randomBy(seed), new Inbox(), []];
    for (let number = 0; number < 12; number++) inbox.send(names[random(names.length)], random);
    const walk = () => {
      let page = inbox.page(PAGE);
      keepChats(chats, { type: 'inbox', data: page });
      while (page.next) {
        const before = page.next;
        page = inbox.page(PAGE, before);
        keepChats(chats, { type: 'page', data: page, before });
      }
    };
    walk();
    for (let step = 0; step < 12; step++) {
      // What happens while nobody listens is there after the next walk.
      if (random(3)) keepChats(chats, change(inbox, random));
      else {
        change(inbox, random);
        const known = chats.map(({ chat }) => chat);
        const page = inbox.page(PAGE);
        keepChats(chats, { type: 'inbox', data: page });
        for (const chat of known) {
          const gone = !inbox.chats.some((one) => one.chat === chat);
          assert.ok(gone || chats.some((one) => one.chat === chat), `seed ${seed}: a new first page has dropped ${chat}`);
        }
        walk();
      }
      assert.deepEqual(chats, inbox.chats, `seed ${seed}, step ${step}`);
    }
  }
});

test('random programs: the page has the list as deep as it was, whatever comes while it loads', async () => {
  for (let seed = 0; seed < 1500; seed++) {
    const [random, inbox] = [randomBy(seed), new Inbox()];
    for (let number = 0; number < 12; number++) inbox.send(names[random(names.length)], random);
    const [waiting, work] = [[], []];
    const list = new ChatList((before) => {
      // The page is as of now, and arrives later.
      const page = inbox.page(PAGE, before);
      return new Promise((resolve) => waiting.push(() => resolve(page)));
    });
    const turn = async () => {
      waiting.shift()?.();
      await new Promise(setImmediate);
    };
    const first = () => work.push(list.apply({ type: 'inbox', data: inbox.page(PAGE) }));
    first();
    for (let step = 0; step < 15; step++) {
      const missed = !random(4);
      const event = change(inbox, random);
      if (missed) first();
      else work.push(list.apply(event));
      if (!random(3)) work.push(list.loadOlder());
      if (random(2)) await turn();
    }
    const depth = () => list.chats.filter(({ chat }) => inbox.chats.some((one) => one.chat === chat)).length;
    const before = depth();
    first();
    while (waiting.length) await turn();
    await Promise.all(work);
    assert.ok(depth() >= before, `seed ${seed}: chats were dropped`);
    // All that was looked at is as confab has it, in its order.
    assert.deepEqual(list.chats, inbox.chats.slice(0, list.chats.length), `seed ${seed}`);
    while (list.hasMore) {
      const more = list.loadOlder();
      while (waiting.length) await turn();
      await more;
    }
    assert.deepEqual(list.chats, inbox.chats, `seed ${seed}`);
  }
});
