import { say, text } from '../lib/prompt.mjs';
import { ask, check, equal, refused, within } from '../lib/report.mjs';
import { watch } from '../lib/watch.mjs';
import { isEnd, isType, isUpdate, Reader, said, shown, shownWhole, unbroken, understood } from '../lib/reader.mjs';

export async function promptWithoutEvents({ connect, open }) {
  const session = await open();
  equal('a prompt comes back with a reason', await session.prompt(text('hello')), { stopReason: 'end_turn' });
  equal('so does the next', await session.prompt(text('hello again')), { stopReason: 'end_turn' });
  equal('and one of the plain client', await connect().prompt(session.sessionId, text('hello third')), { stopReason: 'end_turn' });
  equal('and one with what is meant for others', await session.prompt({ ...text('hello'), _meta: { of: 'others' }, eventDetailMode: 'full' }), { stopReason: 'end_turn' });

  const { promptId, lastEventId } = await session.submitPrompt(text('hello fourth'));
  check('a prompt is accepted with an id', typeof promptId === 'string' && promptId.length > 0, promptId);
  check('and a place in the log', Number.isSafeInteger(lastEventId) && lastEventId > 0, lastEventId);
  const reader = new Reader((signal) => session.events({ lastEventId, signal }));
  const end = await reader.untilEnd(promptId);
  equal('its end is told', end.type, 'turn_complete');
  unbroken('its events follow that place', reader.frames, lastEventId + 1);
  equal('and are its own', reader.frames.filter(isUpdate('user_message_chunk')).map((frame) => frame.data.update.content.text), ['hello fourth']);

  const several = [];
  for (const words of ['one', 'two', 'three']) {
    several.push(await session.submitPrompt(text(words)));
  }

  await Promise.all(several.map((accepted) => reader.untilEnd(accepted.promptId)));
  const order = reader.frames.filter(isUpdate('user_message_chunk')).map((frame) => frame.data.update.content.text);
  equal('prompts are taken in the order in which they came', order.slice(-3), ['one', 'two', 'three']);
  equal('and end once each', several.map(({ promptId: id }) => reader.frames.filter((frame) => isEnd(frame) && frame.data.promptId === id).length), [1, 1, 1]);
}

export async function promptWithEvents({ sdk, connect, open }) {
  const accepted = watch((response) => response.status === 202);
  const session = await open({}, connect({ fetch: accepted.fetch }));
  const reader = new Reader((signal) => session.events({ signal }));
  const running = session.prompt(text('speak slowly'));
  await accepted.again();
  await ask('let the model speak');
  equal('a prompt comes back with a reason', (await within('the end of the prompt', running)).stopReason, 'end_turn');
  const end = await reader.untilEnd();
  equal('the model was heard', said(reader.frames), 'First words. Last words.');
  const echo = reader.frames.find(isUpdate('user_message_chunk'));
  equal('so was the user', echo?.data.update.content, { type: 'text', text: 'speak slowly' });
  equal('and whose words they were', echo?.originatorClientId, session.clientId);
  check('the end is the last of the turn', reader.frames.filter((frame) => frame.id > end.id && frame.type === 'session_update').length === 0, reader.frames);
  unbroken('every place from 1 is there', reader.frames);
  understood('all of it is understood', sdk, reader.frames);
  shownWhole('and shown', sdk, reader.frames);

  const state = sdk.reduceDaemonSessionEvents(reader.frames);
  equal('the view of it is alive', [state.alive, state.sessionId, state.awaitingResync], [true, session.sessionId, false]);
  const transcript = sdk.reduceDaemonTranscriptEvents(sdk.createDaemonTranscriptState(), shown(sdk, reader.frames));
  equal('its transcript has two lines', transcript.blocks.map((block) => [block.kind, block.text]), [
    ['user', 'speak slowly'],
    ['assistant', 'First words. Last words.'],
  ]);

  const failed = await within('the failure', (await open()).prompt(text('fail')).catch((error) => error));
  check('a turn that fails is an error of the client', sdk.isDaemonTurnError(failed), String(failed));
  const told = await reader.until('the error', isType('turn_error'));
  check('that an event tells', typeof told.data.message === 'string' && told.data.message.length > 0, told);
  equal('the session goes on', (await say(session, reader, 'hello again')).data.stopReason, 'end_turn');
  unbroken('no place is left out', reader.frames);
  understood('all of that is understood too', sdk, reader.frames);
}

