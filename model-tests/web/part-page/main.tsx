import { useLayoutEffect, type ReactElement } from 'react';
import { createRoot } from 'react-dom/client';
import { createTaskBridgeClient } from 'taskbridge/client';
import { taskParts } from 'taskbridge/client/parts';
import { TaskBridgeProvider, usePart, useQuestions, useTask, useTaskSelector } from 'taskbridge/react';
import type { Rendered } from './renders.ts';

// Who has rendered, in which frame: a page whose components each use a hook of the task.
const rendered: Rendered[] = [];
Object.assign(globalThis, { rendered });

/** What is asked of the browser in one frame, and after it before the next one, has one time. */
function useNote(who: string, characters = 0): void {
  useLayoutEffect(() => void rendered.push({ who, frame: Number(document.timeline.currentTime), characters }));
}

const taskId = location.hash.slice(1);
const client = createTaskBridgeClient({ baseUrl: location.origin, auth: () => 'ada', parts: taskParts() });

function Page(): ReactElement {
  useNote('page');
  return (
    <main>
      <Answer />
      <Task />
      <State />
      <Questions />
    </main>
  );
}

function Answer(): ReactElement {
  const part = usePart(taskId, 'answer');
  useNote('answer', part?.text.length);
  return <p id="answer">{part?.text}</p>;
}

function Task(): ReactElement {
  const { task, connection } = useTask(taskId);
  useNote('task');
  return <p>{`${task.state}, ${connection.state}`}</p>;
}

function State(): ReactElement {
  const state = useTaskSelector(taskId, ({ task }) => task.state);
  useNote('state');
  return <p>{state}</p>;
}

function Questions(): ReactElement {
  const questions = useQuestions(taskId);
  useNote('questions');
  return <p>{questions.length}</p>;
}

const place = document.getElementById('page');
if (!place) throw new Error('The page has no place to be drawn in.');
createRoot(place).render(
  <TaskBridgeProvider client={client}>
    <Page />
  </TaskBridgeProvider>,
);
