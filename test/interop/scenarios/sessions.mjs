import { say, text } from '../lib/prompt.mjs';
import { check, equal, refused } from '../lib/report.mjs';
import { isType, Reader, said, unbroken, understood } from '../lib/reader.mjs';

const firstFeatures = [
  'health',
  'capabilities',
  'session_create',
  'session_list',
  'session_prompt',
  'session_cancel',
  'session_events',
  'session_set_model',
  'permission_vote',
];

export async function create({ sdk, connect, open, workspace }) {
  const client = connect();
  equal('the daemon is healthy', (await client.health()).status, 'ok');
  equal('and says so without a token', (await connect({ token: '' }).health()).status, 'ok');

  const capabilities = await client.capabilities();
  equal('capabilities are of version 1', capabilities.v, 1);
  equal('what every client relies on is announced', firstFeatures.filter((name) => !capabilities.features.includes(name)), []);
  equal('it is bound to this workspace', sdk.requireWorkspaceCwd(capabilities), workspace);

  const session = await open({}, client);
  check('a session has an id', typeof session.sessionId === 'string' && session.sessionId.length > 0, session.sessionId);
  equal('it is new', session.attached, false);
  equal('it is of this workspace', session.workspaceCwd, workspace);
  check('the client has an id', /^[A-Za-z0-9._:-]{1,128}$/.test(session.clientId ?? ''), session.clientId);

  const { lastSeenAt, sessionId } = await session.heartbeat();
  equal('a heartbeat tells the session', sessionId, session.sessionId);
  check('and when it was seen', typeof lastSeenAt === 'number' && Math.abs(Date.now() - lastSeenAt) < 600_000, lastSeenAt);

  if (capabilities.features.includes('session_id_override') && sdk.DaemonSessionIdProtocolError) {
    const wanted = '0b5f7a52-4a5c-4d6e-8f1a-2b3c4d5e6f70';
    equal('a client may choose the id', (await open({ sessionId: wanted.toUpperCase() }, client)).sessionId, wanted);
  }
}

export async function attach({ connect, open, workspace }) {
  const five = await Promise.all(Array.from({ length: 5 }, () => open()));
  equal('five at once get one session', new Set(five.map((session) => session.sessionId)).size, 1);
  equal('which one of them made', five.filter((session) => !session.attached).length, 1);
  equal('each is a client of its own', new Set(five.map((session) => session.clientId)).size, 5);

  const sixth = await open();
  equal('a later one attaches', [sixth.attached, sixth.sessionId], [true, five[0].sessionId]);

  await sixth.detach();
  await sixth.detach();
  const listed = await connect().listWorkspaceSessions(workspace);
  equal('it is one session still', listed.filter((session) => session.sessionId === sixth.sessionId).length, 1);
  equal('that takes prompts', (await five[1].prompt(text('hello'))).stopReason, 'end_turn');
}

export async function threads({ sdk, connect, open, workspace }) {
  const sessions = await Promise.all(Array.from({ length: 3 }, () => open({ sessionScope: 'thread' })));
  equal('a thread is a session of its own', new Set(sessions.map((session) => session.sessionId)).size, 3);
  equal('and nobody was there before', sessions.filter((session) => session.attached).length, 0);

  const readers = sessions.map((session) => new Reader((signal) => session.events({ signal })));
  await Promise.all(readers.map((reader, index) => say(sessions[index], reader, `hello ${index}`)));
  for (const [index, reader] of readers.entries()) {
    unbroken(`thread ${index} counts from 1`, reader.frames);
    understood(`thread ${index} is understood`, sdk, reader.frames);
    equal(`thread ${index} hears the model once`, said(reader.frames), 'All is well.');
    equal(
      `thread ${index} hears nothing of the others`,
      reader.frames.filter((frame) => frame.data.sessionId !== undefined && frame.data.sessionId !== sessions[index].sessionId),
      [],
    );
  }

  const listed = (await connect().listWorkspaceSessions(workspace)).map((session) => session.sessionId);
  equal('all are listed', sessions.filter((session) => !listed.includes(session.sessionId)).length, 0);
}

