import type { LiveHub } from '../../server/live/hub.ts';
import type { Viewer } from '../../server/live/viewer.ts';

/** An object of which some members are others. What is left of it still works on itself, whose private members no other object has. */
function withOthers<T extends object>(whole: T, others: Partial<T>): T {
  return new Proxy(whole, {
    get(_, name) {
      if (name in others) return Reflect.get(others, name) as unknown;
      const value: unknown = Reflect.get(whole, name, whole);
      return typeof value === 'function' ? (value.bind(whole) as unknown) : value;
    },
  });
}

/** A hub whose viewers do some things in another way. */
export function withViewers(change: (viewer: Viewer) => Partial<Viewer>): (hub: LiveHub) => LiveHub {
  return (hub) =>
    withOthers(hub, { subscribe: (taskId, viewer, ...rest) => hub.subscribe(taskId, withOthers(viewer, change(viewer)), ...rest) });
}
