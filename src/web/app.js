// The chat page: shows what confab.js receives. Texts enter the page by `textContent` only.
import { Confab, keep, keepChats, newKey } from './confab.js';

const $ = (id) => document.getElementById(id);
const saved = (name) => JSON.parse(sessionStorage.getItem(name));
const save = (name, value) => sessionStorage.setItem(name, JSON.stringify(value));
const fold = (name) => name.normalize('NFC').toLowerCase();
const inHash = () => new URLSearchParams(location.hash.slice(1));
const say = (element, text) => element.textContent === text || (element.textContent = text);
const make = (tag, fields, ...children) => {
	const element = Object.assign(document.createElement(tag), fields);
	element.append(...children);
	return element;
};

const clock = (date) => date.toLocaleTimeString([], { hour: 'numeric', minute: '2-digit' });
const dayOf = (date) => {
	const days = Math.round((new Date().setHours(0, 0, 0, 0) - new Date(date).setHours(0, 0, 0, 0)) / 864e5);
	return ['Today', 'Yesterday'][days] ?? date.toLocaleDateString([], { dateStyle: 'long' });
};

let me, confab, older;
let view; // The open chat.
const [chats, rows, inbox] = [[], new Map(), Promise.withResolvers()];
const outbox = saved('outbox') ?? []; // What is not acknowledged yet, over reloads too.

/** Makes `nodes` the children of a list, without touching those that are in place. */
function arrange(list, nodes) {
	const focused = document.activeElement;
	let at = list.firstChild;
	for (const node of nodes) {
		if (node === at) at = at.nextSibling;
		else list.insertBefore(node, at);
	}
	while (at) [at] = [at.nextSibling, at.remove()];
	if (list.contains(focused)) focused.focus();
}

// The list of chats

function row(name) {
	const face = make('span', { ariaHidden: 'true' }, [...name][0]);
	face.style.setProperty('--hue', [...name].reduce((hue, letter) => (hue * 31 + letter.codePointAt()) % 360, 7));
	const parts = [make('b', {}, name), make('time'), make('i'), make('em')];
	return make('li', {}, make('a', { href: `#${new URLSearchParams({ with: name })}` }, face, ...parts));
}

function showChats() {
	const items = chats.map((chat) => {
		if (!rows.has(chat.with)) rows.set(chat.with, row(chat.with));
		const item = rows.get(chat.with);
		const [, , time, text, count] = item.firstChild.children;
		const date = new Date(chat.last.send_time / 1000);
		say(time, dayOf(date) === 'Today' ? clock(date) : date.toLocaleDateString([], { day: 'numeric', month: 'short' }));
		say(text, `${fold(chat.last.sender) === me ? 'You: ' : ''}${chat.last.text}`);
		say(count, chat.unread ? `${chat.unread}` : '');
		count.title = `${chat.unread} unread`;
		item.firstChild.ariaCurrent = chat === entryOf(view) ? 'page' : null;
		return item;
	});
	arrange($('chats'), items);
	$('chats').ariaBusy = 'false';
	$('none').hidden = items.length > 0;
	$('more').hidden = !older;
	const unread = chats.reduce((sum, chat) => sum + chat.unread, 0);
	document.title = unread ? `(${unread}) confab` : 'confab';
}

$('more').onclick = async () => {
	const page = await confab.inbox({ before: older }).catch(refused);
	if (!page) return;
	chats.push(...page.chats.filter((one) => !chats.some(({ chat }) => chat === one.chat)));
	older = page.next;
	showChats();
};
$('begin').onsubmit = (event) => {
	event.preventDefault();
	location.hash = new URLSearchParams({ with: $('with').value.trim() });
	$('with').value = '';
};

// The open chat

const entryOf = (there) => chats.find((chat) => chat.with === there?.name);
const toEnd = () => ($('log').scrollTop = 1e9);

/** The messages, and then what is being sent. A message that came back before its acknowledgement is shown once. */
function linesOf({ chat, messages, items }) {
	const pending = outbox.filter((sending) => sending.chat === chat);
	const lines = messages.map((message) => {
		const own = fold(message.sender) === me;
		const is = ({ index = message.index, from, text }) => index === message.index && index >= from && text === message.text;
		const [sent] = own ? pending.splice(pending.findIndex(is) >>> 0, 1) : [];
		if (sent && !items.has(message.index)) items.set(message.index, items.get(sent.key));
		return { ...message, own, key: message.index };
	});
	return [...lines, ...pending.map((sending) => ({ ...sending, own: true, sending }))];
}

function stateOf({ sending, index, own }, latest) {
	if (sending && index === undefined) return sending.failed ?? (sending.late ? 'Not sent yet, trying again …' : 'Sending …');
	return own && index === latest ? (index < entryOf(view)?.read_by_other ? 'Seen' : 'Sent') : '';
}

