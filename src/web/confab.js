/**
 * A client of confab, for browsers and Node 20; docs/client.md has examples. What may pass (no network, a 429, a 503, what a proxy
 * answers) is tried again. Any other refusal is thrown as a `Problem`.
 *
 *     const confab = new Confab({ token: (refused) => myToken(refused) });
 *     await confab.send({ chat: 'alice:bob', text: 'Hi Bob' });
 *
 * @import * as T from './types.d.ts'
 */

/** Why confab refused, with the fields that it sent. `status` is 0 if no answer came. */
export class Problem extends Error {
	/** `wait` is `Retry-After` in milliseconds. @param {T.ProblemFields} fields @param {number} status */
	constructor(fields, status, wait = 0) {
		super(fields.detail ?? `status ${status}`);
		Object.assign(this, fields);
		this.type = fields.type;
		this.field = fields.field;
		this.epoch = fields.epoch;
		this.index = fields.index;
		this.stored = fields.stored;
		this.status = status;
		this.wait = wait;
	}

	/** Whether confab said it, not something on the way. */
	get own() {
		return !!this.type?.startsWith('/problems/');
	}

	/** Whether the same request may succeed later. */
	get passes() {
		return !this.own || [408, 429].includes(this.status) || this.status >= 500;
	}
}

/** A new idempotency key. (By plain HTTP there is no `crypto.randomUUID`.) */
export const newKey = () =>
	Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');

/** By array: the indexes of messages that were deleted, as an older page may come later. @type {WeakMap<T.Message[], Set<number>>} */
const deletions = new WeakMap();

/**
 * Applies an event of `followChat`, or a page of `pull`, to an array of messages: it then holds what the chat holds, in order.
 * @param {T.Message[]} messages @param {T.ChatEvent | T.MessagePageEvent} event
 */
export function keep(messages, event) {
	const { type, data } = event;
	const deleted = deletions.get(messages) ?? new Set();
	deletions.set(messages, deleted);
	// What was deleted below a gap is not told.
	let [from, to] = type === 'gap' ? [0, data.first_index] : [0, 0];
	if (type === 'reset') {
		[from, to] = [data.index, Infinity];
		for (const index of deleted) if (index >= from) deleted.delete(index);
	}
	for (const { index } of type === 'deleted' ? [data] : type === 'page' ? (data.deleted ?? []) : []) deleted.add(index);
	const come = type === 'message' ? [data] : type === 'page' ? data.messages : [];
	const places = new Set(come.map(({ index }) => index));
	const kept = messages.filter(({ index }) => (index < from || index >= to) && !places.has(index));
	const all = [...kept, ...come].filter(({ index }) => !deleted.has(index)).sort((one, two) => one.index - two.index);
	messages.splice(0, messages.length, ...all);
}

/**
 * Applies an event of `followInbox`, or a page of `inbox`, to an array of chats: it then holds your chats, the newest one first.
 * @param {T.Chat[]} chats @param {T.InboxEvent | T.PageEvent} event
 */
export function keepChats(chats, event) {
	const { type, data } = event;
	const come = type === 'gone' ? [] : type === 'chat' ? [data] : data.chats;
	const names = new Set((type === 'gone' ? [data] : come).map(({ chat }) => chat));
	const before = type === 'page' && event.before;
	// A page has all chats between two places.
	const covers = (/** @type {string} */ place) =>
		'chats' in data && (!before || isAbove(before, place)) && !(data.next && isAbove(data.next, place));
	const kept = chats.filter((chat) => !names.has(chat.chat) && !covers(placeOf(chat)));
	const all = [...come, ...kept].sort((one, two) => (isAbove(placeOf(one), placeOf(two)) ? -1 : 1));
	chats.splice(0, chats.length, ...all);
}

/** A chat's place among yours, as `next` has it. @param {T.Chat} chat */
const placeOf = ({ chat, last }) => `${last.send_time}:${chat}`;

/** Whether a place comes before another, as it is newer. @param {string} one @param {string} two */
export function isAbove(one, two) {
	const [first, second] = [one, two].map((place) => Number(place.slice(0, place.indexOf(':'))));
	return first === second ? one > two : first > second;
}

