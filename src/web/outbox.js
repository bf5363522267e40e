// What a person has written and confab has not acknowledged.

import { here, save, saved } from './here.js';
import { newKey } from './confab.js';

export class Outbox {
	/** `changed` receives each note that has changed. */
	constructor(changed) {
		this.changed = changed;
		this.key = `outbox of ${here.me}`;
		this.notes = saved(this.key) ?? [];
	}

	get isUnsent() {
		return this.notes.some(({ index }) => index === undefined);
	}

	resume() {
		for (const note of this.notes) {
			note.began ??= note.send_time / 1000;
			if (!note.failed) this.deliver(note);
		}
	}

	add(chat, text, from) {
		const note = { chat, sender: here.me, text, key: newKey(), from, send_time: Date.now() * 1000 };
		this.notes.push(note);
		this.keep();
		return note;
	}

	async deliver(note) {
		const { confab, signal } = here;
		delete note.failed;
		this.changed(note);
		const onTry = (_, began) => this.keep((note.began = began));
		try {
			note.index = (await confab.send(note, { signal, patience: Infinity, onTry })).index;
		} catch (problem) {
			if (signal.aborted) return;
			note.isUnknown = problem.stored === null;
			note.failed = note.isUnknown ? 'Nobody knows whether this was sent.' : `Not sent: ${problem.message}`;
		}
		this.changed(note);
	}

	/** Tries again; with a new key, if confab may have forgotten the old one. */
	again(note) {
		if (note.isUnknown) Object.assign(note, { key: newKey(), began: undefined });
		this.deliver(note);
	}

	drop(note) {
		this.notes = this.notes.filter((other) => other !== note);
		this.changed(note);
	}

	/** Forgets what is acknowledged and not awaited. */
	settle(isAwaited) {
		this.notes = this.notes.filter((note) => note.index === undefined || isAwaited(note));
		this.keep();
	}

	/** While something is unsent, the browser asks before the page goes. */
	keep() {
		save(this.key, this.notes);
		onbeforeunload = this.isUnsent ? (event) => event.preventDefault() : null;
	}
}
