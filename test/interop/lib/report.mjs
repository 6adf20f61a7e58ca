import { isDeepStrictEqual } from 'node:util';
import { createInterface } from 'node:readline';

// Far above what anything takes: it only ends what hangs.
const longestMs = 30_000;

let passed = 0;
let failed = 0;

/** Prints one assertion as one JSON line. */
export function check(what, holds, saw) {
  if (holds) {
    passed++;
    print({ ok: true, what });
  } else {
    failed++;
    print({ ok: false, what, saw: shown(saw) });
  }
  return Boolean(holds);
}

export function equal(what, actual, expected) {
  return check(what, isDeepStrictEqual(actual, expected), { actual, expected });
}

/** The call must throw what the client makes of a refusal: that status and, if given, that code. */
export async function refused(what, call, status, code) {
  try {
    const answer = await within(what, call());
    check(what, false, { answered: answer });
  } catch (error) {
    const right = error?.status === status && (code === undefined || error.body?.code === code);
    check(what, right, { status: error?.status, body: error?.body, message: String(error) });
    return error;
  }
}

/** Waits, but not for ever. */
export async function within(what, promise) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`waited in vain: ${what}`)), longestMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

export function finish(scenario) {
  print({ done: scenario, passed, failed });
  return failed === 0 && passed > 0;
}

const lines = createInterface({ input: process.stdin });
const answers = [];
const askers = [];
lines.on('line', (line) => (askers.length > 0 ? askers.shift()(line) : answers.push(line)));

/** Asks whoever drives the daemon for something, and returns the line that it answers. */
export async function ask(question, details = {}) {
  print({ ask: question, ...details });
  return answers.length > 0 ? answers.shift() : await within(`an answer to: ${question}`, new Promise((resolve) => askers.push(resolve)));
}

function print(line) {
  process.stdout.write(JSON.stringify(line) + '\n');
}

function shown(value) {
  const text = JSON.stringify(value, (_, part) => (part instanceof Error ? String(part) : part)) ?? String(value);
  return text.length > 4_000 ? `${text.slice(0, 4_000)}…` : text;
}