/** One person's way to one confab. */
export class Confab {
	/** @type {T.Self & { base: string | URL }} */
	#self;
	/** By chat: the index after that of the last send. @type {Map<string, Promise<number | undefined>>} */
	#sends = new Map();
	#wakes = new Set();
	/** @type {T.Me | undefined} */
	#me;

	/** @param {T.Self} [options] */
	constructor(options) {
		this.#self = { base: new URL('.', import.meta.url), ...options };
	}

	/** Who confab says you are, and what a client must know of it. @param {T.Options} [options] @returns {Promise<T.Me>} */
	async me(options) {
		return (this.#me = await this.#ask({ path: 'api/me', query: { name: this.#self.name } }, options));
	}

	/**
	 * Returns when the text is stored: once, however many tries that takes, and in the order of the calls. It tries for an hour or
	 * `patience`, but no longer than confab remembers the key. Then it looks; if nobody can know, the `Problem` has `stored: null`.
	 * @param {T.Draft} draft @param {T.Options} [options] @returns {Promise<T.Receipt>}
	 */
	async send({ chat, text = '', data, sender = this.#self.name, key = newKey(), began, from }, options) {
		const before = this.#sends.get(chat) ?? Promise.resolve(undefined);
		const headers = { 'Idempotency-Key': `"${key}"` };
		const sent = before.then((next) => {
			const send = { chat, text, data, sender, began, from: from ?? next };
			return this.#ask({ path: 'api/send', headers, body: { chat, text, data, sender }, send }, { patience: 3_600_000, ...options });
		});
		this.#sends.set(chat, sent.then(({ index }) => index + 1, () => before));
		const { index, send_time } = await sent;
		return { index, send_time, key };
	}

	/** One page of a chat. @param {string} chat @param {T.PullFields} [fields] @param {T.Options} [options] @returns {Promise<T.Page>} */
	pull(chat, fields, options) {
		return this.#ask({ path: 'api/pull', query: { chat, ...fields } }, options);
	}

	/** One page of your chats. @param {T.InboxFields} [fields] @param {T.Options} [options] @returns {Promise<T.Inbox>} */
	inbox(fields, options) {
		return this.#ask({ path: 'api/inbox', query: { name: this.#self.name, ...fields } }, options);
	}

	/**
	 * Says that you have read a chat up to the `position` of a page or the id of an event.
	 * @param {string} chat @param {string} position @param {T.Options} [options] @returns {Promise<T.Marked>}
	 */
	read(chat, position, options) {
		const body = { name: this.#self.name, chat, position };
		return this.#ask({ path: 'api/read', body, keepalive: true }, options);
	}

	/** Takes a message of your own back, for everybody. @param {T.Deletion} message @param {T.Options} [options] @returns {Promise<{ deleted: true }>} */
	delete({ chat, epoch, index, send_time }, options) {
		return this.#ask({ path: 'api/delete', body: { chat, epoch, index, send_time } }, options);
	}

	/**
	 * Sets what is your own of a chat, or as a service whether it is `open`, and returns what is set.
	 * @param {string} chat @param {T.Settings} settings @param {T.Options} [options] @returns {Promise<T.Settings & { chat: string }>}
	 */
	set(chat, settings, options) {
		const { blocked, muted } = settings;
		const name = (blocked ?? muted) === undefined ? undefined : this.#self.name;
		return this.#ask({ path: 'api/chat', body: { name, chat, ...settings } }, options);
	}

	/**
	 * Yields each event of a chat (see `keep`) after the id or position `after` ('0': the chat's start), or else from now on, until `signal`
	 * aborts. `onState` receives whether it is `live`, and else the `problem`.
	 * @param {string} chat @param {T.FollowOptions} [options] @returns {T.ChatEvents}
	 */
	followChat(chat, options) {
		return this.#follow('api/stream', { chat }, options);
	}

	/** Yields what happens in your chats (see `keepChats`). @param {T.FollowOptions} [options] @returns {T.InboxEvents} */
	followInbox(options) {
		return this.#follow('api/inbox/stream', { name: this.#self.name }, options);
	}

	/** For when the network is back: begins anew, and at once unless confab asked for a pause. */
	wake() {
		for (const wake of this.#wakes) wake();
	}

	/**
	 * Asks until it succeeds, cannot succeed, or `patience` is over; for a `send`, no longer than confab remembers it.
	 * @param {T.Request} request @param {T.Options} [options] @returns {Promise<any>}
	 */
	async #ask(request, { patience = 60_000, onTry, signal } = {}) {
		const { send } = request;
		const end = Date.now() + patience;
		for (let failures = 0; ; failures++) {
			const options = { patience: end - Date.now(), onTry, signal };
			if (send?.began && (await this.#isForgotten(send.began, options))) return this.#find(send, options);
			const began = Date.now();
			const attempt = this.#attempt(() => (this.#me?.request_timeout_ms ?? 28_000) + 12_000, signal);
			try {
				const { response } = await this.#request(request, attempt.signal);
				const answer = await response.json();
				attempt.end();
				return answer;
			} catch (error) {
				attempt.end();
				signal?.throwIfAborted();
				const problem = problemOf(error);
				const wait = pauseAfter(failures, problem.wait);
				if (send && problem.stored !== false && problem.status !== 429) send.began ??= began;
				if (!problem.passes || Date.now() + wait > end) throw problem;
				if (attempt.isWoken) continue;
				onTry?.(problem, send?.began ?? began);
				if (!this.#me && request.path !== 'api/me') await this.me({ patience: 0, signal }).catch(() => {});
				await this.#pause(wait, problem, signal);
			}
		}
	}

	/** @param {number} began @param {T.Options} options */
	async #isForgotten(began, options) {
		if (!this.#me) await this.me(options);
		// The least that any confab has.
		const window = (this.#me?.idempotency_window_s ?? 60) * 1000;
		return Date.now() > began + window - Math.min(this.#me?.request_timeout_ms ?? 28_000, window / 2);
	}

	/** Looks for a message that may be stored. @param {T.Draft} send @param {T.Options} options */
	async #find({ chat, text, data, sender, from, began = 0 }, options) {
		const problem = new Problem(UNKNOWN, 0);
		options.onTry?.(problem, began);
		for (let before; ; ) {
			const page = await this.pull(chat, { reverse: true, limit: 100, before }, options);
			const later = page.messages.filter(({ index, send_time }) => (from === undefined ? send_time >= began * 1000 : index >= from));
			const found = later.find((one) => one.text === text && JSON.stringify(one.data) === JSON.stringify(data) && (sender ? one.sender === sender : one.member === this.#me?.name));
			if (found) return found;
			if (!page.has_more || later.length < page.messages.length) throw problem;
			before = later.at(-1)?.index;
		}
	}

	/** Aborts a request by `signal`, `wake`, or a silence of `limit`. @param {() => number} limit @param {AbortSignal} [signal] */
	#attempt(limit, signal) {
		const controller = new AbortController();
		const abort = () => controller.abort();
		let heard = Date.now();
		const timer = setInterval(() => Date.now() - heard > limit() && abort(), 1000);
		const wake = () => {
			attempt.isWoken = true;
			abort();
		};
		const attempt = {
			signal: controller.signal,
			isWoken: false,
			hear: () => (heard = Date.now()),
			end: () => {
				clearInterval(timer);
				this.#wakes.delete(wake);
				signal?.removeEventListener('abort', abort);
				abort();
			},
		};
		this.#wakes.add(wake);
		signal?.addEventListener('abort', abort);
		if (signal?.aborted) abort();
		return attempt;
	}

	/** Makes a request, and again with a new token after a 401. @param {T.Request} request @param {AbortSignal} signal */
	async #request({ path, query = {}, body, headers, refused, keepalive, type = 'application/json' }, signal) {
		const url = new URL(path, this.#self.base);
		for (const [name, value] of Object.entries(query)) if (value !== undefined) url.searchParams.set(name, `${value}`);
		for (let tries = 0; ; tries++) {
			const token = (await this.#self.token?.(refused)) ?? undefined;
			const response = await fetch(url, {
				// A browser may keep a proxy's 410 for ever.
				method: body ? 'POST' : 'GET', signal, keepalive, cache: 'no-store',
				headers: { ...headers, ...(token && { Authorization: `Bearer ${token}` }) },
				body: body && JSON.stringify(body),
			});
			const { status } = response;
			const is = (/** @type {string} */ type) => response.headers.get('Content-Type')?.startsWith(type);
			if (response.ok && is(type)) return { response, token };
			const fields = is('application/problem+json') ? await response.json() : {};
			const problem = new Problem(fields, status, Number(response.headers.get('Retry-After')) * 1000 || 0);
			if (!problem.own) throw new Problem({ detail: `Something on the way to confab answered in its place (${status}).` }, status);
			if (status !== 401 || tries > 1 || !token || token === refused) throw problem;
			refused = token;
		}
	}

	/** @param {string} path @param {T.Request['query']} query @param {T.FollowOptions} [options] @returns {AsyncGenerator} */
	async *#follow(path, query, { after: id, signal, onState = () => {} } = {}) {
		/** @type {T.Request} */
		const request = { path, query, type: 'text/event-stream' };
		let [retry, failures] = [1000, 0];
		const live = () => {
			failures = 0;
			onState({ live: true });
		};
		while (!signal?.aborted) {
			// Three heartbeats.
			const attempt = this.#attempt(() => (this.#me?.stream_heartbeat_s ?? 15) * 3000 + 5000, signal);
			/** @type {Problem | undefined} */
			let problem;
			if (id) request.headers = { 'Last-Event-ID': id };
			try {
				const asked = this.#request({ ...request }, attempt.signal);
				request.refused = undefined;
				const { response, token } = await asked;
				// A resumed stream may have nothing to say.
				setTimeout(() => attempt.signal.aborted || live(), 1000);
				if (!this.#me) this.me({ patience: 0, signal }).catch(() => {});
				for await (const event of events(response, attempt.hear)) {
					if (event.retry) retry = Number(event.retry);
					id = event.id ?? id;
					if (!event.data) continue;
					const [type, data] = [event.event ?? 'message', JSON.parse(event.data)];
					if (type === 'problem') {
						if (data.status === 401) request.refused = token;
						problem = new Problem(data, data.status);
					} else {
						live();
						yield { type, data, id };
					}
				}
			} catch (error) {
				problem = problemOf(error);
			} finally {
				attempt.end();
			}
			if (signal?.aborted) return;
			if (attempt.isWoken) continue;
			if (problem && !problem.passes && !request.refused) throw problem;
			if (problem) onState({ live: false, problem });
			const wait = problem ? pauseAfter(failures++, problem.wait) : retry;
			await this.#pause(wait, problem, signal).catch(() => {});
		}
	}

	/** @param {number} wait @param {Problem} [problem] @param {AbortSignal} [signal] */
	async #pause(wait, problem, signal) {
		let end = () => {};
		await new Promise((resolve) => {
			const timer = setTimeout(resolve, wait);
			end = () => resolve(clearTimeout(timer));
			if (!problem?.wait) this.#wakes.add(end);
			signal?.addEventListener('abort', end);
			if (signal?.aborted) end();
		});
		this.#wakes.delete(end);
		signal?.removeEventListener('abort', end);
		signal?.throwIfAborted();
	}
}

const UNKNOWN = { type: '/problems/unknown', detail: 'nobody knows whether the message is stored', stored: null };

/** @param {unknown} error */
const problemOf = (error) => (error instanceof Problem ? error : new Problem({ detail: 'confab cannot be reached', cause: error }, 0));

/** Half a second to half a minute, at random up to half less; at least what is asked for. @param {number} failures @param {number} asked */
const pauseAfter = (failures, asked) => Math.max(Math.min(500 * 2 ** failures, 30_000), asked * 2) * (0.5 + Math.random() / 2);

/** Yields the fields of each server-sent event. @param {Response} response @param {() => void} hear */
async function* events(response, hear) {
	const decoder = /** @type {TransformStream<any, string>} */ (new TextDecoderStream());
	const reader = /** @type {ReadableStream} */ (response.body).pipeThrough(decoder).getReader();
	/** @type {Record<string, string>} */
	let event = {};
	let rest = '';
	for (;;) {
		const { done, value } = await reader.read();
		if (done) return;
		hear();
		const lines = (rest + value).split(/\r?\n/);
		rest = lines.pop() ?? '';
		for (const line of lines) {
			const [, field, value] = /^([^:]*):? ?(.*)$/s.exec(line) ?? [];
			if (line) event[field] = field === 'data' && event.data ? `${event.data}\n${value}` : value;
			else {
				yield event;
				event = {};
			}
		}
	}
}
