import { transition } from 'xstate';
import type { CancelTaskResponse, CreateTaskResponse, JsonObject, SubmitActionResponse } from '../../machines/wire/index.ts';
import type { ActRequest, StartRequest } from '../commands/commands.ts';
import { entryMachine, type EntryEvent } from './entry.machine.ts';

/** The version of the stored form. Entries of a newer one are left alone: neither sent nor changed, dismissed or shown. */
export const ENTRY_VERSION = 1;

/** Which task a command is for: its id, or the `clientRequestId` of a start that is in the same outbox. */
export type OutboxTarget = string | { readonly clientRequestId: string };

/** A command as it is kept, with the id that makes a repeat harmless. */
export type OutboxCommand =
  | { readonly type: 'start'; readonly request: StartRequest & { readonly clientRequestId: string } }
  | { readonly type: 'act'; readonly target: OutboxTarget; readonly request: ActRequest & { readonly clientActionId: string } }
  | { readonly type: 'cancel'; readonly target: OutboxTarget; readonly reason?: string };

/** `queued`: never sent. `sending`: sent at least once, no answer yet. The others are what became of it. */
export type OutboxEntryState = 'queued' | 'sending' | 'done' | 'refused' | 'expired' | 'withdrawn';

/** What the server answered to a command. */
export type OutboxResponse = CreateTaskResponse | SubmitActionResponse | CancelTaskResponse;

/** Why a command came to nothing. Plain data, so that it outlives a reload. */
export interface OutboxRefusal {
  /** A code of the server's, of the client's, or an `OutboxErrorCode`. */
  readonly code: string;
  readonly message: string;
  readonly status?: number;
  readonly details: JsonObject;
}

/** One command of an outbox: as it is kept, and as it is shown. */
export interface OutboxEntry {
  readonly v: number;
  readonly id: string;
  /** Entries go out by rising place. */
  readonly place: number;
  /** Milliseconds since the epoch. */
  readonly addedAt: number;
  /** What it counts for `bytesMax`. */
  readonly bytes: number;
  readonly command: OutboxCommand;
  readonly state: OutboxEntryState;
  /** True once the server may have it, answered or not. */
  readonly wasSent: boolean;
  /** Of one that is `done`. */
  readonly response?: OutboxResponse;
  /** Of one that is `refused`, `expired` or `withdrawn`. */
  readonly refusal?: OutboxRefusal;
}

/** What else is noted when an entry moves. */
export type EntryNote = Pick<OutboxEntry, 'response' | 'refusal'>;

/** The entry after an event; undefined where its chart does not take it. */
export function moveEntry(entry: OutboxEntry, event: EntryEvent, note: EntryNote = {}): OutboxEntry | undefined {
  const before = entryMachine.resolveState({ value: entry.state, context: {} });
  if (!before.can(event)) return undefined;
  const [{ value }] = transition(entryMachine, before, event);
  return { ...entry, state: value, wasSent: entry.wasSent || value === 'sending', ...note };
}

/** True for one that still has to go out. */
export function isPending({ state }: OutboxEntry): boolean {
  return state === 'queued' || state === 'sending';
}

/** The entries of this version, by their place; whatever else is in the store is not ours to touch. */
export function readEntries(stored: readonly unknown[]): OutboxEntry[] {
  const ours = stored.filter((value): value is OutboxEntry => {
    const { v, id, place, command, state } = (value ?? {}) as Partial<OutboxEntry>;
    return v === ENTRY_VERSION && typeof id === 'string' && typeof place === 'number' && typeof command === 'object' && isState(state);
  });
  // Two tabs over a store without atomic steps may give one place twice.
  return ours.sort((a, b) => a.place - b.place || (a.id < b.id ? -1 : 1));
}

function isState(state: unknown): boolean {
  return typeof state === 'string' && Object.hasOwn(entryMachine.states, state);
}

/** The start of the task that a command is for; undefined where it names a task id, or a start that is not here. */
export function startOf(entries: readonly OutboxEntry[], { command }: OutboxEntry): OutboxEntry | undefined {
  const target = command.type === 'start' ? undefined : command.target;
  if (target === undefined || typeof target === 'string') return undefined;
  return findStart(entries, target.clientRequestId);
}

/** The start with this `clientRequestId`; where there are several, the one that was done, else the last of those that came to nothing, else the last. */
export function findStart(entries: readonly OutboxEntry[], clientRequestId: string): OutboxEntry | undefined {
  const starts = entries.filter(({ command }) => command.type === 'start' && command.request.clientRequestId === clientRequestId);
  return starts.find(({ state }) => state === 'done') ?? starts.filter((start) => !isPending(start)).at(-1) ?? starts.at(-1);
}
