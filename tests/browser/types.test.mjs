// What an editor knows of confab.js: its types are checked, and a package that has them can be installed.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc');
const here = fileURLToPath(new URL('.', import.meta.url));
const web = join(here, '../../src/web');

/** What the TypeScript compiler prints. */
const compiler = async (args, cwd = here) => (await run(process.execPath, [tsc, ...args], { cwd }).catch((why) => why)).stdout;

let folder;
before(() => (folder = mkdtempSync(join(tmpdir(), 'confab-types-'))));
after(() => rmSync(folder, { recursive: true }));

test('confab.js has types that hold, and they are those of the package', async () => {
  const out = await compiler(['--project', 'tsconfig.json', '--declaration', '--emitDeclarationOnly', '--outDir', folder]);
  assert.equal(out, '');
  const [made, kept] = [folder, web].map((folder) => readFileSync(join(folder, 'confab.d.ts'), 'utf8'));
  assert.equal(made, kept, 'confab.d.ts is old: npm --prefix tests/browser run types');
});

test('an app that has installed the package is told what a message and a chat have', async () => {
  await run('npm', ['pack', web, '--pack-destination', folder]);
  writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }');
  const { version } = JSON.parse(readFileSync(join(web, 'package.json'), 'utf8'));
  await run('npm', ['install', `./confab-client-${version}.tgz`, '--no-audit', '--no-fund'], { cwd: folder });
  writeFileSync(join(folder, 'app.ts'), `
    import { Confab, Problem, keep, keepChats, type Message, type Chat } from 'confab-client';
    const confab = new Confab({ base: 'https://chat.example', token: async (refused) => refused ?? 'token' });
    const messages: Message[] = [];
    const chats: Chat[] = [];
    const me = await confab.me();
    for await (const event of confab.followChat('alice:bob')) keep(messages, event);
    for await (const event of confab.followInbox({ onState: ({ live, problem }) => [live, problem?.status] })) keepChats(chats, event);
    keepChats(chats, { type: 'page', data: await confab.inbox({ before: 'x' }), before: 'x' });
    export const own = messages.filter(({ member }) => member === me.name);
    const { index, key } = await confab.send({ chat: 'alice:bob', text: 'Hi' });
    await confab.send({ chat: 'alice:bob', data: { type: 'photo' } });
    export const settings: boolean | undefined = (await confab.set('alice:bob', { muted: true })).muted;
    export const known: [number, string, string, number, number] = [index, key, chats[0].with, chats[0].last.send_time, messages[0].index];
    try { await confab.pull('alice:bob', { reverse: true }); } catch (why) { if (why instanceof Problem) console.log(why.field, why.status); }
    // @ts-expect-error
    messages[0].time;
    // @ts-expect-error
    chats[0].other;
    // @ts-expect-error
    await confab.send({ chat: 'alice:bob' });
    // @ts-expect-error
    await confab.pull('alice:bob', { revers: true });
    // @ts-expect-error
    await confab.read({}, 1);
  `);
  const options = ['--strict', '--noEmit', '--target', 'es2023', '--module', 'nodenext', '--lib', 'es2024,dom,dom.iterable,dom.asynciterable'];
  assert.equal(await compiler([...options, 'app.ts'], folder), '');
});

test('the package is what confab serves', async () => {
  const { Confab } = await import(join(folder, 'node_modules/confab-client/confab.js'));
  assert.equal(typeof Confab, 'function');
  assert.equal(readFileSync(join(folder, 'node_modules/confab-client/confab.js'), 'utf8'), readFileSync(join(web, 'confab.js'), 'utf8'));
});