function show() {
	if (!view?.loaded) return;
	const [lines, nodes] = [linesOf(view), []];
	const item = (key, ...fresh) => {
		if (!view.items.get(key)) view.items.set(key, make('li', { className: 'day' }, ...fresh));
		nodes.push(view.items.get(key));
		return nodes.at(-1);
	};
	const close = (one, two) => one?.own === two?.own && Math.abs(one.send_time - two.send_time) < 3e8;
	const latest = lines.findLast(({ own, index }) => own && index !== undefined)?.index;
	let before;
	for (const [place, line] of lines.entries()) {
		const date = new Date(line.send_time / 1000);
		line.day = dayOf(date);
		if (line.day !== before?.day) before = item(line.day, line.day) && undefined;
		if (place && line.index === view.fresh) before = item('fresh', 'New') && undefined;
		const node = item(line.key, make('p'), make('small'));
		const [state, waits, failed] = [stateOf(line, latest), line.sending && line.index === undefined, line.sending?.failed];
		node.className = `${line.own ? 'own' : ''} ${close(before, line) ? 'next' : ''} ${waits ? 'waits' : ''} ${failed ? 'failed' : ''}`;
		say(node.children[0], line.text);
		say(node.children[1], waits ? state : state || !close(line, lines[place + 1]) ? `${clock(date)} ${state && `· ${state}`}` : '');
		if (failed && !node.children[2]) node.append(...choices(line.sending));
		else if (!failed) [...node.children].slice(2).forEach((choice) => choice.remove());
		before = line;
	}
	if (!nodes.length) item('hello', `Say hello to ${view.name}.`);
	const newest = view.messages.at(-1)?.index;
	arrange($('messages'), nodes);
	if (view.low) toEnd();
	else if (view.newest < newest) $('down').hidden = false;
	view.newest = newest;
	if ($('log').scrollTop < 300) loadOlder(view);
	// What is at the end of the screen is read.
	if (!view.low || document.hidden || view.marked === view.position || !entryOf(view)?.unread) return;
	view.marked = view.position;
	confab.read(view.chat, view.position, view.options).catch(() => {});
}

async function loadOlder(there, limit = 50) {
	if (there.climbing || !there.more) return;
	there.climbing = true;
	try {
		const { epoch, messages, options } = there;
		const page = await confab.pull(there.chat, { reverse: true, before: messages[0].index, epoch, limit }, options);
		messages.unshift(...page.messages.reverse());
		there.more = page.has_more;
	} catch (problem) {
		there.more = false;
		refused(problem);
	}
	const [log, height] = [$('log'), $('log').scrollHeight];
	log.ariaBusy = 'true';
	if (there === view) show();
	if (!there.low) log.scrollTop += log.scrollHeight - height;
	log.ariaBusy = 'false';
	there.climbing = false;
}

/** Loads what is new in the open chat. Its position leaves nothing out and repeats nothing. */
async function update(there) {
	there.behind = true;
	if (there.updating || !there.loaded) return;
	there.updating = true;
	while (there.behind && there === view) {
		there.behind = false;
		try {
			const page = await confab.pull(there.chat, { ...there.from, limit: 200 }, there.options);
			there.messages.push(...page.messages);
			Object.assign(there, { position: page.position, from: { after: page.position }, epoch: page.epoch });
			there.behind ||= page.has_more;
		} catch (problem) {
			if (problem.status !== 410) return refused(problem);
			// The chat log lost messages.
			keep(there.messages, { type: 'reset', data: problem });
			there.from = { cursor: problem.index, epoch: problem.epoch };
			there.behind = true;
		}
		settle();
	}
	there.updating = false;
}

async function openChat() {
	keepPlace();
	view?.left.abort();
	view = undefined;
	const name = inHash().get('with');
	document.body.dataset.view = name ? 'chat' : 'list';
	showChats();
	if (!name) return;
	const left = new AbortController();
	const there = (view = { name: fold(name), chat: `${me}:${fold(name)}`, items: new Map(), left, low: true });
	there.options = { signal: left.signal, patience: Infinity };
	const place = saved(`place ${there.name}`);
	say($('other'), there.name);
	say($('write').firstElementChild, `Message to ${there.name}`);
	arrange($('messages'), []);
	$('messages').ariaBusy = 'true';
	$('down').hidden = true;
	$('text').value = place?.draft ?? '';
	$(matchMedia('(pointer: fine)').matches ? 'text' : 'other').focus();
	try {
		await inbox.promise;
		const entry = entryOf(there);
		there.fresh = entry?.unread ? entry.read : -1;
		const { messages, position, epoch, has_more } = await confab.pull(there.chat, { reverse: true, limit: 40 }, there.options);
		Object.assign(there, { messages: messages.reverse(), position, epoch, more: has_more, from: { after: position } });
		while (there.more && messages[0].index > place?.index) await loadOlder(there, 500);
		if (there !== view) return;
		$('messages').ariaBusy = 'false';
		there.low = place?.index === undefined;
		there.loaded = there.climbing = true;
		show();
		there.items.get(place?.index)?.scrollIntoView();
		there.climbing = false;
		update(there);
	} catch (problem) {
		refused(problem);
	}
}

