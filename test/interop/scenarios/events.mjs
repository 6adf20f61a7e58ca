import { say, text } from '../lib/prompt.mjs';
import { ask, check, equal, refused, within } from '../lib/report.mjs';
import { watch } from '../lib/watch.mjs';
import { isEnd, isType, isUpdate, numbered, Reader, said, same, unbroken, understood } from '../lib/reader.mjs';

export async function cursors({ sdk, connect, open }) {
  const session = await open();
  const client = connect();
  await session.prompt(text('hello'));
  const running = await session.submitPrompt(text('speak slowly'));

  // One that leaves in the midst and comes back, over and over, and never asks for anything twice.
  const whole = [];
  while (!whole.some((frame) => isEnd(frame) && frame.data.promptId === running.promptId)) {
    const reader = new Reader((signal) => client.subscribeEvents(session.sessionId, { lastEventId: whole.at(-1)?.id ?? 0, signal }));
    const last = whole.at(-1)?.id ?? 0;
    await reader.until('the next few', (frame) => frame.id >= last + 3 || isUpdate('agent_message_chunk')(frame) || isEnd(frame));
    await reader.leave();
    whole.push(...numbered(reader.frames));
    if (said(whole).includes('First words.') && !whole.asked) {
      whole.asked = true;
      await ask('let the model speak');
    }
  }

  unbroken('who comes back with a cursor misses nothing and sees nothing twice', whole);

  const everything = new Reader((signal) => client.subscribeEvents(session.sessionId, { lastEventId: 0, signal }));
  await everything.untilEnd(running.promptId);
  await everything.leave();
  same('which is what 0 gives at once', whole, everything.frames);
  equal('the model was heard whole', said(whole), 'All is well.First words. Last words.');
  understood('all of it is understood', sdk, everything.frames);

  // The client's own bookkeeping of the cursor.
  const resuming = new Reader((signal) => session.events({ signal }));
  await resuming.untilEnd(running.promptId);
  await resuming.leave();
  await resuming.ended;
  await session.prompt(text('hello again'));
  const rest = new Reader((signal) => session.events({ signal }));
  await rest.until('what came meanwhile', isType('turn_complete'));
  check('a stream opened again goes on where the last was left', numbered(rest.frames)[0].id >= running.lastEventId, rest.ids);
  unbroken('from there without a gap', rest.frames, rest.ids[0]);

  const opened = watch((response) => response.headers.get('content-type')?.startsWith('text/event-stream'));
  const live = new Reader((signal) => connect({ fetch: opened.fetch }).subscribeEvents(session.sessionId, { signal }));
  await opened.again();
  equal('a reader without a cursor', (await say(session, rest, 'hello live')).data.stopReason, 'end_turn');
  await live.until('what is new', isEnd);
  check('sees what is new only', live.ids.every((id) => id > rest.ids[0]), live.ids);

  await refused('a cursor from nowhere is refused', () => client.subscribeEvents(session.sessionId, { lastEventId: 1_000_000 }).next(), 400);
}

export async function readers({ sdk, connect, open: create }) {
  const session = await create();
  const stalled = connect().subscribeEvents(session.sessionId, { lastEventId: 0 });
  const kept = [];
  const started = stalled.next();
  const ten = Array.from({ length: 10 }, () => new Reader((signal) => connect().subscribeEvents(session.sessionId, { lastEventId: 0, signal })));
  const { promptId } = await session.submitPrompt(text('speak at length'));
  kept.push((await within('a first frame', started)).value);

  // The stalled one takes nothing more, while the others have it all.
  await Promise.all(ten.map((reader) => reader.untilEnd(promptId)));
  for (const [index, reader] of ten.entries()) {
    unbroken(`reader ${index} has every place from 1`, reader.frames);
    same(`and the same as the first`, ten[0].frames, reader.frames);
  }

  equal('none of them was sent away', ten.flatMap((reader) => reader.frames).filter(isType('client_evicted')).length, 0);
  understood('all of it is understood', sdk, ten[0].frames);

  // Whatever became of the stalled one, with its cursor it gets the rest.
  const isWhole = () => kept.some((frame) => isEnd(frame) && frame.data.promptId === promptId);
  let open = () => stalled;
  for (let tries = 0; !isWhole() && tries < 20; tries++) {
    const reader = new Reader(open);
    await reader.untilEnd(promptId).catch(() => reader.ended);
    kept.push(...reader.frames);
    const lastEventId = numbered(kept).at(-1).id;
    open = (signal) => connect().subscribeEvents(session.sessionId, { lastEventId, signal });
  }

  const evicted = kept.find(isType('client_evicted'));
  check('who was sent away was told why', evicted === undefined || evicted.id === undefined, evicted);
  unbroken('who stalled has every place from 1 in the end', kept);
  same('and the same as the others', ten[0].frames, kept);
  understood('which is understood', sdk, kept);

  await refused('a queue of no size is refused', () => connect().subscribeEvents(session.sessionId, { maxQueued: 1 }).next(), 400, 'invalid_max_queued');
  const small = new Reader((signal) => connect().subscribeEvents(session.sessionId, { maxQueued: 16, lastEventId: 0, signal }));
  await small.untilEnd(promptId);
  unbroken('what is replayed does not fill a small queue', small.frames);
}
