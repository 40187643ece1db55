/**
 * Commands made while offline: kept, sent in order and once, and told what became of them. A door of its own, so that a page which needs none
 * loads none.
 *
 * @packageDocumentation
 */
export type { OutboxCommand, OutboxEntry, OutboxEntryState, OutboxRefusal, OutboxResponse, OutboxTarget } from './entry.ts';
export type { OutboxErrorCode } from './errors.ts';
export { indexedDbOutbox, type IndexedDbOutboxOptions } from './indexed-db.ts';
export { defaultOutboxLimits, type OutboxLimits, type OutboxOptions } from './options.ts';
export { createOutbox, type Outbox, type OutboxOutcome, type OutboxSnapshot, type OutboxState, type OutboxTicket } from './outbox.ts';
export { memoryOutbox, type OutboxChange, type OutboxStore, type StoredEntry } from './store.ts';
export { webStorageOutbox, type EnumerableStorage, type WebStorageOutboxOptions } from './web-storage.ts';
export type { Channel, ChannelPort } from '../tabs/channels.ts';
export type { LockListener, LockPort } from '../tabs/locks.ts';
