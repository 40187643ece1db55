import type { Gate } from '../gate.ts';

/** What NetInfo says of the network; null where it does not know. */
export interface NetInfoWord {
  readonly isConnected: boolean | null;
  /** Whether a request to the internet was answered. */
  readonly isInternetReachable?: boolean | null | undefined;
}

/** The part of `@react-native-community/netinfo` that is used. */
export interface NetInfoPort {
  /** Calls back with what is known, and on every change; returns what ends that. */
  addEventListener(listener: (word: NetInfoWord) => void): () => void;
  /** Looks anew. Asked when the app comes to the front, since what was known may be from before. */
  refresh?(): Promise<NetInfoWord>;
}

/** The part of React Native's `AppState` that is used. */
export interface AppStatePort {
  /** `active`, `inactive`, `background`, or another word of the platform's. */
  readonly currentState: string | null | undefined;
  addEventListener(type: 'change', listener: (state: string) => void): { remove(): void };
}

/** What the gate of an app looks at. */
export interface ReactNativeGateOptions {
  readonly netInfo?: NetInfoPort;
  readonly appState?: AppStatePort;
  /** Also closed while NetInfo says that the internet is out of reach, as behind a captive portal. Defaults to false. */
  readonly requireValidated?: boolean;
  /** Closed while the app is in the background: nothing new is tried there, live connections stay. Defaults to true. */
  readonly closedInBackground?: boolean;
}

/** A gate that listens until it is closed. */
export interface ReactNativeGate extends Gate {
  /** Listens to the app no more; what was said last stays. */
  close(): void;
}

/**
 * Closed while the app has no network, or is in the background. Open for whatever it is not told: before the first word of NetInfo, where that
 * knows nothing, and without either port. Make one for the app, and give it to its client and its outbox.
 */
export function reactNativeGate({
  netInfo,
  appState,
  requireValidated = false,
  closedInBackground = true,
}: ReactNativeGateOptions): ReactNativeGate {
  const listeners = new Set<(open: boolean) => void>();
  let isOnline = true;
  let isInFront = !closedInBackground || appState?.currentState !== 'background';
  let known = isInFront;

  const look = (): void => {
    const now = isOnline && isInFront;
    if (now === known) return;
    known = now;
    for (const listener of [...listeners]) listener(now);
  };
  const takeWord = ({ isConnected, isInternetReachable }: NetInfoWord): void => {
    isOnline = isConnected !== false && !(requireValidated && isInternetReachable === false);
    look();
  };
  const takeState = (state: string): void => {
    isInFront = !closedInBackground || state !== 'background';
    // It may have slept through a change of the network: what it says of that is not from before.
    if (state === 'active') netInfo?.refresh?.().then(takeWord, () => undefined);
    look();
  };
  const leaveNetInfo = netInfo?.addEventListener(takeWord);
  const subscription = appState?.addEventListener('change', takeState);

  return {
    isOpen: () => known,
    subscribe(listener) {
      // The same function may subscribe twice.
      const own = (open: boolean): void => listener(open);
      listeners.add(own);
      return () => void listeners.delete(own);
    },
    close() {
      leaveNetInfo?.();
      subscription?.remove();
    },
  };
}
