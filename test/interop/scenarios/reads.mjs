import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from '../lib/prompt.mjs';
import { check, equal, refused } from '../lib/report.mjs';
import { isType, numbered, Reader, said, understood } from '../lib/reader.mjs';

export async function inspect({ connect, open, workspace }) {
  const session = await open();
  await session.prompt(text('hello'));
  const context = await session.context();
  equal('the context is of the session', [context.v, context.sessionId, context.workspaceCwd], [1, session.sessionId, workspace]);
  check('and has models and modes', context.state?.models?.currentModelId && context.state?.modes?.currentModeId === 'default', context.state);
  const status = await session.status();
  equal('the status is of the session', [status.sessionId, status.workspaceCwd], [session.sessionId, workspace]);
  equal('which does nothing', [status.hasActivePrompt, status.isWaitingForPermission], [false, false]);
  const commands = await session.supportedCommands();
  equal('its commands are listed', [commands.v, commands.sessionId, Array.isArray(commands.availableCommands), Array.isArray(commands.availableSkills)], [1, session.sessionId, true, true]);

  const daemon = await connect().daemonStatus();
  equal('the daemon tells of itself', [daemon.v, daemon.daemon?.workspaceCwd], [1, workspace]);
  for (const read of ['workspaceMcp', 'workspaceSkills', 'workspaceProviders', 'workspaceEnv', 'workspacePreflight', 'workspaceMemory', 'workspaceTools']) {
    const answer = await connect()[read]();
    equal(`${read} is of the workspace`, [answer.v, answer.workspaceCwd], [1, workspace]);
  }

  const git = await connect().workspaceGit();
  equal('a folder without a repository has no branch', [git.workspaceCwd, git.branch], [workspace, null]);
}

export async function transcript({ sdk, connect, open }) {
  const client = connect();
  const session = await open({}, client);
  for (const words of ['one', 'two', 'three']) {
    await session.prompt(text(words));
  }

  const events = [];
  let cursor;
  let pages = 0;
  do {
    const page = await client.getSessionTranscriptPage(session.sessionId, { limit: 4, ...(cursor === undefined ? {} : { cursor }) });
    equal('a page is of the session', [page.v, page.sessionId], [1, session.sessionId]);
    equal('it says truly whether there is more', page.hasMore, page.nextCursor !== undefined);
    events.push(...page.events);
    cursor = page.nextCursor;
  } while (cursor !== undefined && ++pages < 100);

  equal('the pages together are the talk', said(events), 'All is well.'.repeat(3));
  equal('each place once', new Set(numbered(events).map((frame) => frame.id)).size, numbered(events).length);
  understood('all of it is understood', sdk, events);
  await refused('a cursor from nowhere is refused', () => client.getSessionTranscriptPage(session.sessionId, { cursor: 'nowhere' }), 400, 'invalid_transcript_cursor');

  for (const format of ['md', 'json', 'jsonl', 'html']) {
    const exported = await client.exportSession(session.sessionId, { format });
    check(`exported as ${format} it holds both sides`, exported.content.includes('three') && exported.content.includes(' well.'), exported);
    check(`and has a name`, exported.filename.endsWith(`.${format}`), exported.filename);
  }
}

