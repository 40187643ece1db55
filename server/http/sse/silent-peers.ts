import { readFile } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { timerAfter } from '../../live/timer.ts';
import { monotonicMs, type Clock } from '../../ports/clock.ts';
import { unacknowledged } from './tcp-table.ts';

/** What the watch over silent peers needs. */
export interface SilentPeersDeps {
  readonly clock: Clock;
  /** A peer that has acknowledged nothing for that long, though there is something to acknowledge, is gone; in milliseconds. */
  readonly stalledMs: number;
  /** The kernel's tables of connections, as text; empty where there are none to read. Defaults to those of Linux. */
  readonly readTables?: () => Promise<readonly string[]>;
}

/** Finds connections whose peer vanished without a word. */
export interface SilentPeers {
  /** Calls back once when the peer of a socket has fallen silent; gives the function that ends the watch. */
  watch(socket: Socket, onSilent: () => void): () => void;
}

interface Watched {
  readonly onSilent: () => void;
  acknowledged: number;
  /** Since when nothing was acknowledged. */
  since: number;
}

/**
 * Looks at what the kernel has sent and the peer has not acknowledged. A heartbeat into a dead network leaves this process at once and waits in
 * the kernel, for a quarter of an hour or more, so that nothing of ours would ever show it. Where the kernel's tables cannot be read (other
 * systems than Linux), it is the kernel that gives up.
 */
export function createSilentPeers({ clock, stalledMs, readTables = readLinuxTables }: SilentPeersDeps): SilentPeers {
  const watched = new Map<Socket, Watched>();
  let cancelLook: (() => void) | undefined;

  function arm(): void {
    if (watched.size === 0 || cancelLook) return;
    cancelLook = timerAfter(clock, Math.ceil(stalledMs / 4), () => void look());
  }

  async function look(): Promise<void> {
    const tables = await readTables();
    const now = monotonicMs(clock);
    for (const [socket, bytes] of unacknowledged(tables, [...watched.keys()])) {
      const peer = watched.get(socket);
      if (!peer) continue;
      const acknowledged = socket.bytesWritten - socket.writableLength - bytes;
      if (bytes === 0 || acknowledged > peer.acknowledged) {
        peer.acknowledged = acknowledged;
        peer.since = now;
      } else if (now - peer.since >= stalledMs) {
        watched.delete(socket);
        peer.onSilent();
      }
    }
    cancelLook = undefined;
    arm();
  }

  return {
    watch(socket, onSilent) {
      watched.set(socket, { onSilent, acknowledged: Number.NEGATIVE_INFINITY, since: monotonicMs(clock) });
      arm();
      return () => {
        watched.delete(socket);
        if (watched.size > 0) return;
        cancelLook?.();
        cancelLook = undefined;
      };
    },
  };
}

async function readLinuxTables(): Promise<readonly string[]> {
  const tables = ['/proc/net/tcp', '/proc/net/tcp6'].map((path) => readFile(path, 'latin1').catch(() => ''));
  return Promise.all(tables);
}
