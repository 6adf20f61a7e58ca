/** A prompt of one text. */
export const text = (words) => ({ prompt: [{ type: 'text', text: words }] });

/**
 * Says it, and returns the frame that ends its turn. Where a session has a reader, its own `prompt` waits for that frame on the reader's
 * stream, and misses it for ever if it comes before the answer to the prompt is read: with a model that takes no time, that happens.
 */
export async function say(session, reader, words) {
  const { promptId } = await session.submitPrompt(text(words));
  return await reader.untilEnd(promptId);
}