export async function list({ connect, open, workspace }) {
  const client = connect();
  equal('an idle workspace has no session', await client.listWorkspaceSessions(workspace), []);

  const made = [];
  for (let index = 0; index < 5; index++) {
    const session = await open({ sessionScope: 'thread' }, client);
    await session.prompt(text(`hello ${index}`));
    made.push(session.sessionId);
  }

  const all = await client.listWorkspaceSessions(workspace);
  equal('every session is listed once', all.map((session) => session.sessionId).sort(), [...made].sort());
  equal('each is of this workspace', all.filter((session) => session.workspaceCwd !== workspace), []);

  const paged = [];
  let cursor;
  let pages = 0;
  do {
    const page = await client.listWorkspaceSessionsPage(workspace, { pageSize: 2, ...(cursor === undefined ? {} : { cursor }) });
    check('a page has as many as asked for at the most', page.sessions.length <= 2, page);
    paged.push(...page.sessions.map((session) => session.sessionId));
    cursor = page.nextCursor;
  } while (cursor !== undefined && ++pages < 10);
  equal('the pages together hold each once', [...paged].sort(), [...made].sort());

  equal('a page may be larger than all', (await client.listWorkspaceSessionsPage(workspace, { pageSize: 1_000 })).sessions.length, 5);
  await refused('a cursor from nowhere is refused', () => client.listWorkspaceSessionsPage(workspace, { cursor: 'nowhere' }), 400, 'invalid_cursor');
}

export async function metadata({ sdk, connect, open, workspace }) {
  const session = await open();
  const reader = new Reader((signal) => session.events({ signal }));
  equal('a name is taken', (await session.updateMetadata({ displayName: 'Käse und 船' })).displayName, 'Käse und 船');
  const told = await reader.until('the event that tells it', isType('session_metadata_updated'));
  equal('an event tells it', [told.data.sessionId, told.data.displayName], [session.sessionId, 'Käse und 船']);
  understood('which is understood', sdk, reader.frames);
  const listed = (await connect().listWorkspaceSessions(workspace)).find((one) => one.sessionId === session.sessionId);
  equal('the list has it', listed.displayName, 'Käse und 船');
  await session.updateMetadata({});
  equal('who names nothing takes no name away', (await session.status()).displayName, 'Käse und 船');
  await refused('a name with a line break is refused', () => session.updateMetadata({ displayName: 'a\nb' }), 400, 'invalid_metadata');
}

export async function close({ sdk, connect, open, load, workspace }) {
  const session = await open();
  const reader = new Reader((signal) => session.events({ signal }));
  const before = (await say(session, reader, 'hello')).id;
  await session.close();
  const closed = await reader.until('the event that tells it', isType('session_closed'));
  equal('an event tells that it was closed', closed.data.sessionId, session.sessionId);
  understood('which is understood', sdk, reader.frames);
  await reader.ended;
  equal('and the stream ends', reader.failure, undefined);
  unbroken('with no place left out', reader.frames);

  await session.close();
  check('closing twice is fine', true);
  const gone = await refused('a closed session takes no prompt', () => session.prompt(text('hello?')), 404);
  check('and the refusal says which', JSON.stringify(gone?.body ?? '').includes(session.sessionId), gone?.body);
  await refused('it has no events', () => connect().subscribeEvents(session.sessionId).next(), 404);
  await refused('it has no model', () => session.setModel('other'), 404);

  const again = await load(session.sessionId);
  equal('it can be loaded again', again.sessionId, session.sessionId);
  const rereader = new Reader((signal) => again.events({ lastEventId: 0, signal }));
  const second = await say(again, rereader, 'hello again');
  equal('and goes on', [second.type, second.id > before], ['turn_complete', true]);
  unbroken('its places go on where they were', rereader.frames);
  check('and hold what was there before the close', rereader.frames.filter(isType('turn_complete')).length === 2, rereader.ids);
  const listed = (await connect().listWorkspaceSessions(workspace)).filter((one) => one.sessionId === session.sessionId);
  equal('it is listed once', listed.length, 1);
}

