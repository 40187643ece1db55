import { memo, type ReactElement } from 'react';
import type { Fact, UnknownFact } from 'taskbridge/client';
import { parseEventId } from 'taskbridge/wire';
import { sentence } from '../../../report/fact-text.ts';
import { timeOf } from '../numbers.ts';

const plain = (text: string): string => text;

/** One fact: as a sentence, or to the letter. */
export const LogLine = memo(function Line({ fact, isRaw }: { readonly fact: Fact | UnknownFact; readonly isRaw: boolean }): ReactElement {
  if (isRaw)
    return (
      <li className={fact.type}>
        <code>{JSON.stringify(fact)}</code>
      </li>
    );
  return (
    <li className={fact.type} data-event-id={fact.eventId}>
      <span className="n">{parseEventId(fact.eventId)?.n ?? fact.eventId}</span>
      <time dateTime={fact.createdAt}>{timeOf(fact.createdAt)}</time>
      <span className="said">{sentence(fact, plain)}</span>
    </li>
  );
});
