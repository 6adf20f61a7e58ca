import { check, equal, within } from './report.mjs';

/** Reads a stream of events in the background, to its end or until it leaves: `new Reader((signal) => session.events({ signal }))`. */
export class Reader {
  frames = [];
  /** What the stream ended with, if it was not simply over. */
  failure = undefined;
  #waiting = [];
  #leaving = new AbortController();

  constructor(open) {
    this.ended = this.#read(open(this.#leaving.signal));
  }

  /** The first frame that fits, of those that came and those that will. */
  async until(what, fits) {
    const there = this.frames.find(fits);
    if (there) {
      return there;
    }

    return await within(
      what,
      new Promise((resolve, reject) => this.#waiting.push({ fits, resolve, reject: () => reject(new Error(`the stream ended before: ${what}`)) })),
    );
  }

  /** The frame that ends that prompt. */
  async untilEnd(promptId) {
    return await this.until('the end of the prompt', (frame) => isEnd(frame) && (promptId === undefined || frame.data.promptId === promptId));
  }

  get ids() {
    return this.frames.filter((frame) => frame.id !== undefined).map((frame) => frame.id);
  }

  /** Leaves, as a client does that has seen enough. */
  async leave() {
    this.#leaving.abort();
    await within('the end of a stream that was left', this.ended);
  }

  async #read(stream) {
    try {
      for await (const frame of stream) {
        this.frames.push(frame);
        for (const waiter of this.#waiting.filter(({ fits }) => fits(frame))) {
          this.#waiting.splice(this.#waiting.indexOf(waiter), 1);
          waiter.resolve(frame);
        }
      }
    } catch (error) {
      this.failure = error;
    }

    this.#waiting.splice(0).forEach((waiter) => waiter.reject());
  }
}

export const isEnd = (frame) => frame.type === 'turn_complete' || frame.type === 'turn_error';

export const isUpdate = (kind) => (frame) => frame.type === 'session_update' && frame.data.update?.sessionUpdate === kind;

export const isType = (type) => (frame) => frame.type === type;

/** What the model said, as the frames tell it. */
export const said = (frames) =>
  frames
    .filter(isUpdate('agent_message_chunk'))
    .map((frame) => frame.data.update.content?.text ?? '')
    .join('');

/** The frames that have a place in the log, in the order in which they came. */
export const numbered = (frames) => frames.filter((frame) => frame.id !== undefined);

/** Every place from the first to the last, each once. */
export function unbroken(what, frames, first = 1) {
  const ids = numbered(frames).map((frame) => frame.id);
  const wrong = ids.findIndex((id, index) => id !== first + index);
  return check(what, ids.length > 0 && wrong < 0, { first, at: wrong, ids: ids.slice(Math.max(0, wrong - 3), wrong + 4) });
}

// On the client's list of types, but nothing of it reads them.
const unread = ['replay_complete', 'prompt_cancelled'];

const known = (sdk, frames) => frames.filter((frame) => sdk.DAEMON_KNOWN_EVENT_TYPE_VALUES.includes(frame.type) && !unread.includes(frame.type));

/** The client's own parser takes every frame of a type that it knows. */
export function understood(what, sdk, frames) {
  const strange = known(sdk, frames).filter((frame) => sdk.asKnownDaemonEvent(frame) === undefined);
  return equal(what, strange, []);
}

/** What the client makes of frames to show them. The older one shows no end of a turn, though it knows it. */
export const shown = (sdk, frames) => known(sdk, frames).filter((frame) => frame.type !== 'turn_complete').flatMap((frame) => sdk.normalizeDaemonEvent(frame));

/** Nothing that is shown stands for something that could not be read. */
export function shownWhole(what, sdk, frames) {
  const strange = shown(sdk, frames).filter((item) => item.type === 'debug');
  return equal(what, strange.map((item) => item.text), []);
}

/** Both streams tell the same history. */
export function same(what, left, right) {
  const plain = (frames) => numbered(frames).map(({ id, type, data }) => ({ id, type, data }));
  const [a, b] = [plain(left), plain(right)];
  const at = a.findIndex((frame, index) => JSON.stringify(frame) !== JSON.stringify(b[index]));
  return check(what, a.length === b.length && at < 0, { lengths: [a.length, b.length], at, left: a[at], right: b[at] });
}
