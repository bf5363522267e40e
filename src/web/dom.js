// What the page makes elements with. A text becomes a text node, whatever is in it.

export const $ = (id) => document.getElementById(id);

export function make(tag, fields, ...children) {
	const element = Object.assign(document.createElement(tag), fields);
	element.append(...children);
	return element;
}

/** A text with a direction of its own. */
export const bidi = (text) => make('bdi', {}, text);

export const choice = (text, onclick) => make('button', { className: 'quiet', onclick }, text);

/** Leaves a text alone that is there, and with it what a person has selected. */
export function say(element, text, nodes = [text]) {
	if (element.textContent !== text) element.replaceChildren(...nodes);
}

/** Leaves those children of a list alone that are in place. */
export function arrange(list, nodes) {
	const focused = document.activeElement;
	for (const node of [...list.childNodes]) if (!nodes.includes(node)) node.remove();
	nodes.forEach((node, place) => {
		const there = list.childNodes[place] ?? null;
		if (there !== node) list.insertBefore(node, there);
	});
	if (list.contains(focused)) focused.focus({ preventScroll: true });
}

// Up to a space, a quote, a sign of a sentence, or what nobody sees.
const ADDRESS = /\bhttps?:\/\/[^\s\p{C}\p{Pi}\p{Pf}<>"\u3000-\u303f\uff00-\uffef]+/giu;

/** The nodes of a text: its http and https addresses are links. */
export function linked(text) {
	const nodes = [];
	let end = 0;
	for (const { 0: found, index } of text.matchAll(ADDRESS)) {
		// What ends the sentence is not the address's.
		const address = found.replace(found.includes('(') ? /[.,;:!?'*]+$/ : /[.,;:!?'*)\]}]+$/, '');
		if (!URL.canParse(address)) continue;
		nodes.push(text.slice(end, index), make('a', { href: address, target: '_blank', rel: 'noreferrer noopener' }, address));
		end = index + address.length;
	}
	return [...nodes, text.slice(end)];
}

/** What a message says, or what it is if it says nothing. */
export const words = ({ text, data, data_cut }) =>
	text || (data || data_cut ? `Attachment${typeof data?.type === 'string' ? `: ${data.type}` : ''}` : '');

export const clock = (date) => date.toLocaleTimeString([], { timeStyle: 'short' });

export const dayOf = (date, dateStyle = 'long') =>
	date >= new Date().setHours(0, 0, 0, 0) ? 'Today' : date.toLocaleDateString([], { dateStyle });
