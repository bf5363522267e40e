/**
 * Applies an event of `followChat`, or a page of `pull`, to an array of messages: it then holds what the chat holds, in order.
 * @param {T.Message[]} messages @param {T.ChatEvent | T.MessagePageEvent} event
 */
export function keep(messages: T.Message[], event: T.ChatEvent | T.MessagePageEvent): void;
/**
 * Applies an event of `followInbox`, or a page of `inbox`, to an array of chats: it then holds your chats, the newest one first.
 * @param {T.Chat[]} chats @param {T.InboxEvent | T.PageEvent} event
 */
export function keepChats(chats: T.Chat[], event: T.InboxEvent | T.PageEvent): void;
/** Whether a place comes before another, as it is newer. @param {string} one @param {string} two */
export function isAbove(one: string, two: string): boolean;
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
    constructor(fields: T.ProblemFields, status: number, wait?: number);
    type: string | undefined;
    field: string | undefined;
    epoch: number | undefined;
    index: number | undefined;
    stored: boolean | null | undefined;
    status: number;
    wait: number;
    /** Whether confab said it, not something on the way. */
    get own(): boolean;
    /** Whether the same request may succeed later. */
    get passes(): boolean;
}
export function newKey(): string;
/** One person's way to one confab. */
export class Confab {
    /** @param {T.Self} [options] */
    constructor(options?: T.Self);
    /** Who confab says you are, and what a client must know of it. @param {T.Options} [options] @returns {Promise<T.Me>} */
    me(options?: T.Options): Promise<T.Me>;
    /**
     * Returns when the text is stored: once, however many tries that takes, and in the order of the calls. It tries for an hour or
     * `patience`, but no longer than confab remembers the key. Then it looks; if nobody can know, the `Problem` has `stored: null`.
     * @param {T.Draft} draft @param {T.Options} [options] @returns {Promise<T.Receipt>}
     */
    send({ chat, text, data, sender, key, began, from }: T.Draft, options?: T.Options): Promise<T.Receipt>;
    /** One page of a chat. @param {string} chat @param {T.PullFields} [fields] @param {T.Options} [options] @returns {Promise<T.Page>} */
    pull(chat: string, fields?: T.PullFields, options?: T.Options): Promise<T.Page>;
    /** One page of your chats. @param {T.InboxFields} [fields] @param {T.Options} [options] @returns {Promise<T.Inbox>} */
    inbox(fields?: T.InboxFields, options?: T.Options): Promise<T.Inbox>;
    /**
     * Says that you have read a chat up to the `position` of a page or the id of an event.
     * @param {string} chat @param {string} position @param {T.Options} [options] @returns {Promise<T.Marked>}
     */
    read(chat: string, position: string, options?: T.Options): Promise<T.Marked>;
    /** Takes a message of your own back, for everybody. @param {T.Deletion} message @param {T.Options} [options] @returns {Promise<{ deleted: true }>} */
    delete({ chat, epoch, index, send_time }: T.Deletion, options?: T.Options): Promise<{
        deleted: true;
    }>;
    /**
     * Sets what is your own of a chat, or as a service whether it is `open`, and returns what is set.
     * @param {string} chat @param {T.Settings} settings @param {T.Options} [options] @returns {Promise<T.Settings & { chat: string }>}
     */
    set(chat: string, settings: T.Settings, options?: T.Options): Promise<T.Settings & {
        chat: string;
    }>;
    /**
     * Yields each event of a chat (see `keep`) after the id or position `after` ('0': the chat's start), or else from now on, until `signal`
     * aborts. `onState` receives whether it is `live`, and else the `problem`.
     * @param {string} chat @param {T.FollowOptions} [options] @returns {T.ChatEvents}
     */
    followChat(chat: string, options?: T.FollowOptions): T.ChatEvents;
    /** Yields what happens in your chats (see `keepChats`). @param {T.FollowOptions} [options] @returns {T.InboxEvents} */
    followInbox(options?: T.FollowOptions): T.InboxEvents;
    /** For when the network is back: begins anew, and at once unless confab asked for a pause. */
    wake(): void;
    #private;
}
import type * as T from './types.d.ts';
