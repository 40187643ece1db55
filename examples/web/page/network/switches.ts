import type { CutResponse, Switches } from '../../messages.ts';
import { createStore, type Store } from '../store.ts';

/** The switches as they stand, and what is being done about them. */
export interface SwitchesView {
  readonly state: Switches;
  /** What is being switched; null for nothing. */
  readonly busy: keyof Switches | null;
  /** What happened last, for people. */
  readonly said: string;
}

/** The demo's switches. They are the server's: all tabs see the same. */
export interface SwitchesStore extends Pick<Store<SwitchesView>, 'get' | 'subscribe'> {
  turn(name: keyof Switches, on: boolean): Promise<void>;
  cut(): Promise<void>;
  expireToken(): Promise<void>;
}

const allOn: Switches = { webSocket: true, sse: true, network: true, server: true };
const what: Readonly<Record<keyof Switches, readonly [on: string, off: string]>> = {
  webSocket: ['WebSocket is let through.', 'WebSocket is blocked.'],
  sse: ['Server-sent events are let through.', 'Server-sent events are blocked.'],
  network: ['The network is back.', 'The network is gone.'],
  server: ['The server runs again.', 'The server was killed (kill -9).'],
};

/** Reads the switches, and follows what other tabs do with them. */
export function createSwitches(): SwitchesStore {
  const store = createStore<SwitchesView>({ state: allOn, busy: null, said: '' });
  const others = new BroadcastChannel('taskbridge-demo');
  const change = (part: Partial<SwitchesView>): void => store.set({ ...store.get(), ...part });
  others.onmessage = ({ data }: MessageEvent<Switches>) => change({ state: data });
  void fetch('/demo/switches').then(async (response) => change({ state: (await response.json()) as Switches }));

  return {
    get: store.get,
    subscribe: store.subscribe,
    async turn(name, on) {
      change({ busy: name });
      try {
        const state = await post<Switches>('switches', { [name]: on });
        change({ state, said: what[name][on ? 0 : 1] });
        others.postMessage(state);
      } catch (error) {
        change({ said: String(error) });
      } finally {
        change({ busy: null });
      }
    },
    async cut() {
      const { cut } = await post<CutResponse>('cut', {});
      change({ said: `${counted(cut)} cut.` });
    },
    async expireToken() {
      const { cut } = await post<CutResponse>('expire', {});
      change({ said: `The token is no longer good; ${counted(cut)} ended with it.` });
    },
  };
}

const counted = (count: number): string => (count === 1 ? '1 connection' : `${count} connections`);

async function post<T>(path: string, body: object): Promise<T> {
  const response = await fetch(`/demo/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`/demo/${path} was answered ${response.status}.`);
  // Our own server's, built with this page.
  return (await response.json()) as T;
}
