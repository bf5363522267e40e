// The list of chats, newest first, as deep as the person has looked.

import { isAbove, keepChats } from './confab.js';

const END = '0:';

export class ChatList {
	chats = [];
	#next; // Before the next page.
	#goal; // How deep the list was before a new first page.
	#events = []; // What came while a page was loading.
	#isLoading = false;

	/** `load` returns the page after a place. */
	constructor(load) {
		this.load = load;
	}

	get hasMore() {
		return this.#next !== undefined;
	}

	find(chat) {
		return this.chats.find((one) => one.chat === chat);
	}

	/** Applies an event. Below a new first page all may be old: it is loaded again. */
	apply(event) {
		if (event.type === 'inbox') {
			if (this.chats.length) this.#goal ??= this.#next ?? END;
			this.#next = event.data.next;
		}
		this.#events.push(event);
		keepChats(this.chats, event);
		return this.loadOlder(0);
	}

	async loadOlder(pages = 1) {
		if (this.#isLoading) return;
		this.#isLoading = true;
		try {
			while (this.hasMore && (this.#goal ? isAbove(this.#next, this.#goal) : pages-- > 0)) {
				const before = this.#next;
				this.#events = [];
				const page = await this.load(before);
				// A new first page is newer than this one.
				if (this.#events.some(({ type }) => type === 'inbox')) continue;
				keepChats(this.chats, { type: 'page', data: page, before });
				this.#next = page.next;
				// What came meanwhile may be newer.
				for (const event of this.#events) keepChats(this.chats, event);
			}
			this.#goal = undefined;
		} finally {
			this.#isLoading = false;
		}
	}
}
