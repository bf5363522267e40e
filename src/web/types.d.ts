// What confab sends, and what confab.js takes and yields. Not served: confab.js names these types for editors and for `tsc`.

import type { Problem } from './confab.js';

/** Who you are, and what a client must know of this confab. One before 0.3.0 sends the first two fields only. */
export interface Me {
	/** Your name in the one form: a message is yours if its `member` is equal to it. `null` if confab is open and you have named nobody. */
	name: string | null;
	auth: 'open' | 'required';
	/** After how many seconds of silence a stream sends a heartbeat. */
	stream_heartbeat_s?: number;
	/** How long confab may take to answer a request. */
	request_timeout_ms?: number;
	/** How long confab remembers an idempotency key, at least. */
	idempotency_window_s?: number;
	/** The most bytes of a text, in UTF-8. */
	max_text_bytes?: number;
	/** The most messages of a page. */
	max_page_messages?: number;
}

export interface Said {
	text: string;
	/** Who said it, as it was typed. */
	sender: string;
	/** Who said it, in the one form of the name: compare it with `me.name` or a chat's `with`. */
	member: string;
	/** When it was stored, in microseconds since 1970; greater than that of every earlier message of the chat. */
	send_time: number;
	/** Its place in the chat, from 0. */
	index: number;
	/** What it has besides its text: your app's own. */
	data?: Data;
}

/** A JSON object of at most 4,096 bytes. */
export type Data = Record<string, unknown>;

export interface Message extends Said {
	/** The chat, as you have written it. */
	chat: string;
}

/** A page of a chat. */
export interface Page {
	messages: Message[];
	has_more?: true;
	next_cursor?: number;
	epoch: number;
	/** The oldest index that is left, if older messages were removed. */
	first_index?: number;
	/** Up to where you have everything: the next page's `after`. */
	position?: string;
	/** What was deleted after the position that you have asked with. */
	deleted?: Deleted[];
}

/** A message that was deleted. */
export interface Deleted {
	/** The place that it had. */
	index: number;
	send_time: number;
	/** Who has deleted it; absent for the app itself. */
	by?: string;
}

/** A message to be deleted; epoch, index and time name one for ever. */
export interface Deletion {
	chat: string;
	/** That of a page or of the event `open`. */
	epoch: number;
	index: number;
	send_time: number;
}

/** A page of `pull` for `keep`. */
export interface MessagePageEvent {
	type: 'page';
	data: Page;
}

/** A chat in your inbox. */
export interface Chat {
	/** Both names in the one form, with a colon between them. */
	chat: string;
	/** The other's name in the one form. */
	with: string;
	/** The newest message; `cut` if its text is longer than what is here, `data_cut` if it has more data than is here. */
	last: Said & { cut?: true; data_cut?: true };
	epoch: number;
	unread: number;
	/** What is below this index is read by you. */
	read: number;
	read_position: string;
	/** What is below this index is read by the other. */
	read_by_other: number;
	read_by_other_position: string;
	/** You have blocked the other. */
	blocked?: true;
	/** You want to hear nothing of it. */
	muted?: true;
}

/** A page of your chats, the newest first. */
export interface Inbox {
	chats: Chat[];
	has_more?: true;
	/** The `before` of the next page. */
	next?: string;
	position?: string;
}

/** How far you have read a chat. */
export interface Marked {
	/** Both names in the one form. */
	chat: string;
	epoch: number;
	read: number;
	read_position: string;
	unread: number;
}

/** What is set for a chat: `blocked` and `muted` are your own. */
export interface Settings {
	/** Whether the other may not send. */
	blocked?: boolean;
	/** Whether you want to hear nothing of the chat. */
	muted?: boolean;
	/** Whether persons may send, if the deployment has `first_message = service`; set by a service. */
	open?: boolean;
}

export interface Receipt {
	index: number;
	send_time: number;
	/** The idempotency key of the send. */
	key: string;
}

/** A message to be sent: it has a text, or data, or both. */
export type Draft = Try & ({ text: string; data?: Data } | { text?: string; data: Data });

export interface Try {
	chat: string;
	/** By default you. */
	sender?: string;
	/** To repeat a send after a reload: its idempotency key. */
	key?: string;
	/** To repeat a send after a reload: when it was tried first, as `onTry` has received it. */
	began?: number;
	/** The least index that the message can have, if you know one. */
	from?: number;
}

export type ChatEvent =
	| { type: 'open'; data: { epoch: number; position: string }; id: string }
	| { type: 'message'; data: Message; id: string }
	| { type: 'deleted'; data: Deleted & { epoch: number }; id: string }
	| { type: 'reset'; data: { epoch: number; index: number }; id: string }
	| { type: 'gap'; data: { from: number; first_index: number }; id: string };

export type ChatEvents = AsyncGenerator<ChatEvent, void, void>;

export type InboxEvents = AsyncGenerator<InboxEvent, void, void>;

export type InboxEvent =
	| { type: 'inbox'; data: Inbox; id: string }
	| { type: 'chat'; data: Chat; id: string }
	| { type: 'gone'; data: { chat: string }; id: string };

/**
 * A page of `inbox` for `keepChats`; `before` is what it was asked for with. After an event `inbox`, what is below its `next` may be old
 * until that page is applied.
 */
export interface PageEvent {
	type: 'page';
	data: Inbox;
	before?: string;
}

export interface InboxFields {
	limit?: number;
	/** The `next` of the page before. */
	before?: string;
}

export interface PullFields {
	cursor?: number;
	limit?: number;
	reverse?: boolean;
	before?: number;
	epoch?: number;
	after?: string;
	wait?: number;
}

export interface Self {
	/** Where confab is; by default, where confab.js came from. */
	base?: string | URL;
	/** Who you are, if confab is open. */
	name?: string;
	/**
	 * If confab is not open: returns the bearer token for each request. After a 401 it is called with the refused token: it returns a new
	 * one, or the 401 is thrown.
	 */
	token?: (refused?: string) => string | null | undefined | Promise<string | null | undefined>;
}

export interface Options {
	signal?: AbortSignal;
	/** For how many milliseconds to try; by default 60,000, an hour for a send. */
	patience?: number;
	/** Receives the problem of each try that failed, and when that try began; of a send, the first try that may have stored it. */
	onTry?: (problem: Problem, began: number) => void;
}

export interface FollowOptions {
	/** The id or position after which it begins. */
	after?: string;
	signal?: AbortSignal;
	onState?: (state: State) => void;
}

/** Whether what you follow arrives, and else why not. */
export type State = { live: true; problem?: undefined } | { live: false; problem: Problem };

/** What a `Problem` is made of: the fields that confab sends. */
export interface ProblemFields {
	/** What kind of problem it is, as `/problems/invalid`. */
	type?: string;
	title?: string;
	detail?: string;
	/** The field at fault. */
	field?: string;
	/** Of a 410: the epoch of the chat's log today. */
	epoch?: number;
	/** Of a 410: what you have from this index on was lost. */
	index?: number;
	/** Of a send: `false` if nothing was stored, `null` if nobody can tell. */
	stored?: boolean | null;
	cause?: unknown;
}

/** A request of confab.js itself. */
export interface Request {
	path: string;
	query?: Record<string, string | number | boolean | undefined>;
	body?: object;
	headers?: Record<string, string>;
	keepalive?: boolean;
	/** The media type that the answer must have. */
	type?: string;
	/** A token that was refused. */
	refused?: string;
	/** What is sent, if anything. */
	send?: Draft;
}
