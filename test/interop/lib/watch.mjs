import { within } from './report.mjs';

/** A fetch for a client that tells when an answer has arrived that fits, and been read where it is no stream. */
export function watch(fits) {
  const seen = [];
  const waiting = [];
  const tell = () => (waiting.length > 0 ? waiting.shift()() : seen.push(true));
  return {
    fetch: async (...request) => {
      let response = await fetch(...request);
      if (fits(response)) {
        if (response.headers.get('content-type')?.includes('json')) {
          response = new Response(await response.text(), response);
        }

        setImmediate(tell);
      }

      return response;
    },
    /** Completes with each such answer once. */
    again: async () => (seen.length > 0 ? seen.shift() : await within('an answer', new Promise((resolve) => waiting.push(resolve)))),
  };
}
