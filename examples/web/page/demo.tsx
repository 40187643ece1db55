import { createContext, useContext, type ReactElement, type ReactNode } from 'react';
import { createTaskBridgeClient, type TaskBridgeClient } from 'taskbridge/client';
import { createOutbox, indexedDbOutbox, type Outbox } from 'taskbridge/client/outbox';
import { tabSockets, type TabSockets } from 'taskbridge/client/tabs';
import { TaskBridgeProvider } from 'taskbridge/react';
import { createChartFeed, type ChartFeed } from './charts/feed.ts';
import { createSwitchGate } from './network/gate.ts';
import { createSession, type Session } from './network/session.ts';
import { createSwitches, type SwitchesStore } from './network/switches.ts';

/** What the components of this page share. */
export interface Demo {
  readonly client: TaskBridgeClient;
  /** The one connection of all tabs. */
  readonly tabs: TabSockets;
  /** Answers and cancels go through it, so that none is lost offline. */
  readonly outbox: Outbox;
  readonly charts: ChartFeed;
  readonly session: Session;
  readonly switches: SwitchesStore;
}

/** Far below the defaults, so that falling and climbing can be watched. */
const limits = {
  openMs: 4000,
  // Large files take their time to arrive.
  commandTimeoutMs: 600_000,
  backoffBaseMs: 300,
  backoffMaxMs: 2000,
  climbIntervalMs: 2500,
  provingMs: 3000,
  pollWaitMs: 5000,
  emptyPauseMs: 200,
};

/** Makes the client and what the page hangs on it. */
export function createDemo(): Demo {
  const session = createSession(localStorage);
  const switches = createSwitches();
  const charts = createChartFeed();
  const gate = createSwitchGate(switches);
  const tabs = tabSockets({ name: session.name });
  const client = createTaskBridgeClient({
    baseUrl: location.origin,
    auth: session.auth,
    gate,
    sockets: tabs,
    inspect: charts.inspect,
    webSocketTries: 2,
    eventStreamTries: 2,
    limits,
  });
  const outbox = createOutbox(client, {
    store: indexedDbOutbox({ name: session.name }),
    gate,
    limits: { restBaseMs: 500, restMaxMs: 3000 },
  });
  return { client, tabs, outbox, charts, session, switches };
}

const DemoContext = createContext<Demo | undefined>(undefined);

/** Gives the components what they share. */
export function DemoProvider({ demo, children }: { readonly demo: Demo; readonly children: ReactNode }): ReactElement {
  return (
    <DemoContext value={demo}>
      <TaskBridgeProvider client={demo.client}>{children}</TaskBridgeProvider>
    </DemoContext>
  );
}

/** What the components share. */
export function useDemo(): Demo {
  const demo = useContext(DemoContext);
  if (!demo) throw new Error('There is no <DemoProvider> around this component.');
  return demo;
}
