/** What a model is told: the question, how much of the answer there is already, and what became of its wish to use its tool. */
export interface Prompt {
  readonly question: string;
  /** The answer goes on behind this. */
  readonly said: string;
  /** What its tool has said; null where it may not be used, undefined before anybody has said so. */
  readonly weather?: string | null | undefined;
}

/** How a model is played. */
export interface ScriptedModelOptions {
  /** The rest before each word, in milliseconds. */
  readonly wordMs: number;
  readonly signal: AbortSignal;
}

/** The whole answer, as far as it can be given: what the model says before it has heard of its tool is where it begins in any case. */
export function scriptOf({ question, weather }: Omit<Prompt, 'said'>): string {
  const opening = `“${question}” – that is a question about the sky, and I would rather look at it than guess.`;
  if (weather === undefined) return opening;
  const paragraphs =
    weather === null
      ? [
          'Without a look I can only say what always holds: a coat is carried more easily than it is missed. Take one that folds small, and nobody will know that you were in doubt.',
          'Ask me again and let me look; then I shall not have to speak in proverbs.',
        ]
      : [
          `I have looked: it is ${weather}. The wind comes from the north-west, in gusts, and will be stronger on the water than it is in the streets. There are clouds, and between them more sun than anybody has earned. ☀`,
          'So take the coat. Not for the rain, which comes in the evening, but for the wind, which is here already; one that buttons up to the collar does more than a thick one that does not. Leave the umbrella at home: it would be inside out before the first corner, and you would carry what is left of it all day.',
          'And mind the ferry. It goes when it likes, and in a wind like this it likes to wait. Be at the pier early, stand on the sheltered side, and have your coffee there, not on board. The last boat back leaves at half past five; whoever misses it gets to see the rain after all. ☂',
        ];
  return [opening, ...paragraphs].join('\n\n');
}

/**
 * A model that is played from a script, a word at a time, without a network: what one of a provider would stream. It goes on where its answer was cut, as those do
 * that are given the beginning of an answer.
 */
export async function* scriptedModel(prompt: Prompt, { wordMs, signal }: ScriptedModelOptions): AsyncGenerator<string> {
  for (const word of scriptOf(prompt)
    .slice(prompt.said.length)
    .match(/\s*\S+/g) ?? []) {
    await new Promise((resolve) => setTimeout(resolve, wordMs));
    signal.throwIfAborted();
    yield word;
  }
}