export async function files({ connect, workspace }) {
  const client = connect();
  writeFileSync(join(workspace, 'hello.txt'), 'hello world\n');
  const read = await client.readWorkspaceFile('hello.txt');
  equal('a file is read', [read.kind, read.path, read.content, read.lineEnding, read.truncated], ['file', 'hello.txt', 'hello world\n', 'lf', false]);
  check('with its hash', /^sha256:[0-9a-f]{64}$/.test(read.hash), read.hash);
  const bytes = await client.readWorkspaceFileBytes('hello.txt', { offset: 6, maxBytes: 5 });
  equal('and in part as bytes', Buffer.from(bytes.contentBase64, 'base64').toString(), 'world');
  equal('its size is told', (await client.fileStat('hello.txt')).sizeBytes, 12);
  equal('its folder is listed', (await client.dirList('.')).entries.map((entry) => [entry.name, entry.kind]), [['hello.txt', 'file']]);
  equal('it is found', (await client.glob('**/*.txt')).matches, ['hello.txt']);

  const written = await client.writeWorkspaceFile({ path: 'new/made.txt', content: 'made\n', mode: 'create' });
  equal('a file is made', [written.kind, written.path, written.created, written.sizeBytes], ['file_write', 'new/made.txt', true, 5]);
  equal('really', readFileSync(join(workspace, 'new/made.txt'), 'utf8'), 'made\n');
  const edited = await client.editWorkspaceFile({ path: 'new/made.txt', oldText: 'made', newText: 'edited', expectedHash: written.hash });
  equal('and edited', [edited.kind, edited.replacements, readFileSync(join(workspace, 'new/made.txt'), 'utf8')], ['file_edit', 1, 'edited\n']);

  const kind = (error, name) => equal(`as ${name}`, error?.body?.errorKind, name);
  kind(await refused('making it twice is refused', () => client.writeWorkspaceFile({ path: 'new/made.txt', content: 'x', mode: 'create' }), 409), 'file_already_exists');
  kind(await refused('an edit of what it was before is refused', () => client.editWorkspaceFile({ path: 'new/made.txt', oldText: 'edited', newText: 'x', expectedHash: written.hash }), 409), 'hash_mismatch');
  kind(await refused('what is not there is not read', () => client.readWorkspaceFile('none.txt'), 404), 'path_not_found');
  kind(await refused('what is outside is not read', () => client.readWorkspaceFile('../outside.txt'), 400), 'path_outside_workspace');
}

export async function workspaceChanges({ sdk, connect, open, workspace }) {
  const client = connect();
  const session = await open({}, client);
  const other = await open({ sessionScope: 'thread' });
  const reader = new Reader((signal) => other.events({ signal, lastEventId: 0 }));
  await reader.until('all that was before', isType('replay_complete'));
  const isEnabled = async (name) => (await client.workspaceTools()).tools.find((tool) => tool.name === name)?.enabled;
  equal('a tool is there', await isEnabled('write_file'), true);
  equal('and can be taken away', await client.setWorkspaceToolEnabled('write_file', false), { toolName: 'write_file', enabled: false });
  equal('which is told', await isEnabled('write_file'), false);
  equal('a model that asks for it all the same', (await session.prompt(text('write a.txt'))).stopReason, 'end_turn');
  check('does not get it', !existsSync(join(workspace, 'a.txt')));
  equal('it can be given back', (await client.setWorkspaceToolEnabled('write_file', true)).enabled, true);
  equal('which is told too', await isEnabled('write_file'), true);

  const made = await client.initWorkspace();
  equal('a file for agents is made', [made.action, existsSync(join(workspace, made.path))], ['created', true]);
  writeFileSync(join(workspace, made.path), 'Be brief.\n');
  const conflict = await refused('one that says something is not replaced', () => client.initWorkspace(), 409, 'workspace_init_conflict');
  equal('and the refusal says which', [conflict?.body?.path, conflict?.body?.existingSize], [made.path, 10]);
  equal('unless it is meant', (await client.initWorkspace({ force: true })).action, 'overwrote');

  const written = await client.writeWorkspaceMemory({ scope: 'workspace', content: 'Be kind.' });
  equal('something is written down', [written.ok, written.filePath, written.bytesWritten, written.mode], [true, made.path, 8, 'append']);
  await client.writeWorkspaceMemory({ scope: 'workspace', content: 'Be brief.' });
  equal('behind what is there', readFileSync(join(workspace, made.path), 'utf8'), 'Be kind.\nBe brief.');
  await client.writeWorkspaceMemory({ scope: 'workspace', content: 'Be.', mode: 'replace' });
  equal('or in its place', readFileSync(join(workspace, made.path), 'utf8'), 'Be.');
  await refused('nothing is not written down', () => client.writeWorkspaceMemory({ scope: 'workspace', content: '' }), 400);

  const last = await reader.until('the last news', (frame) => frame.type === 'memory_changed' && frame.data.mode === 'replace');
  equal('which says where', [last.data.scope, last.data.filePath, last.data.bytesWritten, last.id], ['workspace', made.path, 3, undefined]);
  const news = reader.frames.filter((frame) => ['tool_toggled', 'workspace_initialized', 'memory_changed'].includes(frame.type));
  equal('a reader of another session is told all of it', news.map((frame) => frame.data.enabled ?? frame.data.action ?? frame.data.mode), [false, true, 'created', 'overwrote', 'append', 'append', 'replace']);
  understood('in words that are understood', sdk, news);
  await reader.leave();
}
