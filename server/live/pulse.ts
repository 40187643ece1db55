import type { Clock } from '../ports/clock.ts';
import { alarm } from './alarm.ts';
import type { Viewer } from './viewer.ts';

/** What a pulse needs. */
export interface PulseContext {
  readonly viewer: Viewer;
  readonly clock: Clock;
  readonly heartbeatMs: number;
  readonly stalledMs: number;
  readonly onHeartbeat: () => void;
  readonly onStalled: () => void;
}

/** A standstill is looked for that many times within its limit, so that it is noticed soon after. */
const LOOKS = 4;

/** Keeps an idle connection warm, and notices one that takes nothing any more. */
export class Pulse {
  private readonly context: PulseContext;
  private sentAt: number;
  private cancelBeat: () => void;
  private cancelLook: (() => void) | undefined;

  constructor(context: PulseContext) {
    this.context = context;
    this.sentAt = context.clock.now();
    this.cancelBeat = this.nextBeat();
  }

  /** Something was sent. */
  sent(): void {
    this.sentAt = this.context.clock.now();
    if (!this.cancelLook && this.context.viewer.pendingBytes() > 0) this.look(this.context.viewer.takenBytes(), this.sentAt);
  }

  stop(): void {
    this.cancelBeat();
    this.cancelLook?.();
  }

  private nextBeat(): () => void {
    const { clock, heartbeatMs } = this.context;
    return alarm(clock, this.sentAt + heartbeatMs, () => this.beat());
  }

  private beat(): void {
    const { clock, viewer, heartbeatMs, onHeartbeat } = this.context;
    if (clock.now() - this.sentAt >= heartbeatMs) {
      // A client that has not taken what is there needs no sign of life on top of it; what others send over a shared connection is none.
      if (viewer.sharing || viewer.pendingBytes() === 0) {
        viewer.heartbeat();
        onHeartbeat();
      }
      this.sent();
    }
    this.cancelBeat = this.nextBeat();
  }

  private look(taken: number, movedAt: number): void {
    const { clock, viewer, stalledMs, onStalled } = this.context;
    this.cancelLook = alarm(clock, clock.now() + Math.ceil(stalledMs / LOOKS), () => {
      this.cancelLook = undefined;
      if (viewer.pendingBytes() === 0) return;
      const takenNow = viewer.takenBytes();
      if (takenNow > taken) this.look(takenNow, clock.now());
      else if (clock.now() - movedAt >= stalledMs) onStalled();
      else this.look(taken, movedAt);
    });
  }
}
