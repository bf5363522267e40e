// The chat page. Texts go in by `textContent` only.
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
const clock = (date) => date.toLocaleTimeString([], { timeStyle: 'short' });
const dayOf = (date, dateStyle = 'long') =>
	date >= new Date().setHours(0, 0, 0, 0) ? 'Today' : date.toLocaleDateString([], { dateStyle });

let me, confab, older;
let view; // The open chat.
const [chats, rows, inbox] = [[], new Map(), Promise.withResolvers()];
const outbox = saved('outbox') ?? []; // What is not acknowledged yet.

/** Makes `nodes` the children of a list, and leaves those alone that are in place. */
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

function row(name) {
	const face = make('span', { ariaHidden: 'true' }, [...name][0]);
	face.style.setProperty('--hue', [...name].reduce((hue, letter) => (hue * 31 + letter.codePointAt()) % 360, 7));
	const href = `#${new URLSearchParams({ with: name })}`;
	return make('li', {}, make('a', { href }, face, make('b', {}, name), make('time'), make('i'), make('em')));
}

function showChats() {
	const items = chats.map((chat) => {
		if (!rows.has(chat.with)) rows.set(chat.with, row(chat.with));
		const item = rows.get(chat.with);
		const [, , time, text, count] = item.firstChild.children;
		const date = new Date(chat.last.send_time / 1000);
		const day = dayOf(date, 'short');
		say(time, day === 'Today' ? clock(date) : day);
		say(text, `${fold(chat.last.sender) === me ? 'You: ' : ''}${chat.last.text}`);
		say(count, chat.unread ? `${chat.unread}` : '');
		item.firstChild.ariaCurrent = chat.with === view?.name ? 'page' : null;
		return item;
	});
	arrange($('chats'), items);
	$('chats').ariaBusy = 'false';
	$('none').hidden = items.length;
	$('more').hidden = !older;
	const unread = chats.reduce((sum, chat) => sum + chat.unread, 0);
	document.title = unread ? `(${unread}) confab` : 'confab';
}

$('more').onclick = async () => {
	const page = await confab.inbox({ before: older });
	chats.push(...page.chats.filter((one) => !chats.some(({ chat }) => chat === one.chat)));
	older = page.next;
	showChats();
};
$('begin').onsubmit = () => {
	location.hash = new URLSearchParams({ with: $('with').value.trim() });
	$('with').value = '';
	return false;
};

const entry = () => chats.find((chat) => chat.with === view.name);
const last = (there) => there?.messages.at(-1)?.index ?? -1;
const toEnd = () => ($('log').scrollTop = 1e9);

/** The messages, then what is being sent. A message that comes before its acknowledgement is shown once. */
function linesOf({ chat, messages, items }) {
	const pending = outbox.filter((note) => note.chat === chat);
	const lines = messages.map((message) => {
		const { index, text } = message;
		const own = fold(message.sender) === me;
		const at = pending.findIndex((sent) => own && index >= sent.from && text === sent.text && index === (sent.index ?? index));
		const [sent] = at < 0 ? [] : pending.splice(at, 1);
		if (sent && !items.has(index)) items.set(index, items.get(sent.key));
		return { ...message, own, key: index };
	});
	return [...lines, ...pending.map((note) => ({ ...note, own: true, waits: note.index === undefined, note }))];
}

function show() {
	if (!view?.loaded) return;
	const [lines, nodes] = [linesOf(view), []];
	const item = (key, ...parts) => {
		if (!view.items.get(key)) view.items.set(key, make('li', { className: 'day' }, ...parts));
		nodes.push(view.items.get(key));
		return nodes.at(-1);
	};
	const close = (one, two) => one?.own === two?.own && two.send_time - one.send_time < 3e8;
	const latest = lines.findLast(({ own, waits }) => own && !waits);
	lines.forEach((line, place) => {
		const { own, waits, failed, index, note } = line;
		const date = new Date(line.send_time / 1000);
		line.day = dayOf(date);
		let before = lines[place - 1];
		if (line.day !== before?.day) before = void item(line.day, line.day);
		const node = item(line.key, make('p'), make('small'));
		node.className = `${own ? 'own' : ''} ${waits ? 'waits' : ''} ${failed ? 'failed' : ''} ${close(before, line) ? 'next' : ''}`;
		const mark = line !== latest ? '' : index < entry()?.read_by_other ? ' · Seen' : ' · Sent';
		const time = mark || !close(line, lines[place + 1]) ? clock(date) + mark : '';
		say(node.children[0], line.text);
		say(node.children[1], waits ? (failed ?? 'Sending …') : time);
		if (failed && !node.children[2]) node.append(...choices(note));
		while (!failed && node.children[2]) node.children[2].remove();
	});
	if (!nodes.length) item('hello', `Say hello to ${view.name}.`);
	arrange($('messages'), nodes);
	const newest = last(view);
	if (view.low) toEnd();
	else if (view.newest < newest) $('down').hidden = false;
	view.newest = newest;
	if ($('log').scrollTop < 300) loadOlder(view);
	// What is at the end of the screen is read.
	if (!view.low || document.hidden || view.marked === view.position || !entry()?.unread) return;
	view.marked = view.position;
	confab.read(view.chat, view.position, view.options).catch(() => {});
}

