import { useEffect, useRef, useState, type ReactElement } from 'react';
import { useDemo } from '../demo.tsx';
import { countOf } from '../numbers.ts';
import { useFacts } from './facts.ts';
import { LogLine } from './log-line.tsx';

const SHOWN = 300;
const NEAR_END = 40;

/** The task's log, fact by fact, newest below. */
export function LogPanel({ taskId }: { readonly taskId: string }): ReactElement {
  const { facts, end } = useFacts(useDemo().client, taskId);
  const [isRaw, setRaw] = useState(false);
  const [isWhole, setWhole] = useState(false);
  const list = useRef<HTMLOListElement>(null);
  const follows = useRef(true);
  const top = useRef(0);
  const hidden = isWhole ? 0 : Math.max(0, facts.length - SHOWN);

  useEffect(() => {
    if (follows.current) list.current?.scrollTo({ top: list.current.scrollHeight });
  }, [facts, isRaw]);

  return (
    <section className="panel log" aria-labelledby="log">
      <header className="log-head">
        <h2 id="log">Log</h2>
        <span className="quiet" data-testid="log-count" data-end={end}>
          {countOf(facts.length)} facts{end === 'complete' && ', complete'}
        </span>
        <label className="switch">
          <input type="checkbox" role="switch" checked={isRaw} onChange={({ target }) => setRaw(target.checked)} />
          As on the wire
        </label>
      </header>
      {hidden > 0 && (
        <button className="plain" onClick={() => setWhole(true)}>
          Show {countOf(hidden)} earlier facts
        </button>
      )}
      <ol
        ref={list}
        tabIndex={0}
        aria-label="Facts"
        className={isRaw ? 'facts raw' : 'facts'}
        onScroll={({ currentTarget: { scrollTop, scrollHeight, clientHeight } }) => {
          // What came meanwhile is no sign of anything; only somebody who goes back wants to stay.
          if (scrollHeight - scrollTop - clientHeight < NEAR_END) follows.current = true;
          else if (scrollTop < top.current) follows.current = false;
          top.current = scrollTop;
        }}
      >
        {facts.slice(hidden).map((fact, index) => (
          <LogLine key={hidden + index} fact={fact} isRaw={isRaw} />
        ))}
      </ol>
    </section>
  );
}
