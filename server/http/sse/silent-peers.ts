import { readFile } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { timerAfter } from '../../live/timer.ts';
import { monotonicMs, type Clock } from '../../ports/clock.ts';
import { connectionName, readUnacknowledged } from './tcp-table.ts';

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
  /** Takes those for gone at once that had acknowledged nothing between the last two looks: somebody needs their room. */
  giveWay(): void;
}

interface Watched {
  readonly socket: Socket;
  readonly onSilent: () => void;
  acknowledged: number;
  /** Since when nothing was acknowledged. */
  since: number;
  /** Nothing was between the last two looks. */
  isSilent: boolean;
}

/**
 * Looks at what the kernel has sent and the peer has not acknowledged. A heartbeat into a dead network leaves this process at once and waits in
 * the kernel, for a quarter of an hour or more, so that nothing of ours would ever show it. Where the kernel's tables cannot be read (other
 * systems than Linux), it is the kernel that gives up.
 */
export function createSilentPeers({ clock, stalledMs, readTables = readLinuxTables }: SilentPeersDeps): SilentPeers {
  const watched = new Map<string, Watched>();
  let cancelLook: (() => void) | undefined;

  function arm(): void {
    if (watched.size === 0 || cancelLook) return;
    cancelLook = timerAfter(clock, Math.ceil(stalledMs / 4), () => void look());
  }

  async function look(): Promise<void> {
    for (const table of await readTables()) await readUnacknowledged(table, watched, see);
    cancelLook = undefined;
    arm();
  }

  function see(name: string, bytes: number): void {
    const peer = watched.get(name);
    if (!peer) return;
    const now = monotonicMs(clock);
    const acknowledged = peer.socket.bytesWritten - peer.socket.writableLength - bytes;
    peer.isSilent = bytes > 0 && acknowledged <= peer.acknowledged;
    if (!peer.isSilent) {
      peer.acknowledged = acknowledged;
      peer.since = now;
    } else if (now - peer.since >= stalledMs) leave(name, peer);
  }

  function leave(name: string, peer: Watched): void {
    watched.delete(name);
    peer.onSilent();
  }

  return {
    watch(socket, onSilent) {
      const name = connectionName(socket);
      const peer: Watched = { socket, onSilent, acknowledged: Number.NEGATIVE_INFINITY, since: monotonicMs(clock), isSilent: false };
      watched.set(name, peer);
      arm();
      return () => {
        // Its name may be another connection's by now.
        if (watched.get(name) === peer) watched.delete(name);
        if (watched.size > 0) return;
        cancelLook?.();
        cancelLook = undefined;
      };
    },
    giveWay() {
      for (const [name, peer] of [...watched]) if (peer.isSilent) leave(name, peer);
    },
  };
}

async function readLinuxTables(): Promise<readonly string[]> {
  const tables = ['/proc/net/tcp', '/proc/net/tcp6'].map((path) => readFile(path, 'latin1').catch(() => ''));
  return Promise.all(tables);
}
