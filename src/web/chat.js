// The open chat: its messages, its place on the screen, and how far it is read.

import { here, save, saved } from './here.js';
import { keep } from './confab.js';
import { $, arrange, bidi, choice, clock, dayOf, linked, make, say, words } from './dom.js';
import { addressOf } from './rows.js';

const log = $('log');
// On one day, in five minutes, by one person.
const isClose = (one, two) => one?.own === two?.own && one.day === two.day && two.send_time - one.send_time < 3e8;

export class OpenChat {
	messages = [];
	items = new Map(); // By a message's index, a note's key, or a day.
	read = 0; // What is below this index is read.
	newest = -1; // The last index shown.
	isLow = true; // Whether the end is shown.
	hasMore = true;
	left = new AbortController();
	options = { signal: this.left.signal, patience: Infinity };

	constructor(name) {
		this.name = name;
		this.chat = `${here.me}:${name}`;
		this.key = `place of ${here.me} with `;
	}

	get entry() {
		return here.list.find(this.chat);
	}

	get last() {
		return this.messages.at(-1)?.index ?? -1;
	}

	async open() {
		$('text').value = '';
		this.showName();
		arrange($('messages'), []);
		$('messages').ariaBusy = 'true';
		$('down').hidden = true;
		$('menu').open = false;
		$('menu').hidden = $('blocked').hidden = true;
		$(matchMedia('(pointer: fine)').matches ? 'text' : 'other').focus();
		this.known = here.ready.promise.then(() => this.identify());
		await this.known;
		const index = saved(this.key + this.name)?.index;
		do await this.loadOlder();
		while (this.hasMore && this.messages[0].index > index);
		if (!this.entry && this.messages.length) await this.find();
		if (this.left.signal.aborted) return;
		$('messages').ariaBusy = 'false';
		this.isLow = index === undefined;
		this.isLoaded = this.isRising = true;
		here.changed();
		this.items.get(index)?.scrollIntoView();
		this.isRising = false;
		this.loadNewer();
	}

	leave() {
		this.keepPlace();
		this.left.abort();
	}

	showName() {
		say($('other'), this.name);
		$('write').firstElementChild.replaceChildren('Message to ', bidi(this.name));
		$('text').value ||= saved(this.key + this.name)?.draft ?? '';
	}

	/** Learns the name's one form: from the list, or by a mark that moves nothing. */
	async identify() {
		this.left.signal.throwIfAborted();
		const listed = here.list.chats.find((chat) => chat.with === this.name);
		const { chat, read } = listed ?? (await here.confab.read(this.chat, '0', this.options));
		for (const note of here.outbox.notes) if (note.chat === this.chat) note.chat = chat;
		[this.chat, this.read] = [chat, read];
		this.name = chat.split(':').find((name) => name !== here.me) ?? here.me;
		history.replaceState(null, '', addressOf(this.name));
		this.showName();
	}

	/** Brings a chat into the list that is further down. */
	async find() {
		const before = `${this.messages.at(-1).send_time + 1}:${this.chat}`;
		const { chats } = await here.confab.inbox({ limit: 1, before }, this.options);
		if (chats[0]?.chat === this.chat && !this.entry) here.list.apply({ type: 'chat', data: chats[0] });
	}

	async loadOlder() {
		if (this.isRising || !this.hasMore) return;
		this.isRising = true;
		try {
			const fields = { reverse: true, before: this.messages[0]?.index, epoch: this.epoch, limit: 50 };
			const page = await here.confab.pull(this.chat, fields, this.options);
			if (!this.messages.length) this.continueAfter(page);
			keep(this.messages, { type: 'page', data: page });
			this.hasMore = page.has_more;
		} catch (problem) {
			this.hasMore = false;
			here.refused(problem);
		}
		const height = log.scrollHeight;
		log.ariaBusy = 'true';
		this.show();
		if (!this.isLow) log.scrollTop += log.scrollHeight - height;
		log.ariaBusy = 'false';
		this.isRising = false;
	}

	continueAfter({ position, epoch }) {
		Object.assign(this, { position, epoch, from: { after: position } });
	}

	async loadNewer() {
		this.isBehind = true;
		if (this.isUpdating || !this.isLoaded) return;
		this.isUpdating = true;
		while (this.isBehind && !this.left.signal.aborted) {
			this.isBehind = false;
			try {
				const page = await here.confab.pull(this.chat, { ...this.from, limit: 200 }, this.options);
				keep(this.messages, { type: 'page', data: page });
				this.continueAfter(page);
				this.isBehind ||= page.has_more;
			} catch (problem) {
				if (problem.status !== 410) here.refused(problem);
				else this.lose(problem);
			}
			this.settle();
		}
		this.isUpdating = false;
	}

	/** The chat log has lost messages. */
	lose({ index, epoch }) {
		keep(this.messages, { type: 'reset', data: { index } });
		this.read = Math.min(this.read, index);
		this.from = { cursor: index, epoch };
		this.isBehind = true;
	}

	write(text) {
		this.isLow = true;
		const note = here.outbox.add(this.chat, text, this.isLoaded ? this.last + 1 : undefined);
		this.show();
		const deliver = () => here.outbox.deliver(note);
		this.known.then(deliver, deliver);
	}

	changed({ chat, index }) {
		if (chat === this.chat && index >= this.read) {
			// To send moves the mark.
			this.read = index + 1;
			this.loadNewer();
		}
		this.settle();
	}

	/** Forgets the notes that are among the messages. */
	settle() {
		if (this.left.signal.aborted) return;
		here.outbox.settle(({ chat, index }) => chat === this.chat && index > this.last);
		this.show();
	}