async function loadOlder(there) {
	if (there.climbing || !there.more) return;
	there.climbing = true;
	const { epoch, messages, options } = there;
	try {
		const page = await confab.pull(there.chat, { reverse: true, before: messages[0]?.index, epoch, limit: 50 }, options);
		if (!messages.length) after(there, page);
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

const after = (there, { position, epoch }) => Object.assign(there, { position, epoch, from: { after: position } });

/** Loads what is new in the open chat. */
async function update(there) {
	there.behind = true;
	if (there.updating || !there.loaded) return;
	there.updating = true;
	while (there.behind && there === view) {
		there.behind = false;
		try {
			const page = await confab.pull(there.chat, { ...there.from, limit: 200 }, there.options);
			there.messages.push(...page.messages);
			after(there, page);
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
	document.body.className = name ? 'chat' : 'list';
	if (chats.length) showChats();
	if (!name) return;
	const left = new AbortController();
	const there = { name: fold(name), messages: [], items: new Map(), more: true, low: true, left };
	view = Object.assign(there, { chat: `${me}:${there.name}`, options: { signal: left.signal, patience: Infinity } });
	const place = saved(`place ${there.name}`);
	say($('other'), there.name);
	say($('write').firstElementChild, `Message to ${there.name}`);
	arrange($('messages'), []);
	$('messages').ariaBusy = 'true';
	$('down').hidden = true;
	$('text').value = place?.draft ?? '';
	$(matchMedia('(pointer: fine)').matches ? 'text' : 'other').focus();
	await inbox.promise;
	do await loadOlder(there);
	while (there.more && there.messages[0].index > place?.index);
	if (there !== view) return;
	$('messages').ariaBusy = 'false';
	there.low = place?.index === undefined;
	there.loaded = there.climbing = true;
	showChats();
	show();
	there.items.get(place?.index)?.scrollIntoView();
	there.climbing = false;
	update(there);
}

/** Keeps the place in the chat, and what is written but not sent. */
function keepPlace() {
	if (!view) return;
	const top = (node) => node?.getBoundingClientRect().top;
	const index = view.low ? undefined : view.messages.find(({ index }) => top(view.items.get(index)) >= top($('log')))?.index;
	save(`place ${view.name}`, { draft: $('text').value, index });
}

/** Forgets what is acknowledged and among the messages. */
function settle() {
	const shown = last(view);
	outbox.filter(({ chat, index }) => index !== undefined && (chat !== view?.chat || index <= shown)).forEach(drop);
	save('outbox', outbox);
	show();
}

async function deliver(note) {
	delete note.failed;
	settle();
	try {
		note.index = (await confab.send(note)).index;
		if (view?.chat === note.chat) update(view);
	} catch (problem) {
		note.failed = `Not sent: ${problem.message}`;
		if (problem.status === 401) refused(problem);
	}
	settle();
}

const drop = (note) => outbox.splice(outbox.indexOf(note), 1);
const choice = (text, onclick) => make('button', { className: 'quiet', onclick }, text);
const choices = (note) => [
	choice('Try again', () => deliver(note)),
	choice('Remove', () => settle(drop(note))),
];

$('write').onsubmit = () => {
	const text = $('text').value.trim();
	if (!text) return false;
	$('text').value = '';
	view.low = true;
	const from = view.loaded ? last(view) + 1 : 2 ** 52;
	outbox.push({ chat: view.chat, sender: me, text, key: newKey(), from, send_time: Date.now() * 1000 });
	deliver(outbox.at(-1));
	return false;
};
$('text').onkeydown = (event) => {
	if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
	event.preventDefault();
	$('write').requestSubmit();
};

function enter(asked, why, className = '') {
	document.body.className = 'entry';
	$('why').className = className;
	say($('why'), why);
	say($('asked'), `Your ${asked}`);
	Object.assign($('key'), asked === 'name' ? { maxLength: 64, pattern: '[^:]+' } : { type: 'password' });
	$('key').focus();
	$('enter').onsubmit = () => save(asked, $('key').value.trim()) || location.reload() || false;
}

function refused(problem) {
	if (problem.name === 'AbortError') return;
	if (![401, 403].includes(problem.status)) showState({ problem });
	else if (saved('token')) enter('token', `${problem.title}: ${problem.message}`, 'bad');
	else enter('token', 'Paste the token from your app.');
}

function showState({ live, problem }) {
	const why = problem?.status ? problem.message : 'Offline. What you write is sent when the network is back.';
	$('state').replaceChildren(...(live ? [] : [why, choice('Try now', () => confab.wake())]));
}

async function start() {
	const place = inHash();
	if (place.has('token')) {
		save('token', place.get('token'));
		place.delete('token');
		history.replaceState(null, '', `#${place}`);
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
	for (const note of outbox) if (note.sender === me && !note.failed) deliver(note);
	for await (const event of confab.followInbox({ onState: showState })) {
		keepChats(chats, event);
		if (event.type === 'inbox') older = event.data.next;
		inbox.resolve();
		showChats();
		if (view && [undefined, view.name].includes(event.data.with)) update(view);
		show();
	}
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
onhashchange = openChat;
onpagehide = keepPlace;
ononline = () => confab.wake();
onoffline = () => showState({});
start().catch(refused);
