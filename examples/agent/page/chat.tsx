import { useEffect, useRef, useState, type ReactElement } from 'react';
import type { ListedTasks } from 'taskbridge/react';
import { useStartTask, useTasks } from 'taskbridge/react';
import { chat } from './address.ts';
import { Composer } from './composer.tsx';
import { FirstQuestions } from './first-questions.tsx';
import { Trouble } from './trouble.tsx';
import { Turn } from './turn.tsx';
import { useScroll } from './use-scroll.ts';

const ofThisChat: ListedTasks = { label: chat, limit: 50 };
/** How soon a question that was asked on another device is seen here. */
const AGAIN_MS = 2000;

/** A conversation: each question is a task, each answer a part of it. */
export function Chat(): ReactElement {
  const { tasks, status, hasMore, more, refresh } = useTasks(ofThisChat);
  const { start, error, reset } = useStartTask();
  const [asked, setAsked] = useState<{ readonly question: string; readonly taskId?: string } | null>(null);
  const turns = useRef<HTMLOListElement>(null);
  useScroll(turns);
  useEffect(() => {
    const timer = setInterval(() => document.visibilityState === 'visible' && void refresh(), AGAIN_MS);
    return () => clearInterval(timer);
  }, [refresh]);

  async function ask(question: string): Promise<void> {
    setAsked({ question });
    const taskId = await start({ taskType: 'question.answer', labels: [chat], input: { question } });
    setAsked(taskId === null ? null : { question, taskId });
  }

  // Until the list has it.
  const pending = asked && !tasks.some(({ taskId }) => taskId === asked.taskId) ? asked.question : null;
  const newest = tasks[0];
  const isRunning = newest !== undefined && !['completed', 'failed', 'cancelled'].includes(newest.state);
  return (
    <>
      <main>
        {hasMore && <button onClick={() => void more()}>Earlier questions</button>}
        {(tasks.length > 0 || pending !== null) && <h1 className="visually-hidden">Conversation</h1>}
        <ol className="turns" ref={turns} aria-label="Conversation">
          {[...tasks].reverse().map(({ taskId, input = {} }) => (
            <Turn key={taskId} taskId={taskId} question={textOf(input['question'])} />
          ))}
          {pending !== null && (
            <li className="turn">
              <p className="asked">{pending}</p>
              <p className="waiting">…</p>
            </li>
          )}
        </ol>
        {tasks.length === 0 && pending === null && (
          <FirstQuestions isReached={status === 'ready'} onAsk={(question) => void ask(question)} />
        )}
      </main>
      <footer>
        {error && (
          <p className="notice bad" role="alert">
            {error.message} <button onClick={reset}>Close</button>
          </p>
        )}
        <Composer onAsk={ask} runs={pending === null && isRunning ? newest.taskId : null} isSending={pending !== null} />
        <Trouble />
      </footer>
    </>
  );
}

const textOf = (given: unknown): string => (typeof given === 'string' ? given : '');
