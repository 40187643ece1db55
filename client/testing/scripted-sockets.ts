import type { SocketListener, SocketPort } from '../transports/socket.ts';
import { envelopeOf, follow, type ScriptedWorld } from './scripted-world.ts';

/** WebSockets that show the tasks of a scripted world, each one of them. */
export function scriptedSockets(world: ScriptedWorld): SocketPort {
  return {
    sendsHeaders: true,
    open({ taskId }, listener) {
      const task = world.find(taskId);
      const refusal = world.refusalOf({ kind: 'ws', taskId });
      let leave: (() => void) | undefined;
      let isOver = false;
      const end = (tell?: () => void): void => {
        if (isOver) return;
        isOver = true;
        leave?.();
        world.cuts.delete(cut);
        tell?.();
      };
      const cut = (): void => end(() => listener.cut());
      const say = (frame: object): void => void (isOver || listener.frame(JSON.stringify(frame)));
      world.cuts.add(cut);
      // A socket tells nothing before it was handed over.
      queueMicrotask(() => {
        if (isOver) return;
        if (refusal) end(() => tellRefusal(listener, refusal));
        else listener.opened();
      });
      return {
        send(text) {
          if (isOver || leave || !task) return;
          const { lastEventId = null } = JSON.parse(text) as { readonly lastEventId?: string | null };
          say({ type: 'SUBSCRIPTION_CONFIRMED', taskId, replayStartedAfterEventId: lastEventId, live: true, extensions: ['gap'] });
          leave = follow(task, lastEventId, say, () => end(() => listener.closed(1000)));
        },
        close: () => end(),
      };
    },
  };
}

function tellRefusal(listener: SocketListener, refusal: Parameters<typeof envelopeOf>[0]): void {
  listener.refused(refusal.status, JSON.stringify(envelopeOf(refusal)), refusal.retryAfterSeconds?.toString());
}
