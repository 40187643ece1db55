import type { PartTextResponse } from '../../machines/parts/index.ts';
import type { Fact, UnknownFact } from 'taskbridge/wire';
import { expect } from 'vitest';
import type { PartWatch } from './part-watch.ts';

/** A part as the server has it when its task has ended. */
export interface ServedPart {
  readonly part: number;
  readonly name: string;
  readonly outcome: 'DONE' | 'ABANDONED';
  readonly text: string;
}

/** Reads a part from the server, whole. */
async function served(baseUrl: string, taskId: string, part: number): Promise<string> {
  let text = '';
  for (let at = 0; ;) {
    const response = await fetch(`${baseUrl}/api/v1/tasks/${taskId}/parts/${part}?offset=${at}`);
    expect(response.status).toBe(200);
    const page = (await response.json()) as PartTextResponse;
    text += page.text;
    at = page.to;
    if (at >= page.bytes) return text;
  }
}

/** Reads the parts of a task that has ended, and proves of its log that each was closed once, before its end. */
export async function servedParts(baseUrl: string, taskId: string, log: readonly (Fact | UnknownFact)[]): Promise<readonly ServedPart[]> {
  const facts = log as readonly Fact[];
  expect(facts.map(({ eventId }) => Number.parseInt(eventId, 10))).toEqual(facts.map((_, nth) => nth + 1));
  const opened = facts.flatMap(({ type, eventId, payload }) =>
    type === 'TASK_PART_OPENED' ? [{ part: Number.parseInt(eventId, 10), name: payload.name }] : [],
  );
  const closed = facts.flatMap(({ type, payload }) => (type === 'TASK_PART_CLOSED' ? [payload] : []));
  expect(closed.map(({ part }) => part).sort((a, b) => a - b)).toEqual(opened.map(({ part }) => part));
  const end = facts.at(-1)?.type;
  expect(['TASK_COMPLETED', 'TASK_FAILED', 'TASK_CANCELLED']).toContain(end);
  const snapshot = (await (await fetch(`${baseUrl}/api/v1/tasks/${taskId}`)).json()) as { readonly parts: readonly { open: boolean }[] };
  expect(snapshot.parts.filter(({ open }) => open)).toEqual([]);
  return Promise.all(
    opened.map(async ({ part, name }) => {
      const fact = closed.find((one) => one.part === part);
      const text = await served(baseUrl, taskId, part);
      expect(Buffer.byteLength(text)).toBe(fact?.bytes);
      return { part, name, outcome: fact?.outcome ?? 'ABANDONED', text };
    }),
  );
}

/** Proves that somebody was shown the parts as the server has them, and on the way there nothing that did not go on. */
export function proveShown(watch: PartWatch, parts: readonly ServedPart[]): void {
  expect(watch.faults).toEqual([]);
  const shown = watch.parts.map(({ part, name, outcome, text, truncated }) => ({ part, name, outcome, text, truncated }));
  // Compared one by one: a difference of long texts is no message.
  expect(shown.map(({ part, name, outcome, truncated }) => ({ part, name, outcome, truncated }))).toEqual(
    parts.map(({ part, name, outcome }) => ({ part, name, outcome, truncated: false })),
  );
  for (const [nth, { part, text }] of shown.entries()) expect([part, text === parts[nth]?.text]).toEqual([part, true]);
}

/** Where a text goes on differently from another one, with some of what is there; undefined where it is a beginning of it. */
export function spliceOf(text: string, whole: string): string | undefined {
  if (whole.startsWith(text)) return undefined;
  const at = [...text].findIndex((_, nth) => text[nth] !== whole[nth]);
  return `at ${at}: ${JSON.stringify(text.slice(Math.max(0, at - 30), at + 50))}`;
}