	/** The messages, then what is being sent. A message that comes before its acknowledgement is shown once. */
	lines() {
		const pending = new Set(here.outbox.notes.filter((note) => note.chat === this.chat));
		const lines = this.messages.map((message) => {
			const { index, text, member } = message;
			const own = member === here.me;
			const note = own && [...pending].find((note) => text === note.text && index === (note.index ?? index) && index >= note.from);
			pending.delete(note);
			if (note && !this.items.has(index)) this.items.set(index, this.items.get(note.key));
			return { ...message, own, key: index };
		});
		lines.push(...[...pending].map((note) => ({ ...note, own: true, waits: note.index === undefined, note })));
		for (const line of lines) {
			line.date = new Date(line.send_time / 1000);
			line.day = line.date.toDateString();
		}
		return lines;
	}

	/** Sets what is this person's own of the chat. */
	set(settings) {
		here.confab.set(this.chat, settings, this.options).then(
			(set) => {
				if (this.entry) Object.assign(this.entry, set);
				here.changed();
			},
			(problem) => here.refused(problem),
		);
	}

	showSettings() {
		const { blocked, muted } = this.entry ?? {};
		const name = bidi(this.name);
		$('menu').hidden = !this.entry;
		$('block').hidden = this.name === here.me;
		for (const [id, is, what, change, words] of [
			['mute', muted, ['Mute', 'Unmute'], { muted: !muted }, ['Not counted in the title of this page.']],
			['block', blocked, ['Block', 'Unblock'], { blocked: !blocked }, [name, ' can write no longer, and learns it by writing.']],
		]) {
			say($(id), what[Number(!!is)]);
			$(id).onclick = () => this.set(change);
			$(id).nextElementSibling.replaceChildren(...words);
		}
		$('blocked').hidden = !blocked;
		$('blocked').replaceChildren('You have blocked ', name.cloneNode(true), '. ', choice('Unblock', () => this.set({ blocked: false })));
	}

	show() {
		if (!this.isLoaded || this.left.signal.aborted) return;
		this.showSettings();
		const nodes = [];
		const lines = this.lines();
		const latest = lines.findLast(({ own, waits }) => own && !waits);
		lines.forEach((line, place) => {
			const { day, date } = line;
			const before = lines[place - 1];
			if (day !== before?.day) {
				nodes.push(this.item(day));
				say(nodes.at(-1), dayOf(date));
			}
			const mark = line !== latest ? '' : line.index < this.entry?.read_by_other ? ' · Seen' : ' · Sent';
			const time = mark || !isClose(line, lines[place + 1]) ? clock(date) + mark : '';
			nodes.push(this.bubble(line, isClose(before, line), time));
		});
		if (!nodes.length) nodes.push(this.item('hello', 'Say hello to ', bidi(this.name), '.'));
		arrange($('messages'), nodes);
		if (this.isLow) this.toEnd();
		else if (this.newest < this.last) $('down').hidden = false;
		this.newest = this.last;
		if (log.scrollTop < 300) this.loadOlder();
		this.mark();
	}

	item(key, ...parts) {
		if (!this.items.get(key)) this.items.set(key, make('li', { className: 'day' }, ...parts));
		return this.items.get(key);
	}

	/** Asks, and takes a message back. */
	take(message) {
		if (!confirm(`Delete “${words(message)}” for you and ${this.name}?`)) return;
		here.confab.delete({ ...message, chat: this.chat, epoch: this.epoch }, this.options).then(() => this.loadNewer(), here.refused);
	}

	bubble({ own, waits, failed, key, note, ...said }, isNext, time) {
		const item = this.item(key, make('p', { dir: 'auto' }), make('small'));
		const [line, state, ...buttons] = item.children;
		const text = words(said);
		item.className = `${own ? 'own' : ''} ${waits ? 'waits' : ''} ${failed ? 'failed' : ''} ${isNext ? 'next' : ''}`;
		say(line, text, linked(text));
		say(state, waits ? (failed ?? 'Sending …') : time);
		const { outbox } = here;
		const message = { ...said, index: key };
		const isMine = own && !note && here.auth !== 'open';
		const offered = failed
			? { 'Try again': () => outbox.again(note), Remove: () => outbox.drop(note) }
			: isMine
				? { Delete: () => this.take(message) }
				: {};
		if (Object.keys(offered).join() !== buttons.map((button) => button.textContent).join()) {
			buttons.forEach((button) => button.remove());
			item.append(...Object.entries(offered).map(([label, act]) => choice(label, act)));
		}
		return item;
	}

	/** What is at the end of the screen is read. */
	mark() {
		this.read = Math.max(this.read, this.entry?.read ?? 0);
		if (!this.isLow || document.hidden || this.last < this.read || this.marked === this.position) return;
		this.marked = this.position;
		const again = () => (this.marked = undefined);
		here.confab.read(this.chat, this.position).then(({ read }) => (this.read = read), again);
	}

	toEnd() {
		log.scrollTop = 1e9;
	}

	scroll() {
		const isLow = log.scrollHeight - log.scrollTop - log.clientHeight < 60;
		if (!this.isLoaded) return;
		if (isLow) $('down').hidden = true;
		if (isLow !== this.isLow) this.show((this.isLow = isLow));
		if (log.scrollTop < 300) this.loadOlder();
	}

	/** Keeps the place, and what is written but not sent. */
	keepPlace() {
		const top = (node) => node?.getBoundingClientRect().top;
		const first = this.messages.find(({ index }) => top(this.items.get(index)) >= top(log));
		const index = this.isLow ? undefined : first?.index;
		save(this.key + this.name, { draft: $('text').value, index });
	}
}
