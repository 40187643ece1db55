import { page } from './page.ts';
import { act, createElement as h, StrictMode, type ReactNode } from 'react';
import { createRoot } from 'react-dom/client';
import { createTaskBridgeClient, type TaskBridgeClient, type TaskBridgeClientOptions } from 'taskbridge/client/node';
import { TaskBridgeProvider, type TaskBridgeProviderProps } from 'taskbridge/react';
import { onTestFinished } from 'vitest';
import { WAIT_MS } from '../support/patience.ts';

/** A client of `alice`, closed when the test has finished. */
export function clientOf(baseUrl: string, options: Partial<TaskBridgeClientOptions> = {}): TaskBridgeClient {
  const client = createTaskBridgeClient({ baseUrl, auth: () => ({ authorization: 'alice' }), ...options });
  onTestFinished(() => client.close());
  return client;
}

/** Renders in StrictMode below a provider, in a place of its own; goes when the test has finished. */
export async function show(props: Omit<TaskBridgeProviderProps, 'children'>, children: ReactNode): Promise<HTMLElement> {
  const place = page.createElement('div');
  // What a boundary catches is the test's to look at.
  const root = createRoot(place, { onCaughtError: () => undefined });
  onTestFinished(() => act(async () => root.unmount()));
  await act(async () => root.render(h(StrictMode, null, h(TaskBridgeProvider, { ...props, children }))));
  return place;
}

/** Lets React catch up until it holds; throws where it never does. */
export async function untilShown(holds: () => boolean): Promise<void> {
  const begun = performance.now();
  while (!holds()) {
    if (performance.now() - begun > WAIT_MS) throw new Error(`Waited in vain: for ${String(holds)}`);
    await act(() => new Promise((resolve) => setImmediate(resolve)));
  }
}
