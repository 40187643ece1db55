import { createRoot } from 'react-dom/client';
import { createTaskBridgeClient } from '../../client/index.ts';
import { TaskBridgeProvider, useTaskSelector } from '../../client/react/index.ts';
import { taskId, token } from './address.ts';

// A page as its authors write it: the client, its hook, and what the task last said of itself.
const client = createTaskBridgeClient({ baseUrl: location.origin, auth: () => token });

function Shown() {
  const message = useTaskSelector(taskId, ({ task }) => task.progress?.message);
  return <p>{message}</p>;
}

createRoot(document.body).render(
  <TaskBridgeProvider client={client}>
    <Shown />
  </TaskBridgeProvider>,
);
