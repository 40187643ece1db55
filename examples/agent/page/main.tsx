import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { browserGate, createTaskBridgeClient, indexedDbCheckpoints } from 'taskbridge/client';
import { taskParts } from 'taskbridge/client/parts';
import { TaskBridgeProvider } from 'taskbridge/react';
import { App } from './app.tsx';

// About all that a page needs to show text while it grows, whatever happens to the network, the page or the host.
const client = createTaskBridgeClient({
  baseUrl: location.origin,
  auth: () => 'demo',
  parts: taskParts(),
  // What was there is shown at once when the page is opened again.
  checkpoints: indexedDbCheckpoints({ database: 'taskbridge-agent' }),
  gate: browserGate(),
  // Far below the defaults, so that nobody waits long for a host that was killed to be seen again.
  limits: { backoffBaseMs: 200, backoffMaxMs: 1000 },
});

const place = document.getElementById('page');
if (!place) throw new Error('The page has no place to be drawn in.');
createRoot(place).render(
  <StrictMode>
    <TaskBridgeProvider client={client}>
      <App />
    </TaskBridgeProvider>
  </StrictMode>,
);
