import type { ReactElement } from 'react';
import { connectionMachine, suspensionMachine, taskMachine, transportMachine } from 'taskbridge/machines';
import { useTaskSelector } from 'taskbridge/react';
import { useDemo } from '../demo.tsx';
import { Chart } from './chart.tsx';
import { Flow } from './flow.tsx';
import { useChart } from './use-chart.ts';

/** The charts that decide what is seen above, as they run in this page. */
export function ChartsPanel({ taskId }: { readonly taskId: string }): ReactElement {
  const { charts } = useDemo();
  // The last question of all, open or answered.
  const asked = useTaskSelector(taskId, ({ task }) => [...task.aggregate.suspensions.keys()].at(-1));
  const transport = useTaskSelector(taskId, ({ connection }) => connection.transport);
  return (
    <section className="charts" aria-labelledby="charts">
      <h2 id="charts">The charts that decide</h2>
      <Chart
        title="Task"
        about="The law of the log, the same here as on the server: each fact moves it."
        machine={taskMachine}
        view={useChart(charts, `${taskId}/task`)}
      />
      <Flow of="task" actorId={`${taskId}/task`} title="Task, by intents" />
      <Chart
        title="Transport"
        about="Which transport is tried, and when to climb back. Regions with dashed borders run side by side."
        machine={transportMachine}
        view={useChart(charts, `${taskId}/transport`)}
      />
      <Chart
        title="Connection"
        about="The one that delivers, whichever transport it is."
        machine={connectionMachine}
        view={useChart(charts, `${taskId}/transport/${transport}`)}
      />
      {asked !== undefined && <QuestionChart taskId={taskId} suspendId={asked} />}
    </section>
  );
}

function QuestionChart({ taskId, suspendId }: { readonly taskId: string; readonly suspendId: string }): ReactElement {
  const actorId = `${taskId}/questions.${suspendId}`;
  const view = useChart(useDemo().charts, actorId);
  return (
    <>
      <Chart title="Question" about="Which answer is accepted, and which comes too late." machine={suspensionMachine} view={view} />
      <Flow of="suspension" actorId={actorId} title="Question, by intents" />
    </>
  );
}
