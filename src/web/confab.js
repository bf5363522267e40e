/**
 * A client of confab without DOM, for browsers and for Node 22 or later. Import it from your confab, or copy it.
 *
 *     import { Confab, keep } from 'https://chat.example/confab.js';
 *     const confab = new Confab({ token: (refused) => myToken(refused) });
 *     await confab.send({ chat: 'alice:bob', text: 'Hi Bob' });
 *     const messages = [];
 *     for await (const event of confab.followChat('alice:bob', { after: '0' })) keep(messages, event);
 *
 * What may pass (no network, a 503, a 429) is tried again by itself. Any other refusal is thrown as a `Problem`.
 */

/** Why confab refused: `type`, `title`, `detail`, `field` and so on, as confab sent them. `status` is 0 if no answer came. */
export class Problem extends Error {
	constructor(fields, status, wait = 0) {
		super(fields.detail ?? `status ${status}`);
		/** `wait`: for how many milliseconds confab asks not to come back. */
		Object.assign(this, fields, { name: 'Problem', status, wait });
	}

	/** Whether the same request may succeed later. */
	get passes() {
		return [0, 408, 425, 429].includes(this.status) || this.status >= 500;
	}
}

/** A new idempotency key. (Pages that came by plain HTTP have no `crypto.randomUUID`.) */
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

/** Applies an event of `followInbox` to an array of chats: it then holds your chats, the newest one first. */
export function keepChats(chats, { type, data }) {
	let kept = type === 'inbox' ? data.chats : chats.filter(({ chat }) => chat !== data.chat);
	if (type === 'chat') kept = [data, ...kept].sort((one, two) => two.last.send_time - one.last.send_time);
	chats.splice(0, chats.length, ...kept);
}

/** One person's way to one confab. The option `signal` of a method, an `AbortSignal`, ends what it does. */
export class Confab {
	#base; #name; #token;
	#sending = new Map();
	#pauses = new Set();