export async function loadAndResume({ sdk, open, load, resume }) {
  const first = await open();
  await first.prompt(text('hello'));
  await first.prompt(text('hello again'));

  const loaded = await load(first.sessionId, { historyPageSize: 50, compactedReplayMode: 'full', liveReplayMode: 'full' });
  equal('loading gives the session', loaded.sessionId, first.sessionId);
  check('and a client id of its own', loaded.clientId && loaded.clientId !== first.clientId, loaded.clientId);
  const { compactedReplay, liveJournal } = loaded.replaySnapshot;
  const replayed = [...compactedReplay, ...liveJournal];
  const reader = new Reader((signal) => loaded.events({ signal }));
  equal('it takes a prompt', (await say(loaded, reader, 'and again')).data.stopReason, 'end_turn');
  const whole = [...replayed, ...reader.frames];
  understood('all of it is understood', sdk, whole);
  equal('what was replayed and what followed are the whole talk, once', said(whole), 'All is well.'.repeat(3));
  const echoed = whole.filter((frame) => frame.data?.update?.sessionUpdate === 'user_message_chunk').map((frame) => frame.data.update.content.text);
  equal('with what the user said', echoed, ['hello', 'hello again', 'and again']);

  const resumed = await resume(first.sessionId);
  equal('resuming gives it too', resumed.sessionId, first.sessionId);
  check('with its models', resumed.state?.models?.currentModelId?.length > 0, resumed.state);
  check('and its modes', resumed.state?.modes?.currentModeId?.length > 0, resumed.state);
  const all = new Reader((signal) => resumed.events({ lastEventId: 0, signal }));
  await all.until('the third end', (frame) => frame.type === 'turn_complete' && all.frames.filter(isType('turn_complete')).length === 3);
  unbroken('everything is there from 1', all.frames);
  await refused('what never was cannot be loaded', () => load('0b5f7a52-0000-4d6e-8f1a-2b3c4d5e6f70'), 404, 'session_not_found');
}

export async function model({ sdk, open }) {
  const [session, other] = [await open(), await open()];
  const readers = [session, other].map((one) => new Reader((signal) => one.events({ lastEventId: 0, signal })));
  await say(session, readers[0], 'hello');
  const wanted = process.env.OTHER_MODEL;
  check('the answer names the model', JSON.stringify(await session.setModel(wanted)).includes(wanted));
  for (const reader of readers) {
    const switched = await reader.until('the switch', isType('model_switched'));
    equal('both are told', [switched.data.sessionId, switched.data.modelId], [session.sessionId, wanted]);
  }

  equal('the session goes on', (await say(other, readers[1], 'hello other')).data.stopReason, 'end_turn');
  understood('all of it is understood', sdk, readers[0].frames);

  const changed = await session.client.setSessionApprovalMode(session.sessionId, 'yolo');
  equal('the approval mode is another', [changed.mode, changed.previous, changed.persisted], ['yolo', 'default', false]);
  const told = await readers[1].until('the change', isType('approval_mode_changed'));
  equal('both are told of it', [told.data.previous, told.data.next], ['default', 'yolo']);
  equal('and nobody is asked any more', (await say(other, readers[1], 'write a.txt')).data.stopReason, 'end_turn');
  equal('not once', readers[0].frames.filter(isType('permission_request')).length, 0);
  understood('all of that is understood', sdk, readers[1].frames);
  await refused('a mode that is none is refused', () => session.client.setSessionApprovalMode(session.sessionId, 'brave'), 400, 'invalid_approval_mode');
}
