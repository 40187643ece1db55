/** What a model is told: the question, how much of the answer there is already, and what its tool has said, once somebody let it be used. */
export interface Prompt {
  readonly question: string;
  /** The answer goes on behind this. */
  readonly begun: string;
  readonly weather?: string;
}

const WORD_MS = 40;

/**
 * A model that is played from a script, a word at a time, without a network: what one of a provider would stream. It goes on where its answer was cut, as those do
 * that are given the beginning of an answer.
 */
export async function* scriptedModel({ question, begun, weather }: Prompt, signal: AbortSignal): AsyncGenerator<string> {
  const answer =
    weather === undefined
      ? `You asked: “${question}” Without a look at the weather I can only say what always holds: a coat is carried more easily than it is missed. ☂`
      : `You asked: “${question}” I have looked: it is ${weather}. So take the coat, leave the umbrella, and mind the ferry, which goes when it likes. ⛴`;
  for (const word of answer.slice(begun.length).match(/\s*\S+/g) ?? []) {
    await new Promise((resolve) => setTimeout(resolve, WORD_MS));
    if (signal.aborted) return;
    yield word;
  }
}