export async function cancel({ sdk, connect, open }) {
  // Before the client has read that its prompt was accepted it does not know that there is one to be cancelled.
  const accepted = watch((response) => response.status === 202);
  const session = await open({}, connect({ fetch: accepted.fetch }));
  await session.cancel();
  check('cancelling what is idle is fine', true);

  const reader = new Reader((signal) => session.events({ signal }));
  const running = session.prompt(text('speak slowly'));
  await accepted.again();
  await reader.until('the first words', isUpdate('agent_message_chunk'));
  await session.cancel();
  equal('a cancelled prompt says so', (await within('the end', running)).stopReason, 'cancelled');
  check('and said nothing more', !said(reader.frames).includes('Last words.'), said(reader.frames));

  // Whoever gives up waiting stops the turn as well, once it knows that there is one.
  const leaving = new AbortController();
  const aborted = session.prompt(text('speak slowly again'), leaving.signal).catch((error) => error);
  await accepted.again();
  const second = await reader.until('the first words again', (frame) => isUpdate('agent_message_chunk')(frame) && frame.id > reader.frames.find(isEnd).id);
  leaving.abort();
  equal('an aborted prompt throws', (await within('the abort', aborted))?.name, 'AbortError');
  const end = await reader.until('the end of it', (frame) => isEnd(frame) && frame.id > second.id);
  equal('and its turn is cancelled', end.data.stopReason, 'cancelled');

  equal('the session goes on', (await say(session, reader, 'hello')).data.stopReason, 'end_turn');
  unbroken('no place is left out', reader.frames);
  understood('all of it is understood', sdk, reader.frames);
}

export async function queue({ sdk, connect, open }) {
  const client = connect();
  const session = await open({}, client);
  const reader = new Reader((signal) => session.events({ signal }));
  const running = await session.submitPrompt(text('speak slowly'));
  await reader.until('the first words', isUpdate('agent_message_chunk'));
  const waiting = await session.submitPrompt(text('never said'));
  const last = await session.submitPrompt(text('hello'));

  const { pendingPrompts } = await session.getPendingPrompts();
  equal('the queue is told', pendingPrompts.map((prompt) => [prompt.promptId, prompt.state, prompt.text]), [
    [running.promptId, 'running', 'speak slowly'],
    [waiting.promptId, 'queued', 'never said'],
    [last.promptId, 'queued', 'hello'],
  ]);
  check('with times as numbers', pendingPrompts.every((prompt) => typeof prompt.queuedAt === 'number'), pendingPrompts);

  equal('one that waits can be taken back', (await session.removePendingPrompt(waiting.promptId)).removed, true);
  equal('once', (await session.removePendingPrompt(waiting.promptId)).removed, false);
  const steered = await session.enqueueMidTurnMessage('and be brief');
  equal('a word may be put in meanwhile', steered.accepted, true);

  await ask('let the model speak');
  await reader.untilEnd(running.promptId);
  await reader.untilEnd(last.promptId);
  const injected = await reader.until('the word put in', isType('mid_turn_message_injected'));
  equal('which is told', injected.data.messages, ['and be brief']);
  check('what was taken back was never said', !reader.frames.some((frame) => frame.data.update?.content?.text === 'never said'), reader.frames);
  equal('the queue is empty', (await session.getPendingPrompts()).pendingPrompts, []);
  equal('an idle session takes no word in between', (await session.enqueueMidTurnMessage('too late')).accepted, false);
  unbroken('no place is left out', reader.frames);
  understood('all of it is understood', sdk, reader.frames);
}

export async function tooMany({ sdk, connect, open }) {
  const session = await open();
  const reader = new Reader((signal) => session.events({ signal }));
  await session.submitPrompt(text('speak slowly'));
  await reader.until('the first words', isUpdate('agent_message_chunk'));
  const limit = (await connect().capabilities()).limits.maxPendingPromptsPerSession;
  const accepted = [];
  let error;
  while (error === undefined && accepted.length <= limit) {
    await session.submitPrompt(text(`hello ${accepted.length}`)).then(
      (one) => accepted.push(one),
      (refusal) => (error = refusal),
    );
  }

  check('one prompt too many is the error that the client knows', error instanceof sdk.DaemonPendingPromptLimitError, String(error));
  equal('with the numbers', [error?.sessionId, error?.limit, error?.pendingCount], [session.sessionId, limit, limit]);
  await ask('let the model speak');
  await reader.untilEnd(accepted.at(-1).promptId);
  equal('and room is there again', (await say(session, reader, 'hello')).data.stopReason, 'end_turn');
}

export async function badPrompts({ open }) {
  const session = await open();
  await refused('no blocks are no prompt', () => session.prompt({ prompt: [] }), 400);
  await refused('a word is no block', () => session.prompt({ prompt: ['hello'] }), 400);
  await refused('nothing is no prompt', () => session.prompt({}), 400);
  await refused('no time is no deadline', () => session.prompt({ ...text('hello'), deadlineMs: 0 }), 400, 'invalid_deadline_ms');
  await refused('a turn is not made again', () => session.prompt({ ...text('hello'), retry: true }), 400, 'unsupported_field');
  equal('the session goes on', (await session.prompt(text('hello'))).stopReason, 'end_turn');
}
