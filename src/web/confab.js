/**
 * A client of confab, without DOM: for browsers, and for Node 20 or later. Import it from your confab, or copy it.
 *
 *     import { Confab, keep } from 'https://chat.example/confab.js';
 *     const confab = new Confab({ token: () => fetch('/my/token').then((answer) => answer.text()) });
 *     confab.send({ chat: 'alice:bob', text: 'Hi Bob' });
 *     const messages = [];
 *     for await (const event of confab.followChat('alice:bob', { after: '0' })) keep(messages, event);
 *
 * Whatever may pass (no network, a 503, a 429) is tried again by itself. Every other refusal is thrown as a `Problem`.
 */

/** Why confab refused, with the fields of its answer: `type`, `title`, `detail`, `field` and so on. `status` is 0 if no answer came. */
export class Problem extends Error {
  constructor(fields, status, wait = 0) {
    super(fields.detail ?? fields.title ?? `confab answered with status ${status}`);
    /** `wait`: for how many milliseconds confab asks not to come back. */
    Object.assign(this, fields, { name: 'Problem', status, wait });
  }

  /** Whether the same request may succeed later. */
  get passes() {
    return [0, 408, 425, 429].includes(this.status) || this.status >= 500;
  }
}

/** A new idempotency key. (`crypto.randomUUID` is missing from pages that came by plain HTTP.) */
export const newKey = () =>
  Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');

/** Applies an event of `followChat` to an array of messages: it then holds what the chat holds, in order. */
export function keep(messages, { type, data }) {
  const drop = (from, to) => {
    const kept = messages.filter(({ index }) => index < from || index >= to);
    messages.splice(0, messages.length, ...kept);
  };
  if (type === 'message') messages.push(data);
  else if (type === 'reset') drop(data.index, Infinity);
  else if (type === 'gap') drop(data.from, data.first_index);
}

/** Applies an event of `followInbox` to an array of chats: it then holds the newest chats, the newest one first. */
export function keepChats(chats, { type, data }) {
  const others = (chat) => chats.filter((other) => other.chat !== chat);
  const time = ({ last }) => last?.send_time ?? 0;
  let kept = chats;
  if (type === 'inbox') kept = data.chats;
  else if (type === 'chat') kept = [data, ...others(data.chat)].sort((one, two) => time(two) - time(one));
  else if (type === 'gone') kept = others(data.chat);
  chats.splice(0, chats.length, ...kept);
}

/** One person's connection to one confab. */
export class Confab {
  #base; #name; #token;
  #sending = new Map();
  #pauses = new Set();

  /**
   * - `base`: where confab is; by default, where this module came from.
   * - `token`: if confab requires identity, a function that returns the bearer token (or a promise of it). It is called before each
   *   request, so let it keep the token. After a 401 it is called with the token that was refused: return another one, or the 401 is
   *   thrown.
   * - `name`: if confab is open, who you are.
   */
  constructor({ base = new URL('.', import.meta.url), name, token = () => undefined } = {}) {
    this.#base = base;
    this.#name = name;
    this.#token = token;
  }

  /** Who confab says you are: `{ name, auth }`. */
  me(options) {
    return this.#ask('GET', 'api/me', options);
  }

