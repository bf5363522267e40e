// The list of chats on the screen.

import { here } from './here.js';
import { $, arrange, bidi, clock, dayOf, make, say, words } from './dom.js';

const rows = new Map();
const letters = new Intl.Segmenter();

export const addressOf = (name) => `#${new URLSearchParams({ with: name })}`;

function row(name) {
	const [{ segment: letter }] = letters.segment(name);
	const face = make('span', { ariaHidden: 'true' }, letter);
	face.style.setProperty('--hue', (letter.codePointAt() * 47) % 360);
	return make('li', {}, make('a', { href: addressOf(name) }, face, make('b', {}, bidi(name)), make('time'), make('i'), make('em')));
}

export function showRows(open) {
	const { list, me } = here;
	const items = list.chats.map((chat) => {
		if (!rows.has(chat.with)) rows.set(chat.with, row(chat.with));
		const item = rows.get(chat.with);
		const [, , time, text, count] = item.firstChild.children;
		const date = new Date(chat.last.send_time / 1000);
		const day = dayOf(date, 'short');
		const who = chat.last.member === me ? 'You: ' : '';
		say(time, day === 'Today' ? clock(date) : day);
		const said = words(chat.last);
		say(text, who + said, [who, bidi(said)]);
		say(count, chat.unread ? `${chat.unread}` : '');
		item.firstChild.ariaCurrent = chat.with === open ? 'page' : null;
		return item;
	});
	arrange($('chats'), items);
	$('chats').ariaBusy = 'false';
	$('none').hidden = items.length;
	$('more').hidden = !list.hasMore;
	const unread = list.chats.reduce((sum, chat) => sum + (chat.muted ? 0 : chat.unread), 0);
	document.title = unread ? `(${unread}${list.hasMore ? '+' : ''}) confab` : 'confab';
}
