import { browserGate, type Gate } from 'taskbridge/client';
import type { SwitchesStore } from './switches.ts';

/** Closed while the browser is offline, and while the page's own switch says so. */
export function createSwitchGate(switches: SwitchesStore): Gate {
  const browser = browserGate();
  const isOpen = (): boolean => browser.isOpen() && switches.get().state.network;
  return {
    isOpen,
    subscribe(listener) {
      let known = isOpen();
      const look = (): void => {
        if (isOpen() === known) return;
        known = !known;
        listener(known);
      };
      const leave = [browser.subscribe(look), switches.subscribe(look)];
      return () => leave.forEach((one) => one());
    },
  };
}
