import { say, text } from '../lib/prompt.mjs';
import { ask, check, equal, within } from '../lib/report.mjs';
import { isEnd, isType, isUpdate, numbered, Reader, said, same, unbroken, understood } from '../lib/reader.mjs';

const place = /^the daemon is back at (\S+)$/;

/** Has the daemon stopped and started again; the client of the new one. */
async function restart({ connect, daemon }, how) {
  const answer = await ask('restart the daemon', { how });
  const [, baseUrl] = place.exec(answer) ?? [];
  if (baseUrl === undefined) {
    throw new Error(`no answer to a restart: ${answer}`);
  }

  daemon.baseUrl = baseUrl;
  return connect();
}

export async function restartBetweenTurns(stage) {
  const { sdk, open, resume, workspace } = stage;
  const session = await open();
  await session.updateMetadata({ displayName: 'kept' });
  const before = new Reader((signal) => session.events({ signal }));
  await say(session, before, 'hello');

  const client = await restart(stage, 'stop');
  await within('the end of the stream', before.ended);
  equal('the cursor is the last place seen', session.lastEventId, before.ids.at(-1));
  equal('the session is listed', (await client.listWorkspaceSessions(workspace)).map((one) => [one.sessionId, one.displayName]), [[session.sessionId, 'kept']]);

  const resumed = await resume(session.sessionId, client);
  resumed.setLastEventId(session.lastEventId);
  const after = new Reader((signal) => resumed.events({ signal }));
  equal('it goes on', (await say(resumed, after, 'hello again')).data.stopReason, 'end_turn');
  const whole = [...before.frames, ...after.frames];
  unbroken('before and after together leave out no place and have none twice', whole);
  equal('the model was heard twice', said(whole), 'All is well.All is well.');
  equal('nobody was told to start over', whole.filter(isType('state_resync_required')).length, 0);

  const everything = new Reader((signal) => client.subscribeEvents(session.sessionId, { lastEventId: 0, signal }));
  await everything.until('the second end', () => everything.frames.filter(isEnd).length === 2);
  same('the log tells the same as the two streams', whole, everything.frames);
  understood('all of it is understood', sdk, everything.frames);
}

export async function killInATurn(stage) {
  const { sdk, open, resume } = stage;
  const session = await open();
  const before = new Reader((signal) => session.events({ signal }));
  await say(session, before, 'hello');
  const running = await session.submitPrompt(text('speak slowly'));
  await before.until('the first words', (frame) => isUpdate('agent_message_chunk')(frame) && frame.id > running.lastEventId);
  const waiting = await session.submitPrompt(text('hello queued'));

  const client = await restart(stage, 'kill');
  await within('the end of the stream', before.ended);
  const seen = before.ids.at(-1);

  const resumed = await resume(session.sessionId, client);
  resumed.setLastEventId(session.lastEventId);
  const after = new Reader((signal) => resumed.events({ signal }));
  await ask('let the model speak');
  await after.untilEnd(running.promptId);
  await after.untilEnd(waiting.promptId);
  const next = await resumed.submitPrompt(text('hello again'));
  await after.untilEnd(next.promptId);
  const whole = [...before.frames, ...after.frames];
  check('the stream goes on after what was seen', after.ids[0] === seen + 1, [seen, after.ids[0]]);
  unbroken('nothing is left out, nothing comes twice', whole);
  for (const { promptId } of [running, waiting, next]) {
    equal('each prompt ends once', whole.filter((frame) => isEnd(frame) && frame.data.promptId === promptId).length, 1);
  }

  const everything = new Reader((signal) => client.subscribeEvents(session.sessionId, { lastEventId: 0, signal }));
  await everything.untilEnd(next.promptId);
  same('what was seen before the kill is what the log says', whole, everything.frames);
  understood('all of it is understood', sdk, everything.frames);
}

export async function permissionOverAKill(stage) {
  const { sdk, open, resume } = stage;
  const session = await open();
  const before = new Reader((signal) => session.events({ signal }));
  const running = await session.submitPrompt(text('write a.txt'));
  const asked = await before.until('the question', isType('permission_request'));

  const client = await restart(stage, 'kill');
  await within('the end of the stream', before.ended);
  equal('who creates comes to the session that is not finished', (await open({}, client)).sessionId, session.sessionId);
  const resumed = await resume(session.sessionId, client);
  const status = await resumed.status();
  equal('the session still waits', [status.isWaitingForPermission, status.pendingInteractionCount], [true, 1]);
  const { requestId } = status.pendingInteractions[0];
  equal('for an answer to the same question', requestId, asked.data.requestId);

  resumed.setLastEventId(session.lastEventId);
  const after = new Reader((signal) => resumed.events({ signal }));
  equal('the answer is taken', await resumed.respondToSessionPermission(requestId, { outcome: { outcome: 'selected', optionId: 'proceed_once' } }), true);
  equal('once', await resumed.respondToSessionPermission(requestId, { outcome: { outcome: 'selected', optionId: 'cancel' } }), false);
  const end = await after.untilEnd(running.promptId);
  equal('and the turn goes on to its end', [end.type, end.data.stopReason], ['turn_complete', 'end_turn']);
  const whole = [...before.frames, ...after.frames];
  unbroken('nothing is left out, nothing comes twice', numbered(whole));
  equal('it was decided once', whole.filter(isType('permission_resolved')).map((frame) => frame.data.requestId), [requestId]);
  understood('all of it is understood', sdk, whole);
}
