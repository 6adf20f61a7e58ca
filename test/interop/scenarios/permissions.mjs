import { readFileSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { text } from '../lib/prompt.mjs';
import { check, equal, refused, within } from '../lib/report.mjs';
import { isType, Reader, unbroken, understood } from '../lib/reader.mjs';

const choice = (optionId) => ({ outcome: { outcome: 'selected', optionId }, answers: {} });

export async function permissionRace({ sdk, open, workspace }) {
  const voters = [await open(), await open()];
  const readers = voters.map((voter) => new Reader((signal) => voter.events({ lastEventId: 0, signal })));
  const running = voters[0].prompt(text('write a.txt'));
  const asked = await Promise.all(readers.map((reader) => reader.until('the question', isType('permission_request'))));
  equal('both are asked the same', asked[0].data, asked[1].data);
  const { requestId, sessionId, toolCall, options } = asked[0].data;
  equal('in their session', sessionId, voters[0].sessionId);
  equal('whose turn it is can be seen', asked[0].originatorClientId, voters[0].clientId);
  check('what is asked about can be seen', toolCall.toolCallId && JSON.stringify(toolCall).includes('a.txt'), toolCall);
  equal('yes and no are offered', ['proceed_once', 'cancel'].filter((id) => !options.some((option) => option.optionId === id)), []);
  check('each option has a name and a kind', options.every((option) => option.name && option.kind), options);
  check('nothing is done before the answer', !existsSync(join(workspace, 'a.txt')));

  await refused('an option that was not offered is refused', () => voters[0].respondToSessionPermission(requestId, choice('maybe')), 400, 'invalid_option_id');
  await refused('what is no vote is refused', () => voters[0].respondToPermission(requestId, { outcome: { outcome: 'selected' } }), 400);
  equal('nobody asked that', await voters[0].respondToPermission('0b5f7a52-0000-4d6e-8f1a-2b3c4d5e6f70', choice('proceed_once')), false);

  const votes = await Promise.all([
    voters[0].respondToPermission(requestId, choice('proceed_once')),
    voters[1].respondToSessionPermission(requestId, choice('proceed_once')),
  ]);
  equal('one of two votes wins', [...votes].sort(), [false, true]);
  equal('the turn goes on', (await within('the end of the turn', running)).stopReason, 'end_turn');
  equal('and does what was allowed', readFileSync(join(workspace, 'a.txt'), 'utf8'), 'made\n');

  const winner = voters[votes.indexOf(true)];
  for (const reader of readers) {
    await reader.untilEnd();
    const resolved = reader.frames.filter(isType('permission_resolved'));
    equal('each is told once', resolved.map((frame) => frame.data.requestId), [requestId]);
    equal('what was decided', resolved[0].data.outcome, { outcome: 'selected', optionId: 'proceed_once' });
    equal('and by whom', resolved[0].originatorClientId, winner.clientId);
    unbroken('no place is left out', reader.frames);
    understood('all of it is understood', sdk, reader.frames);
    equal('no question is open in the view', sdk.reduceDaemonSessionEvents(reader.frames).pendingPermissions, {});
  }

  equal('a vote after the decision is too late', await voters[1].respondToSessionPermission(requestId, choice('cancel')), false);
}

export async function permissionRefused({ sdk, open, workspace }) {
  const session = await open();
  const reader = new Reader((signal) => session.events({ signal }));
  const running = session.prompt(text('write a.txt'));
  const { data } = await reader.until('the question', isType('permission_request'));
  equal('a no is taken', await session.respondToSessionPermission(data.requestId, choice('cancel')), true);
  await within('the end of the turn', running);
  check('and nothing is written', !existsSync(join(workspace, 'a.txt')));

  const second = session.prompt(text('write b.txt'));
  const again = await reader.until('the second question', (frame) => frame.type === 'permission_request' && frame.data.requestId !== data.requestId);
  equal('whoever comes now sees the question in the list', (await session.status()).pendingInteractionCount, 1);
  const late = await open();
  const lateReader = new Reader((signal) => late.events({ signal }));
  const seen = await lateReader.until('the question, sent again', isType('permission_request'));
  equal('and is asked it too', seen.data.requestId, again.data.requestId);
  equal('a cancelled question is one that was answered', await late.respondToPermission(again.data.requestId, { outcome: { outcome: 'cancelled' } }), true);
  const resolved = await lateReader.until('the decision', isType('permission_resolved'));
  equal('and says so', resolved.data.outcome, { outcome: 'cancelled' });
  await within('the end of the second turn', second);
  check('nothing is written then either', !existsSync(join(workspace, 'b.txt')));

  const third = session.prompt(text('write b.txt'));
  await reader.until('the third question', (frame) => frame.type === 'permission_request' && frame.id > resolved.id);
  await session.cancel();
  equal('cancelling the turn answers its question', (await within('the end of the third turn', third)).stopReason, 'cancelled');
  equal('as cancelled', reader.frames.filter(isType('permission_resolved')).at(-1).data.outcome, { outcome: 'cancelled' });
  unbroken('no place is left out', reader.frames);
  understood('all of it is understood', sdk, reader.frames);
}