/** Keeps the place in the chat, and what is written but not sent, for when it is opened again. */
function keepPlace() {
	if (!view) return;
	const top = $('log').getBoundingClientRect().top;
	const index = view.low ? undefined : view.messages?.find((message) => view.items.get(message.index)?.getBoundingClientRect().top >= top)?.index;
	save(`place ${view.name}`, { draft: $('text').value, index });
}

// Sending

/** Forgets what is acknowledged, once it is among the messages on the screen. */
function settle() {
	const done = ({ chat, index }) => index !== undefined && !(chat === view?.chat && index > (view.messages?.at(-1)?.index ?? -1));
	outbox.filter(done).forEach(drop);
	save('outbox', outbox);
	show();
}

async function deliver(sending) {
	sending.failed = undefined;
	settle();
	try {
		const onTry = () => show((sending.late = true));
		sending.index = (await confab.send(sending, { onTry })).index;
		if (view?.chat === sending.chat) update(view);
	} catch (problem) {
		sending.failed = `Not sent: ${problem.detail ?? problem.message}`;
		if (problem.status === 401) refused(problem);
	}
	settle();
}

const drop = (sending) => outbox.splice(outbox.indexOf(sending), 1);
const choice = (text, onclick) => make('button', { className: 'quiet', onclick }, text);
const choices = (sending) => [
	choice('Try again', () => deliver(sending)),
	choice('Remove', () => {
		drop(sending);
		settle();
	}),
];

$('write').onsubmit = (event) => {
	event.preventDefault();
	const text = $('text').value.trim();
	if (!text) return;
	$('text').value = '';
	view.low = true;
	const from = view.loaded ? (view.messages.at(-1)?.index ?? -1) + 1 : 2 ** 52;
	outbox.push({ chat: view.chat, sender: me, text, key: newKey(), from, send_time: Date.now() * 1000 });
	deliver(outbox.at(-1));
};
$('text').onkeydown = (event) => {
	if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
	event.preventDefault();
	$('write').requestSubmit();
};

// The way in, and the connection

function enter(asked, why, bad = '') {
	document.body.dataset.view = 'entry';
	$('why').className = bad;
	say($('why'), why);
	say($('asked'), `Your ${asked}`);
	Object.assign($('key'), asked === 'name' ? { maxLength: 64, pattern: '[^:]+' } : { type: 'password' });
	$('key').focus();
	$('enter').onsubmit = (event) => {
		event.preventDefault();
		save(asked, $('key').value.trim());
		location.reload();
	};
}

function refused(problem) {
	if (problem.name === 'AbortError') return;
	if (problem.status === 401 && !saved('token')) enter('token', 'This confab asks who you are. Paste the token that your app gave you.');
	else if ([401, 403].includes(problem.status)) enter('token', `${problem.title}: ${problem.detail}`, 'bad');
	else showState({ problem });
}

function showState({ live, problem }) {
	const why = problem?.status ? problem.detail : 'Offline. What you write is sent when the network is back.';
	$('state').replaceChildren(...(live ? [] : [why, choice('Try now', () => confab.wake())]));
}

async function follow() {
	for await (const event of confab.followInbox({ onState: showState })) {
		keepChats(chats, event);
		if (event.type === 'inbox') older = event.data.next;
		inbox.resolve();
		showChats();
		if (!view) continue;
		if (event.type === 'inbox' || event.data.with === view.name) update(view);
		show();
	}
}

async function start() {
	const place = inHash();
	if (place.has('token')) {
		save('token', place.get('token'));
		place.delete('token');
		history.replaceState(null, '', `${location.pathname}#${place}`);
	}
	const token = (old) => (saved('token') === old ? undefined : saved('token'));
	confab = new Confab({ token });
	const { name, auth } = await confab.me({ patience: Infinity, onTry: (problem) => showState({ problem }) });
	showState({ live: true });
	$('banner').hidden = auth !== 'open';
	me = name ?? (saved('name') && fold(saved('name')));
	if (!me) return enter('name', 'Choose a name to write under.');
	confab = new Confab({ name: me, token });
	say($('me'), me);
	openChat();
	for (const sending of outbox) if (sending.sender === me && !sending.failed) deliver(sending);
	await follow();
}

$('leave').onclick = () => {
	view = sessionStorage.clear();
	location.replace(location.pathname);
};
$('log').onscroll = () => {
	if (!view?.loaded) return;
	const { scrollHeight, scrollTop, clientHeight } = $('log');
	const low = scrollHeight - scrollTop - clientHeight < 60;
	if (low) $('down').hidden = true;
	if (low !== view.low) show((view.low = low));
	if (scrollTop < 300) loadOlder(view);
};
$('down').onclick = toEnd;
new ResizeObserver(() => view?.low && toEnd()).observe($('log'));
document.onvisibilitychange = show;
addEventListener('hashchange', openChat);
addEventListener('pagehide', keepPlace);
addEventListener('online', () => confab.wake());
addEventListener('offline', () => showState({}));
start().catch(refused);