  /**
   * Sends `text`, and returns `{ index, send_time, key }` once it is stored, exactly once, however many tries that takes. Sends to one
   * chat are made in the order of the calls. To go on with a send after a reload, repeat it with the same `key`.
   *
   * It tries for `patience` milliseconds, by default an hour, which must be shorter than confab's `idempotency_window_s`. `onTry`
   * receives the `Problem` of each try that failed.
   */
  async send({ chat, text, sender = this.#name, key = newKey() }, { patience = 3_600_000, ...options } = {}) {
    const before = this.#sending.get(chat);
    const sent = (async () => {
      await before?.catch(() => {});
      const headers = { 'Idempotency-Key': `"${key}"` };
      const answer = await this.#ask('POST', 'api/send', { patience, ...options, headers, body: { chat, text, sender } });
      return { ...answer, key };
    })();
    this.#sending.set(chat, sent);
    try {
      return await sent;
    } finally {
      if (this.#sending.get(chat) === sent) this.#sending.delete(chat);
    }
  }

  /** One page of a chat. `query` has the fields of `GET /api/pull`, like `after`, `before`, `reverse`, `limit`. */
  pull(chat, query, options) {
    return this.#ask('GET', 'api/pull', { ...options, query: { chat, ...query } });
  }

  /** One page of your chats. `query` has the fields of `GET /api/inbox`: `limit` and `before`. */
  inbox(query, options) {
    return this.#ask('GET', 'api/inbox', { ...options, query: { name: this.#name, ...query } });
  }

  /** Says that you have read a chat up to `position`, which came with a page or an event. A mark never goes back. */
  read(chat, position, options) {
    return this.#ask('POST', 'api/read', { ...options, body: { name: this.#name, chat, position } });
  }

  /**
   * Follows a chat: yields `{ type, data, id }` for each event, and goes on from the last id over as many streams as it takes, until
   * `signal` aborts. `open` is first, then come `message`, `reset` and `gap`: see `keep`. It begins after the position `after`, '0' being
   * the chat's start; without one, with the next message.
   *
   * `onState` receives `{ live: true }`, or `{ live: false, wait, problem }` with the milliseconds until the next try.
   */
  followChat(chat, options) {
    return this.#follow('api/stream', { chat }, options);
  }

  /** Follows all your chats by one stream, in the same way: `inbox` is first, then come `chat` and `gone`: see `keepChats`. */
  followInbox(options) {
    return this.#follow('api/inbox/stream', { name: this.#name }, options);
  }

  /** Ends the pauses between tries, except those that confab asked for, and begins streams anew. Call it when the network is back. */
  wake() {
    for (const end of this.#pauses) end();
  }

  /** Makes a request until it succeeds or cannot succeed any more. */
  async #ask(method, path, { patience = 60_000, onTry, signal, ...options } = {}) {
    const end = Date.now() + patience;
    for (let failures = 0; ; failures++) {
      // confab answers within 28 s. What takes longer got lost.
      const timed = AbortSignal.any([AbortSignal.timeout(40_000), ...(signal ? [signal] : [])]);
      try {
        const { response } = await this.#request(method, path, { ...options, signal: timed });
        return await response.json();
      } catch (error) {
        signal?.throwIfAborted();
        const problem = asProblem(error);
        const wait = pauseAfter(failures, problem.wait);
        if (!problem.passes || Date.now() + wait > end) throw problem;
        onTry?.(problem);
        await this.#pause(wait, problem.wait > 0, signal);
        signal?.throwIfAborted();
      }
    }
  }

  /** Makes a request, and again with a new token after a 401. Throws a `Problem` unless the status is 200. */
  async #request(method, path, { query = {}, body, headers, signal, refused }) {
    const url = new URL(path, this.#base);
    for (const [name, value] of Object.entries(query)) if (value !== undefined) url.searchParams.set(name, value);
    for (let tries = 0; ; tries++) {
      const token = await this.#token(refused);
      const response = await fetch(url, {
        method, signal, cache: 'no-store', credentials: 'omit',
        headers: { ...headers, ...(token && { Authorization: `Bearer ${token}` }) },
        body: body && JSON.stringify(body),
      });
      if (response.ok) return { response, token };
      if (response.status !== 401 || tries === 2 || !token || token === refused) {
        const fields = await response.json().catch(() => ({}));
        throw new Problem(fields, response.status, milliseconds(response.headers.get('Retry-After')));
      }
      refused = token;
    }
  }

  async *#follow(path, query, { after, signal, onState = () => {} } = {}) {
    let [id, retry, failures, refused] = [after, 1000, 0];
    while (!signal?.aborted) {
      // confab sends a heartbeat every 15 s. A connection that is silent for much longer is dead.
      const silence = new AbortController();
      const dead = () => silence.abort();
      let timer;
      const heard = () => {
        clearTimeout(timer);
        timer = setTimeout(dead, 50_000);
      };
      let problem;
      try {
        heard();
        this.#pauses.add(dead);
        const headers = id === undefined ? {} : { 'Last-Event-ID': id };
        const both = AbortSignal.any([silence.signal, ...(signal ? [signal] : [])]);
        const { response, token } = await this.#request('GET', path, { query, headers, refused, signal: both });
        refused = undefined;
        for await (const event of events(response.body, heard)) {
          retry = event.retry ?? retry;
          id = event.id ?? id;
          if (event.data === undefined) continue;
          const data = JSON.parse(event.data);
          if (event.type === 'problem') {
            if (data.status === 401) refused = token;
            problem = new Problem(data, data.status);
          } else {
            failures = 0;
            onState({ live: true });
            yield { type: event.type, data, id };
          }
        }
      } catch (error) {
        problem = asProblem(error);
      } finally {
        clearTimeout(timer);
        this.#pauses.delete(dead);
        dead();
      }
      if (signal?.aborted) return;
      if (problem && !problem.passes && !refused) throw problem;
      // A stream that ends without a problem has reached its lifetime: come back soon, and not all at once.
      const wait = problem ? pauseAfter(failures++, problem.wait) : retry * (0.5 + Math.random() / 2);
      if (problem) onState({ live: false, wait, problem });
      await this.#pause(wait, problem?.wait > 0, signal);
    }
  }

  #pause(wait, asked, signal) {
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer);
        this.#pauses.delete(end);
        signal?.removeEventListener('abort', end);
        resolve();
      };
      const timer = setTimeout(end, wait);
      if (!asked) this.#pauses.add(end);
      signal?.addEventListener('abort', end);
    });
  }
}

/** What fetch throws means that no answer came. */
const asProblem = (error) =>
  error instanceof Problem ? error : new Problem({ title: 'No answer', detail: 'confab cannot be reached', cause: error }, 0);

/** Doubles from half a second to half a minute, by chance up to half less; never less than confab asked for. */
const pauseAfter = (failures, asked) =>
  Math.max(Math.min(500 * 2 ** failures, 30_000), asked * 2) * (0.5 + Math.random() / 2);

/** The value of `Retry-After`, seconds or a date, in milliseconds. */
const milliseconds = (value) => Math.max(0, value * 1000 || Date.parse(value) - Date.now() || 0);

/** Reads server-sent events. Yields what each block of lines has of `type`, `data`, `id` and `retry`; calls `heard` for each chunk. */
async function* events(body, heard) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let [rest, event] = ['', { type: 'message' }];
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    heard();
    // A CR at the end of a chunk may be half of a CRLF.
    const lines = (rest + value).split(/\r\n|\n|\r(?!$)/);
    rest = lines.pop();
    for (const line of lines) {
      const [, field, text] = /^([^:]*):? ?(.*)$/s.exec(line);
      if (line === '') {
        yield event;
        event = { type: 'message' };
      } else if (field === 'data') event.data = event.data === undefined ? text : `${event.data}\n${text}`;
      else if (field === 'event') event.type = text;
      else if (field === 'id' && !text.includes('\0')) event.id = text;
      else if (field === 'retry' && /^\d+$/.test(text)) event.retry = Number(text);
    }
  }
}
