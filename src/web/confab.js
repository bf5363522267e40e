/**
 * A client of confab without DOM, for browsers and Node 20. Import it from your confab, or copy it.
 *
 *     import { Confab, keep } from 'https://chat.example/confab.js';
 *     const confab = new Confab({ token: (refused) => myToken(refused) });
 *     await confab.send({ chat: 'alice:bob', text: 'Hi Bob' });
 *     const messages = [];
 *     for await (const event of confab.followChat('alice:bob', { after: '0' })) keep(messages, event);
 *
 * What may pass (no network, a 429, a 503) is tried again. Any other refusal is thrown as a `Problem`.
 */

/** Why confab refused, with the fields that it sent (`type`, `title`, `detail`, `field` ...). `status` is 0 if no answer came. */
export class Problem extends Error {
	constructor(fields, status, wait = 0) {
		super(fields.detail ?? `status ${status}`);
		// `wait` is `Retry-After` in milliseconds.
		Object.assign(this, fields, { status, wait });
	}

	/** Whether the same request may succeed later. */
	get passes() {
		return [0, 408, 429].includes(this.status) || this.status >= 500;
	}
}

/** A new idempotency key. (A page that came by plain HTTP has no `crypto.randomUUID`.) */
export const newKey = () =>
	Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');

/** Applies an event of `followChat` to an array of messages: it then holds what the chat holds, in order. */
export function keep(messages, { type, data }) {
	const lost = { reset: [data.index, Infinity], gap: [data.from, data.first_index] }[type] ?? [];
	const kept = messages.filter(({ index }) => !(index >= lost[0] && index < lost[1]));
	messages.splice(0, messages.length, ...kept, ...(type === 'message' ? [data] : []));
}

/** Applies an event of `followInbox` to an array of chats: it then holds your chats, the newest one first. */
export function keepChats(chats, { type, data }) {
	let kept = type === 'inbox' ? data.chats : chats.filter(({ chat }) => chat !== data.chat);
	if (type === 'chat') kept = [data, ...kept].sort((one, two) => two.last.send_time - one.last.send_time);
	chats.splice(0, chats.length, ...kept);
}

/** One person's way to one confab. Each method has an option `signal`, an `AbortSignal`. */
export class Confab {
	#self;
	#sending = new Map();
	#pauses = new Set();

	/**
	 * - `base`: where confab is; by default, where this module came from.
	 * - `name`: who you are, if confab is open.
	 * - `token`: if it is not, a function that returns the bearer token or a promise of it, for each request. After a 401 it is called with
	 *   the refused token: it returns a new one, or the 401 is thrown.
	 */
	constructor(options) {
		this.#self = { base: new URL('.', import.meta.url), token() {}, ...options };
	}

	/** Who confab says you are: `{ name, auth }`. */
	me(options) {
		return this.#ask('GET', 'api/me', options);
	}

