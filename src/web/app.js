// The chat page: who is here, and which chat is open.

import { here, forget, save, saved } from './here.js';
import { OpenChat } from './chat.js';
import { Confab } from './confab.js';
import { $, bidi, choice, say } from './dom.js';
import { ChatList } from './list.js';
import { Outbox } from './outbox.js';
import { addressOf, showRows } from './rows.js';

let chat; // The open one.
let life = new AbortController();

const inHash = () => new URLSearchParams(location.hash.slice(1));
const token = (refused) => (saved('token') === refused ? undefined : saved('token'));

function stop() {
	chat = chat?.leave();
	here.me = undefined;
	life.abort();
}

async function start() {
	stop();
	life = new AbortController();
	document.body.className = 'loading';
	document.title = 'confab';
	const { signal } = life;
	const options = { signal, patience: Infinity, onTry: (problem) => showState({ problem }) };
	try {
		await takeToken(options);
		const { name: me, auth } = await new Confab({ name: saved('name') ?? undefined, token }).me(options);
		here.auth = auth;
		showState({ live: true });
		$('banner').hidden = auth !== 'open';
		if (me) await follow(me, signal);
		else enter('name', 'Choose a name to write under.');
	} catch (problem) {
		if (problem.own && problem.field === 'name') enter('name', problem.message, 'bad');
		else refused(problem);
	}
}

async function follow(me, signal) {
	save('me', me);
	say($('me'), me);
	const confab = new Confab({ name: me, token });
	const list = new ChatList((before) => confab.inbox({ before, limit: 100 }, { signal, patience: Infinity }));
	Object.assign(here, { me, confab, list, signal, changed, refused, ready: Promise.withResolvers() });
	here.outbox = new Outbox((note) => (chat ? chat.changed(note) : here.outbox.settle(() => false)));
	openChat();
	here.outbox.resume();
	// That the stream is live says nothing of what was refused.
	const onState = (state) => (state.live && shown.again) || showState(state);
	for await (const event of confab.followInbox({ signal, onState })) {
		list.apply(event).then(changed, refused);
		here.ready.resolve();
		changed();
		if (event.type === 'inbox' || event.data.chat === chat?.chat) chat?.loadNewer();
	}
}

function changed() {
	if (!here.me) return;
	showRows(chat?.name);
	chat?.show();
}

function openChat() {
	const name = inHash().get('with');
	if (shown.again) showState({ live: true });
	chat?.leave();
	chat = name ? new OpenChat(name) : undefined;
	document.body.className = name ? 'chat' : 'list';
	if (here.list.chats.length) changed();
	chat?.open().catch((problem) => {
		if (problem.name === 'AbortError') return;
		// There is no such chat.
		history.replaceState(null, '', '#');
		openChat();
		refused(problem);
	});
}

/** Takes the token out of the address, which another site may have made. Returns whether the page has to begin anew. */
async function takeToken(options) {
	const place = inHash();
	const offered = place.get('token');
	if (offered === null) return !here.me;
	place.delete('token');
	if (chat && !place.has('with')) place.set('with', chat.name);
	history.replaceState(null, '', `#${place}`);
	const [me, isHere] = [saved('me'), !!here.me];
	const { name } = me ? await new Confab({ token: () => offered }).me(options).catch(() => ({})) : {};
	if (me && name !== me && !(name && (await mayBecome(name, me)))) return !isHere;
	save('token', offered);
	return !isHere || name !== me;
}

function mayBecome(name, me) {
	document.body.className = 'ask';
	$('question').replaceChildren('A link has a token of ', bidi(name), '. You are ', bidi(me), '.');
	$('stay').replaceChildren('Stay ', bidi(me));
	$('become').replaceChildren('Continue as ', bidi(name));
	$('stay').focus();
	return new Promise((resolve) => {
		$('stay').onclick = () => resolve(false);
		$('become').onclick = () => resolve(true);
	});
}

function enter(asked, why, className = '') {
	stop();
	document.body.className = 'entry';
	$('why').className = className;
	say($('why'), why);
	say($('asked'), `Your ${asked}`);
	Object.assign($('key'), { value: '', type: asked === 'name' ? 'text' : 'password' });
	$('key').focus();
	$('enter').onsubmit = () => {
		save(asked, $('key').value.trim());
		start();
		return false;
	};
}

function refused(problem) {
	if (problem.name === 'AbortError') return;
	if (!problem.own || ![401, 403].includes(problem.status)) showState({ problem, again: start });
	else if (saved('token')) enter('token', `${problem.title}: ${problem.message}`, 'bad');
	else enter('token', 'Paste the token from your app.');
}

let shown = {};

/** A stream may seem to outlive the network. */
function showState(state = shown) {
	const { live, problem, again = () => here.confab?.wake() } = (shown = state);
	const why = problem?.status ? problem.message : 'Offline. What you write is sent later.';
	$('state').replaceChildren(...(live && navigator.onLine ? [] : [why, choice('Try now', again)]));
}

function awaitMidnight() {
	changed();
	setTimeout(awaitMidnight, new Date().setHours(24, 0, 0, 0) - Date.now());
}

$('more').onclick = () => here.list.loadOlder().then(changed, refused);
$('begin').onsubmit = () => {
	location.hash = addressOf($('with').value.trim());
	$('with').value = '';
	return false;
};
$('write').onsubmit = () => {
	const text = $('text').value.trim();
	$('text').value = '';
	if (text) chat.write(text);
	return false;
};
$('text').onkeydown = (event) => {
	// 229: the key was an input method's. Safari says so only by this.
	if (event.key !== 'Enter' || event.shiftKey || event.isComposing || event.keyCode === 229) return;
	event.preventDefault();
	$('write').requestSubmit();
};
$('leave').onclick = () => {
	if (here.outbox.isUnsent && !confirm('What is not sent is lost.')) return;
	stop();
	onbeforeunload = forget();
	history.replaceState(null, '', location.pathname);
	start();
};
$('log').onscroll = () => chat?.scroll();
$('down').onclick = () => chat.toEnd();
new ResizeObserver(() => chat?.isLow && chat.toEnd()).observe($('log'));
document.onvisibilitychange = changed;
onpagehide = () => chat?.keepPlace();
ononline = () => {
	showState();
	here.confab?.wake();
};
onoffline = () => showState();
onhashchange = async () => {
	if (await takeToken({ patience: Infinity })) start();
	else openChat();
};
awaitMidnight();
start();
