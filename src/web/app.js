// The chat page. confab.js speaks with confab; this file shows it. Texts enter the page by `textContent` only.
import { Confab, keep, keepChats, newKey } from './confab.js';

const $ = (id) => document.getElementById(id);
const saved = (name) => JSON.parse(sessionStorage.getItem(name));
const save = (name, value) => sessionStorage.setItem(name, JSON.stringify(value));
const fold = (name) => name.normalize('NFC').toLowerCase();
const make = (tag, fields, ...children) => {
  const element = Object.assign(document.createElement(tag), fields);
  element.append(...children);
  return element;
};
const say = (element, text) => element.textContent === text || (element.textContent = text);

const clock = new Intl.DateTimeFormat(undefined, { hour: 'numeric', minute: '2-digit' });
const short = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short' });
const long = new Intl.DateTimeFormat(undefined, { weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' });
const dayOf = (date) => {
  const days = Math.round((new Date().setHours(0, 0, 0, 0) - new Date(date).setHours(0, 0, 0, 0)) / 864e5);
  return days === 0 ? 'Today' : days === 1 ? 'Yesterday' : long.format(date);
};

let me, confab, older;
let view; // The open chat.
const chats = [];
const outbox = saved('outbox') ?? []; // What is not acknowledged yet, over reloads too.
const inbox = Promise.withResolvers();

/** How many messages of a chat a mark covers. */
const covered = (mark) => (typeof mark === 'string' ? Number(mark.split('-')[1] ?? -1) + 1 : (mark ?? 0));

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

// --- The list of chats

const rows = new Map();

function row(name) {
  const face = make('span', { className: 'face', ariaHidden: 'true' }, [...name][0]);
  face.style.setProperty('--hue', [...name].reduce((hue, letter) => (hue * 31 + letter.codePointAt()) % 360, 7));
  const [last, time, count] = [make('i'), make('time'), make('em')];
  const link = make('a', { href: `#with=${encodeURIComponent(name)}` }, face, make('b', {}, name), time, last, count);
  return { item: make('li', {}, link), link, last, time, count };
}

function showChats() {
  let unread = 0;
  arrange($('chats'), chats.map((chat) => {
    if (!rows.has(chat.with)) rows.set(chat.with, row(chat.with));
    const { item, link, last, time, count } = rows.get(chat.with);
    const date = new Date((chat.last?.send_time ?? 0) / 1000);
    const own = chat.last && fold(chat.last.sender) === me;
    say(last, chat.last ? `${own ? 'You: ' : ''}${chat.last.text}` : '');
    say(time, dayOf(date) === 'Today' ? clock.format(date) : short.format(date));
    say(count, chat.unread ? `${chat.unread}` : '');
    count.hidden = !chat.unread;
    count.ariaLabel = `${chat.unread} unread`;
    link.classList.toggle('new', chat.unread > 0);
    link.ariaCurrent = view && fold(chat.with) === view.name ? 'page' : null;
    unread += chat.unread;
    return item;
  }));
  $('chats').ariaBusy = 'false';
  $('none').hidden = chats.length > 0;
  $('more').hidden = !older;
  document.title = unread ? `(${unread}) confab` : 'confab';
}

$('more').onclick = async () => {
  const page = await confab.inbox({ before: older });
  for (const data of page.chats) if (!chats.some(({ chat }) => chat === data.chat)) chats.push(data);
  older = page.next;
  showChats();
};

$('begin').onsubmit = (event) => {
  event.preventDefault();
  location.hash = new URLSearchParams({ with: $('with').value.trim() });
  $('with').value = '';
};

// --- The open chat

const low = () => $('log').scrollHeight - $('log').scrollTop - $('log').clientHeight < 60;
const entryOf = ({ name }) => chats.find((chat) => fold(chat.with) === name);

function show() {
  if (!view) return;
  const entry = entryOf(view);
  const pending = outbox.filter(({ chat }) => chat === view.chat);
  const lines = view.messages.map((message) => {
    const own = fold(message.sender) === me;
    const line = { ...message, own, key: message.index };
    // A message may come back before its own acknowledgement: it is shown once.
    const at = own ? pending.findIndex(({ index, from, text }) => (index ?? message.index) === message.index && message.index >= from && text === message.text) : -1;
    if (at >= 0) {
      const [{ key }] = pending.splice(at, 1);
      if (!view.items.has(line.key) && view.items.has(key)) view.items.set(line.key, view.items.get(key));
    }
    return line;
  });
  for (const sending of pending) lines.push({ ...sending, own: true, sender: me, send_time: sending.time, sending });
  const latest = lines.findLast(({ own, sending }) => own && !sending);
  const nodes = [];
  let before = {};
  for (const [place, line] of lines.entries()) {
    const date = new Date(line.send_time / 1000);
    const [day, after] = [dayOf(date), lines[place + 1]];
    const separate = (key, text, className) => {
      if (!view.items.has(key)) view.items.set(key, make('li', { className }, text));
      nodes.push(view.items.get(key));
      before = {};
    };
    if (day !== before.day) separate(day, day, 'day');
    if (line.index === view.fresh && place) separate('fresh', 'New', 'day fresh');
    if (!view.items.has(line.key)) view.items.set(line.key, make('li', {}, make('p'), make('small')));
    const item = view.items.get(line.key);
    const { failed, late, index } = line.sending ?? {};
    const waits = line.sending && index === undefined;
    const close = (one, two) => one?.own === two?.own && Math.abs(one?.send_time - two?.send_time) < 3e8;
    let state = waits ? (failed ?? (late ? 'Not sent yet, trying again …' : 'Sending …')) : '';
    if (line === latest) state = covered(entry?.read_by_other) > line.index ? 'Seen' : 'Sent';
    if (!waits && (state || !close(line, after))) state = `${clock.format(date)}${state && ` · ${state}`}`;
    item.className = `${line.own ? 'own' : ''} ${close(before, line) ? 'next' : ''} ${waits ? 'waits' : ''} ${failed ? 'failed' : ''}`;
    say(item.children[0], line.text);
    say(item.children[1], state);
    if (item.children.length > 2 !== !!failed) {
      if (failed) item.append(make('span', {}, ...choices(line.sending)));
      else item.children[2].remove();
    }
    nodes.push(item);
    before = { ...line, day };
  }
  if (view.loaded && !lines.length) nodes.push(make('li', { className: 'day' }, `Say hello to ${view.name}.`));
  arrange($('messages'), nodes);
  if (view.low) $('log').scrollTop = $('log').scrollHeight;
  else if (view.shown < view.messages.at(-1)?.index) $('down').hidden = false;
  view.shown = view.messages.at(-1)?.index;
  if (view.loaded && view.more && $('log').scrollTop < 300) loadOlder();
  markRead();
}

/** Says that the open chat is read, if its end is on the screen. */
function markRead() {
  if (!view?.loaded || !view.low || document.hidden || !view.messages.length || view.marked === view.position) return;
  if (entryOf(view)?.unread === 0) return;
  view.marked = view.position;
  confab.read(view.chat, view.position, view.options).catch(() => {});
}

async function loadOlder(limit = 50) {
  if (view.climbing || !view.more) return;
  const [there, log] = [view, $('log')];
  there.climbing = true;
  try {
    const page = await confab.pull(there.chat, { reverse: true, before: there.messages[0]?.index, epoch: there.epoch, limit }, there.options);
    const height = log.scrollHeight - log.scrollTop;
    there.messages.unshift(...page.messages.reverse());
    there.more = page.has_more;
    there.climbing = false;
    if (there !== view) return;
    $('log').ariaBusy = 'true';
    show();
    if (!view.low) log.scrollTop = log.scrollHeight - height;
    $('log').ariaBusy = 'false';
  } catch (problem) {
    there.more = false;
    refused(problem);
  }
}

/** Loads what is new in the open chat. Its position makes sure that nothing is left out or repeated. */
async function update(there = view) {
  there.behind = true;
  if (there.updating || !there.loaded) return;
  there.updating = true;
  while (there.behind && there === view) {
    there.behind = false;
    try {
      const page = await confab.pull(there.chat, { ...there.from, limit: 200 }, there.options);
      for (const data of page.messages) keep(there.messages, { type: 'message', data });
      there.from = { after: (there.position = page.position) };
      there.epoch = page.epoch;
      there.behind ||= page.has_more;
    } catch (problem) {
      if (problem.status !== 410) return refused(problem);
      // The log lost messages: drop them, and go on from there.
      keep(there.messages, { type: 'reset', data: problem });
      there.from = { cursor: problem.index, epoch: problem.epoch };
      there.behind = true;
    }
    if (there === view) show();
  }
  there.updating = false;
}

async function openChat() {
  const name = new URLSearchParams(location.hash.slice(1)).get('with');
  leaveChat();
  document.body.dataset.view = name ? 'chat' : 'list';
  if (!name) return showChats();
  const left = new AbortController();
  const there = { name: fold(name), chat: `${me}:${fold(name)}`, messages: [], items: new Map(), left, low: true };
  there.options = { signal: left.signal, patience: Infinity };
  view = there;
  say($('other'), there.name);
  say($('write').firstElementChild, `Message to ${there.name}`);
  arrange($('messages'), []);
  $('messages').ariaBusy = 'true';
  $('down').hidden = true;
  const place = saved(`place ${there.name}`);
  $('text').value = place?.draft ?? '';
  (matchMedia('(pointer: fine)').matches ? $('text') : $('other')).focus();
  try {
    await inbox.promise;
    showChats();
    const entry = entryOf(there);
    if (entry?.unread) there.fresh = covered(entry.read);
    const page = await confab.pull(there.chat, { reverse: true, limit: 40 }, there.options);
    Object.assign(there, { messages: page.messages.reverse(), position: page.position, epoch: page.epoch, more: page.has_more });
    there.from = { after: page.position };
    if (place?.index !== undefined) {
      there.low = false;
      while (there.more && there.messages[0].index > place.index && there.messages.length < 2000) await loadOlder(200);
    }
    if (there !== view) return;
    there.loaded = true;
    $('messages').ariaBusy = 'false';
    show();
    if (!there.low) $('log').scrollTop = (there.items.get(place.index)?.offsetTop ?? 1e9) + (place.offset ?? 0);
    if (there.behind) update();
  } catch (problem) {
    refused(problem);
  }
}

/** Keeps the place in the open chat, and what is written but not sent, for when it is opened again. */
function leaveChat() {
  if (!view) return;
  const top = $('log').scrollTop;
  const first = view.low ? undefined : view.messages.find(({ index }) => view.items.get(index)?.offsetTop + view.items.get(index)?.offsetHeight > top);
  const offset = first && top - view.items.get(first.index).offsetTop;
  save(`place ${view.name}`, { draft: $('text').value, index: first?.index, offset });
  view.left.abort();
  view = undefined;
}

// --- Sending

async function deliver(sending) {
  const keepOutbox = () => save('outbox', outbox);
  keepOutbox();
  show();
  try {
    const late = () => {
      sending.late = true;
      show();
    };
    sending.index = (await confab.send(sending, { onTry: late })).index;
    if (view?.chat === sending.chat) await update();
  } catch (problem) {
    sending.failed = `Not sent: ${problem.detail ?? problem.message}`;
    if (problem.status === 401) refused(problem);
  }
  if (!sending.failed) outbox.splice(outbox.indexOf(sending), 1);
  keepOutbox();
  show();
}

const choices = (sending) => [
  make('button', { className: 'quiet', onclick: () => deliver(Object.assign(sending, { failed: undefined })) }, 'Try again'),
  make('button', {
    className: 'quiet',
    onclick() {
      outbox.splice(outbox.indexOf(sending), 1);
      save('outbox', outbox);
      show();
    },
  }, 'Remove'),
];

$('write').onsubmit = (event) => {
  event.preventDefault();
  const text = $('text').value.trim();
  if (!text || !view) return;
  $('text').value = '';
  view.low = true;
  const from = view.loaded ? (view.messages.at(-1)?.index ?? -1) + 1 : Number.MAX_SAFE_INTEGER;
  const sending = { chat: view.chat, sender: me, text, key: newKey(), from, time: Date.now() * 1000 };
  outbox.push(sending);
  deliver(sending);
};
$('text').onkeydown = (event) => {
  if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  $('write').requestSubmit();
};

// --- The way in, and the connection

function enter(asked, why, bad) {
  document.body.dataset.view = 'entry';
  $('entry').hidden = false;
  $('why').className = bad ? 'bad' : '';
  say($('why'), why);
  say($('asked'), asked === 'name' ? 'Your name' : 'Your token');
  Object.assign($('key'), asked === 'name' ? { maxLength: 64, pattern: '[^:]+', title: 'A name, without a colon' } : { type: 'password' });
  $('key').focus();
  $('enter').onsubmit = (event) => {
    event.preventDefault();
    save(asked, $('key').value.trim());
    location.reload();
  };
}

function refused(problem) {
  if (problem.name === 'AbortError') return;
  if (problem.status === 401 || problem.status === 403) enter('token', `${problem.title}: ${problem.detail}`, true);
  else showState({ live: false, problem });
}

function showState({ live, problem }) {
  const again = make('button', { className: 'quiet', onclick: () => confab.wake() }, 'Try now');
  if (live) $('state').replaceChildren();
  else $('state').replaceChildren(`${problem?.status ? problem.detail : 'Offline. What you write is sent when the network is back.'} `, again);
}

let following, id;
async function follow() {
  following = new AbortController();
  try {
    for await (const event of confab.followInbox({ after: id, signal: following.signal, onState: showState })) {
      keepChats(chats, event);
      id = event.id;
      if (event.type === 'inbox') older = event.data.next;
      inbox.resolve();
      showChats();
      if (view) event.type === 'inbox' || event.data.chat === entryOf(view)?.chat ? update() : show();
    }
  } catch (problem) {
    refused(problem);
  }
}

async function start() {
  const place = new URLSearchParams(location.hash.slice(1));
  if (place.has('token')) {
    save('token', place.get('token'));
    place.delete('token');
    history.replaceState(null, '', `${location.pathname}${location.search}${place.size ? `#${place}` : ''}`);
  }
  const token = (old) => (saved('token') === old ? undefined : saved('token'));
  confab = new Confab({ token });
  try {
    const { name, auth } = await confab.me({ patience: Infinity, onTry: (problem) => showState({ live: false, problem }) });
    showState({ live: true });
    $('banner').hidden = auth !== 'open';
    me = name ?? (saved('name') && fold(saved('name')));
    if (!me) return enter('name', 'Choose a name to write under.');
  } catch (problem) {
    if (problem.status === 401 && !saved('token')) return enter('token', 'This confab asks who you are. Paste the token that your app gave you.');
    return refused(problem);
  }
  confab = new Confab({ name: me, token });
  say($('me'), me);
  follow();
  openChat();
  for (const sending of outbox.filter(({ sender, failed }) => sender === me && !failed)) deliver(sending);
}

$('leave').onclick = () => {
  sessionStorage.clear();
  location.href = location.pathname;
};
$('log').onscroll = () => {
  if (!view?.loaded) return;
  view.low = low();
  if (view.low) $('down').hidden = true;
  if ($('log').scrollTop < 300) loadOlder();
  markRead();
};
$('down').onclick = () => ($('log').scrollTop = $('log').scrollHeight);
new ResizeObserver(() => view?.low && ($('log').scrollTop = $('log').scrollHeight)).observe($('log'));

// Browsers open six connections to a host by HTTP/1: a hidden tab gives its stream up once four other tabs were shown.
const tabs = new BroadcastChannel('confab');
const [tab, others] = [newKey(), new Set()];
tabs.onmessage = ({ data }) => document.hidden && others.add(data).size > 3 && following?.abort();
document.onvisibilitychange = () => {
  if (document.hidden) return;
  tabs.postMessage(tab);
  others.clear();
  if (following?.signal.aborted) follow();
  markRead();
};
addEventListener('hashchange', openChat);
addEventListener('pagehide', leaveChat);
addEventListener('online', () => confab.wake());
addEventListener('offline', () => showState({ live: false }));
start();
