import type { InspectionEvent } from 'xstate';
import type { Inspect } from '../machines/index.ts';
import type { Gate } from './gate.ts';
import type { TransportListener, TransportMoment } from './listener.ts';
import type { ClientReport } from './report.ts';

type Report = (report: ClientReport) => void;
type InspectHook = (event: InspectionEvent) => void;

/** Calls what a host gave, where nothing may be lost by it: what it throws, also later, is told, and it has answered nothing then. */
export function callHook<R>(call: () => R, tell: (cause: unknown) => void): R | undefined {
  try {
    const answer = call();
    if (answer instanceof Promise) void answer.catch(tell);
    return answer;
  } catch (cause) {
    tell(cause);
    return undefined;
  }
}

/** The same source of changes, which breaks nothing: where it cannot be listened to, it tells nothing. */
export function guardChanges<L>(
  source: { subscribe(listener: L): () => void },
  tell: (cause: unknown) => void,
): (listener: L) => () => void {
  return (listener) => {
    const leave = callHook(() => source.subscribe(listener), tell);
    return () => callHook(() => leave?.(), tell);
  };
}

/** The same gate, which breaks nothing: open for what it does not say. */
export function guardGate(gate: Gate, tell: (cause: unknown) => void = () => undefined): Gate {
  return { isOpen: () => callHook(() => gate.isOpen(), tell) ?? true, subscribe: guardChanges(gate, tell) };
}

/** An inspector that breaks nothing: what it throws is told, where somebody is to be told. Undefined for none. */
export function safeInspect(inspect: Inspect | undefined, tell: (cause: unknown) => void = () => undefined): InspectHook | undefined {
  const look = typeof inspect === 'function' ? inspect : inspect?.next?.bind(inspect);
  return look && ((event) => callHook(() => look(event), tell));
}

/** Reports what a hook of that name has thrown. */
export function hookFault(report: Report, hook: string, moment?: TransportMoment): (cause: unknown) => void {
  return (cause) => report({ type: 'hook', hook, cause, ...(moment && { taskId: moment.taskId, context: moment.context }) });
}

/** The same listener, none of whose hooks throws. */
export function guardListener(listener: Partial<TransportListener>, report: Report): Partial<TransportListener> {
  return new Proxy(listener, {
    get(target, name: keyof TransportListener) {
      const hook = target[name]?.bind(target) as ((moment: TransportMoment) => void) | undefined;
      return hook && ((moment: TransportMoment) => callHook(() => hook(moment), hookFault(report, name, moment)));
    },
  });
}