	/**
	 * Returns `{ index, send_time, key }` when the text is stored: once, however many tries that takes, and in the order of the calls. To go
	 * on with a send after a reload, repeat it with its `key`. It tries for `patience` milliseconds (by default an hour: less than confab's
	 * `idempotency_window_s`). `onTry` receives the `Problem` of each try that failed.
	 */
	async send({ chat, text, sender = this.#self.name, key = newKey() }, options) {
		const before = this.#sending.get(chat);
		const sent = (async () => {
			await before?.catch(() => {});
			const parts = { headers: { 'Idempotency-Key': `"${key}"` }, body: { chat, text, sender } };
			return { ...(await this.#ask('POST', 'api/send', { patience: 3_600_000, ...options, ...parts })), key };
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
		return this.#ask('GET', 'api/inbox', { ...options, query: { name: this.#self.name, ...fields } });
	}

	/** Says that you have read a chat up to a `position`, that of a page or the id of an event. It never goes back. */
	read(chat, position, options) {
		return this.#ask('POST', 'api/read', { ...options, body: { name: this.#self.name, chat, position } });
	}

	/**
	 * Yields `{ type, data, id }` for each event of a chat: `open`, then `message`, `reset` and `gap` (see `keep`). It begins after the id or
	 * position `after` ('0': the chat's start), or else with the next message, and goes on over as many streams as it takes until `signal`
	 * aborts. `onState` receives `{ live: true }`, or `{ live: false, problem }` between tries.
	 */
	followChat(chat, options) {
		return this.#follow('api/stream', { chat }, options);
	}

	/** The same for all your chats, by one stream: yields `inbox`, `chat` and `gone` (see `keepChats`). */
	followInbox(options) {
		return this.#follow('api/inbox/stream', { name: this.#self.name }, options);
	}

	/** Tries at once, unless confab asked for a pause, and begins streams anew: for when the network is back. */
	wake() {
		for (const end of this.#pauses) end();
	}

	/** Makes a request until it succeeds, cannot succeed, or `patience` is over. */
	async #ask(method, path, { patience = 60_000, onTry, signal, ...options } = {}) {
		const end = Date.now() + patience;
		for (let failures = 0; ; failures++) {
			try {
				// confab answers within 28 s.
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
		const url = new URL(path, this.#self.base);
		for (const [name, value] of Object.entries(query)) if (value !== undefined) url.searchParams.set(name, value);
		for (let tries = 0; ; tries++) {
			const token = await this.#self.token(refused);
			const response = await fetch(url, {
				method, signal,
				headers: { ...headers, ...(token && { Authorization: `Bearer ${token}` }) },
				body: body && JSON.stringify(body),
			});
			if (response.ok) return { response, token };
			if (response.status !== 401 || tries > 1 || !token || token === refused) {
				const fields = await response.json().catch(() => ({}));
				throw new Problem(fields, response.status, response.headers.get('Retry-After') * 1000 || 0);
			}
			refused = token;
		}
	}

	async *#follow(path, query, { after: id, signal, onState = () => {} } = {}) {
		let [retry, failures, refused] = [1000, 0];
		while (!signal?.aborted) {
			const [stream, timers] = [new AbortController(), {}];
			const stop = () => stream.abort();
			// A heartbeat comes every 15 s: a stream that is silent for longer is dead.
			const heard = () => {
				clearTimeout(timers.silence);
				timers.silence = setTimeout(stop, 50_000);
			};
			const live = () => {
				failures = 0;
				onState({ live: true });
			};
			const old = refused;
			let problem;
			refused = undefined;
			this.#pauses.add(stop);
			heard();
			try {
				const headers = id && { 'Last-Event-ID': id };
				const { response, token } = await this.#request('GET', path, { query, headers, refused: old, signal: either(stream.signal, signal) });
				// A resumed stream may have nothing to say.
				timers.live = setTimeout(live, 1000);
				for await (const { event: type = 'message', ...fields } of events(response.body, heard)) {
					({ retry = retry, id = id } = fields);
					if (!fields.data) continue;
					clearTimeout(timers.live);
					const data = JSON.parse(fields.data);
					if (type === 'problem') {
						if (data.status === 401) refused = token;
						problem = new Problem(data, data.status);
					} else {
						live();
						yield { type, data, id };
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
			const wait = problem ? pauseAfter(failures++, problem.wait) : Number(retry);
			await this.#pause(wait, problem?.wait, signal);
		}
	}

	async #pause(wait, asked, signal) {
		let timer, end;
		await new Promise((resolve) => {
			timer = setTimeout((end = resolve), wait);
			if (!asked) this.#pauses.add(end);
			signal?.addEventListener('abort', end, { once: true });
		});
		clearTimeout(timer);
		this.#pauses.delete(end);
	}
}

const either = (one, two) => (two ? AbortSignal.any([one, two]) : one);

/** Whatever else is thrown means that no answer came. */
const problemOf = (error) => (error instanceof Problem ? error : new Problem({ detail: 'confab cannot be reached', cause: error }, 0));

/** Doubles from half a second to half a minute, at random up to half less; never less than confab asked for. */
const pauseAfter = (failures, asked) => Math.max(Math.min(500 * 2 ** failures, 30_000), asked * 2) * (0.5 + Math.random() / 2);

/** Reads server-sent events: yields the fields of each, and calls `heard` at each chunk. */
async function* events(body, heard) {
	const reader = body.pipeThrough(new TextDecoderStream()).getReader();
	let [rest, event] = ['', {}];
	for (;;) {
		const { done, value } = await reader.read();
		if (done) return;
		heard();
		const lines = (rest + value).split(/\r?\n/);
		rest = lines.pop();
		for (const line of lines) {
			const [, field, value] = /^([^:]*):? ?(.*)$/s.exec(line);
			if (line) event[field] = field === 'data' && event.data ? `${event.data}\n${value}` : value;
			else {
				yield event;
				event = {};
			}
		}
	}
}
