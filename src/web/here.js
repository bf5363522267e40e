// Who is here, and what this tab remembers of them.

const memory = new Map();

/** `ready` when the list is there; `signal` aborts when the person leaves. */
export const here = {};

export function saved(key) {
	if (memory.has(key)) return memory.get(key);
	try {
		return JSON.parse(sessionStorage.getItem(key));
	} catch {
		return null;
	}
}

/** Over reloads; if the storage is blocked or full, until the page is closed. */
export function save(key, value) {
	memory.set(key, value);
	try {
		sessionStorage.setItem(key, JSON.stringify(value));
	} catch {}
}

export function forget() {
	memory.clear();
	try {
		sessionStorage.clear();
	} catch {}
}
