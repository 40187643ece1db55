import { reactNativeGate, type NetInfoWord, type ReactNativeGateOptions } from 'taskbridge/react-native';
import { expect, test } from 'vitest';

/** An app on a device: what its NetInfo and AppState say is the test's to say. */
function device(options: Omit<ReactNativeGateOptions, 'netInfo' | 'appState'> = {}, currentState: string | null = 'active') {
  const words = new Set<(word: NetInfoWord) => void>();
  const states = new Set<(state: string) => void>();
  const changes: boolean[] = [];
  let fresh: Promise<NetInfoWord> | undefined;
  const gate = reactNativeGate({
    ...options,
    netInfo: {
      addEventListener: (listener) => (words.add(listener), () => void words.delete(listener)),
      refresh: () => fresh ?? Promise.reject(new Error('Nothing is known.')),
    },
    appState: {
      currentState,
      addEventListener: (_type, listener) => (states.add(listener), { remove: () => void states.delete(listener) }),
    },
  });
  gate.subscribe((open) => changes.push(open));
  return {
    gate,
    changes,
    listeners: () => words.size + states.size,
    net: (isConnected: boolean | null, isInternetReachable?: boolean | null) =>
      words.forEach((listener) => listener({ isConnected, isInternetReachable })),
    become: (state: string) => states.forEach((listener) => listener(state)),
    learns: (word: NetInfoWord) => (fresh = Promise.resolve(word)),
  };
}

test('the gate of an app is open until it is told otherwise, and for what nobody knows', () => {
  expect(reactNativeGate({}).isOpen()).toBe(true);
  const { gate, net, changes } = device();
  expect(gate.isOpen()).toBe(true);
  net(null, null);
  net(true, false);
  expect(gate.isOpen()).toBe(true);
  expect(changes).toEqual([]);
});

test('it closes without a network and opens with one, and says so once', () => {
  const { gate, net, changes } = device();
  net(false, false);
  net(false, null);
  expect(gate.isOpen()).toBe(false);
  net(true, null);
  net(true, true);
  expect(changes).toEqual([false, true]);
});

test('with requireValidated it is closed too while the internet is out of reach, and open where that is not known', () => {
  const { net, changes } = device({ requireValidated: true });
  net(true, null);
  net(true, false);
  net(true, undefined);
  expect(changes).toEqual([false, true]);
});

test('it is closed in the background, not while the app is only inactive', () => {
  const { become, changes } = device();
  become('inactive');
  become('background');
  become('active');
  expect(changes).toEqual([false, true]);
  expect(device({}, 'background').gate.isOpen()).toBe(false);
  expect(device({ closedInBackground: false }, 'background').gate.isOpen()).toBe(true);
});

test('an app that comes to the front asks anew for the network, which may have come or gone meanwhile', async () => {
  const { gate, net, become, learns, changes } = device();
  net(false);
  become('background');
  void learns({ isConnected: true });
  become('active');
  await Promise.resolve();
  expect(gate.isOpen()).toBe(true);
  expect(changes).toEqual([false, true]);
});

test('what cannot be learned then changes nothing', async () => {
  const { gate, net, become } = device();
  net(false);
  become('active');
  await Promise.resolve();
  expect(gate.isOpen()).toBe(false);
});

test('a gate that is closed for good listens to nothing and keeps its word', () => {
  const { gate, net, listeners } = device();
  net(false);
  gate.close();
  expect(listeners()).toBe(0);
  expect(gate.isOpen()).toBe(false);
});