	/**
	 * - `base`: where confab is; by default, where this module came from.
	 * - `name`: who you are, if confab is open.
	 * - `token`: if it is not, a function that returns the bearer token, or a promise of it. It is called before each request: let it keep
	 *   the token. After a 401 it is called with the refused token: it returns a new one, or the 401 is thrown.
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
	 * Sends a text. Returns `{ index, send_time, key }` once it is stored: once, however many tries that takes. The sends to one chat are
	 * made in the order of the calls. To go on with a send after a reload, repeat it with its `key`.
	 *
	 * It tries for `patience` milliseconds, by default an hour: less than confab's `idempotency_window_s`. `onTry` receives the `Problem` of
	 * each try that failed.
	 */
	async send({ chat, text, sender = this.#name, key = newKey() }, options) {
		const before = this.#sending.get(chat);
		const sent = (async () => {
			await before?.catch(() => {});
			const headers = { 'Idempotency-Key': `"${key}"` };
			const body = { chat, text, sender };
			return { ...(await this.#ask('POST', 'api/send', { patience: 3_600_000, ...options, headers, body })), key };
		})();
		this.#sending.set(chat, sent);
		try {
			return await sent;
		} finally {
			if (this.#sending.get(chat) === sent) this.#sending.delete(chat);
		}
	}

	/** One page of a chat. `fields` are those of `GET /api/pull`, like `after`, `reverse`, `before`, `limit`. */
	pull(chat, fields, options) {
		return this.#ask('GET', 'api/pull', { ...options, query: { chat, ...fields } });
	}

	/** One page of your chats. `fields` are those of `GET /api/inbox`: `limit` and `before`. */
	inbox(fields, options) {
		return this.#ask('GET', 'api/inbox', { ...options, query: { name: this.#name, ...fields } });
	}

	/** Says that you have read a chat up to a `position`, that of a page or the id of an event. It never goes back. */
	read(chat, position, options) {
		return this.#ask('POST', 'api/read', { ...options, body: { name: this.#name, chat, position } });
	}

	/**
	 * Follows a chat: yields `{ type, data, id }` for each event, `open` first, then `message`, `reset` and `gap` (see `keep`). It goes on
	 * from the last id, over as many streams as it takes, until `signal` aborts. It begins after the id or position `after` ('0' is the
	 * chat's start), or else with the next message. `onState` receives `{ live: true }`, or `{ live: false, problem }` between tries.
	 */
	followChat(chat, options) {
		return this.#follow('api/stream', { chat }, options);
	}

	/** Follows all your chats by one stream, in the same way: yields `inbox`, `chat` and `gone` (see `keepChats`). */
	followInbox(options) {
		return this.#follow('api/inbox/stream', { name: this.#name }, options);
	}

	/** Ends the pauses between tries, but not those that confab asked for, and begins streams anew: for when the network is back. */
	wake() {
		for (const end of this.#pauses) end();
	}

	/** Makes a request until it succeeds, cannot succeed, or `patience` is over. */
	async #ask(method, path, { patience = 60_000, onTry, signal, ...options } = {}) {
		const end = Date.now() + patience;
		for (let failures = 0; ; failures++) {
			try {
				// confab answers within 28 s. An answer that takes longer got lost.
				const { response } = await this.#request(method, path, { ...options, signal: either(AbortSignal.timeout(40_000), signal) });
				return await response.json();
			} catch (error) {
				signal?.throwIfAborted();
				const problem = problemOf(error);
				const wait = pauseAfter(failures, problem.wait);
				if (!problem.passes || Date.now() + wait > end) throw problem;
				onTry?.(problem);
				await this.#pause(wait, problem.wait, signal);
				signal?.throwIfAborted();
			}
		}
	}

	/** Makes a request, and again with a new token after a 401. Throws a `Problem` unless it succeeds. */
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
			if (response.status !== 401 || tries > 1 || !token || token === refused) {
				const fields = await response.json().catch(() => ({}));
				throw new Problem(fields, response.status, milliseconds(response.headers.get('Retry-After')));
			}
			refused = token;
		}
	}

	async *#follow(path, query, { after: id, signal, onState = () => {} } = {}) {
		let [retry, failures, refused] = [1000, 0];
		while (!signal?.aborted) {
			const [stream, timers] = [new AbortController(), {}];
			const stop = () => stream.abort();
			// A heartbeat comes every 15 s. A stream that is silent for much longer is dead.
			const heard = () => {
				clearTimeout(timers.silence);
				timers.silence = setTimeout(stop, 50_000);
			};
			const live = () => {
				failures = 0;
				onState({ live: true });
			};
			let problem;
			this.#pauses.add(stop);
			heard();
			try {
				const headers = id && { 'Last-Event-ID': id };
				const { response, token } = await this.#request('GET', path, { query, headers, refused, signal: either(stream.signal, signal) });
				refused = undefined;
				// One that is resumed may have nothing to say.
				timers.live = setTimeout(live, 1000);
				for await (const event of events(response.body, heard)) {
					retry = event.retry ?? retry;
					id = event.id ?? id;
					if (event.data === undefined) continue;
					clearTimeout(timers.live);
					const data = JSON.parse(event.data);
					if (event.type === 'problem') {
						if (data.status === 401) refused = token;
						problem = new Problem(data, data.status);
					} else {
						live();
						yield { type: event.type, data, id };
					}
				}
			} catch (error) {
				problem = problemOf(error);
			} finally {
				this.#pauses.delete(stop);
				for (const timer of Object.values(timers)) clearTimeout(timer);
				stop();
			}
			if (signal?.aborted) return;
			if (problem && !problem.passes && !refused) throw problem;
			if (problem) onState({ live: false, problem });
			// A stream that ends without a problem has reached its lifetime.
			const wait = problem ? pauseAfter(failures++, problem.wait) : retry * (0.5 + Math.random());
			await this.#pause(wait, problem?.wait, signal);
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

const either = (one, two) => (two ? AbortSignal.any([one, two]) : one);

/** Whatever else is thrown means that no answer came. */
const problemOf = (error) =>
	error instanceof Problem ? error : new Problem({ title: 'No answer', detail: 'confab cannot be reached', cause: error }, 0);

/** Doubles from half a second to half a minute, less up to half by chance; never shorter than confab asked for. */
const pauseAfter = (failures, asked) => Math.max(Math.min(500 * 2 ** failures, 30_000), asked * 2) * (0.5 + Math.random() / 2);

/** The value of `Retry-After`, seconds or a date, in milliseconds. */
const milliseconds = (value) => Math.max(0, value * 1000 || Date.parse(value) - Date.now() || 0);

/** Reads server-sent events: yields `type`, `data`, `id` and `retry` of each, and calls `heard` at each chunk. */
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
