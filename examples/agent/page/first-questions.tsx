import type { ReactElement } from 'react';

const questions = ['Do I need a coat?', 'Is it a day for the ferry?', 'Shall we eat outside?'] as const;

/** What stands where nothing was asked yet. */
export function FirstQuestions({ isReached, onAsk }: { readonly isReached: boolean; onAsk(question: string): void }): ReactElement {
  if (!isReached) return <p className="welcome quiet">One moment …</p>;
  return (
    <section className="welcome" aria-labelledby="welcome">
      <h1 id="welcome">What would you like to know?</h1>
      <p className="lead">
        The answer comes word by word. Reload in mid-sentence, cut the network, kill the server, look on from another device: the sentence
        goes on, and nothing comes twice.
      </p>
      <div className="suggestions">
        {questions.map((question) => (
          <button key={question} onClick={() => onAsk(question)}>
            {question}
          </button>
        ))}
      </div>
    </section>
  );
}
