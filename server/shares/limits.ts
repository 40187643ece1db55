import { TaskBridgeError } from '../errors.ts';
import type { Shares } from '../ports/owners.ts';
import type { TaskSettings } from '../task/settings.ts';

/** What one owner may have, and what a refusal says of it. */
const limits = {
  active: { setting: 'activePerOwnerMax', words: 'tasks at work', retryAfterSeconds: 5 },
  waiting: { setting: 'waitingPerOwnerMax', words: 'tasks that wait for work to begin', retryAfterSeconds: 5 },
  questions: { setting: 'questionsPerOwnerMax', words: 'open questions', retryAfterSeconds: 30 },
  tasks: { setting: 'tasksPerOwnerMax', words: 'stored tasks', retryAfterSeconds: 60 },
  bytes: { setting: 'bytesPerOwnerMax', words: 'stored bytes', retryAfterSeconds: 60 },
} as const satisfies Readonly<Record<keyof Shares, { setting: keyof TaskSettings; words: string; retryAfterSeconds: number }>>;

/** Settings of what one owner may have; infinite for no limit. */
export type ShareSetting = (typeof limits)[keyof Shares]['setting'];

/** The most that one owner may have of a share. */
export function shareMax(share: keyof Shares, settings: TaskSettings): number {
  return settings[limits[share].setting];
}

/** The limits that there are, as a store compares them: what has none is not there. */
export function sharesMaxOf(settings: TaskSettings): Partial<Shares> {
  const all = (Object.keys(limits) as (keyof Shares)[]).map((share) => [share, shareMax(share, settings)] as const);
  return Object.fromEntries(all.filter(([, max]) => max !== Number.POSITIVE_INFINITY));
}

/** The answer to a create that would give its owner more than he may have. */
export function shareFull(share: keyof Shares, settings: TaskSettings): TaskBridgeError {
  const { words, retryAfterSeconds } = limits[share];
  const max = shareMax(share, settings);
  const message = `The task was not created: its owner would have more than ${max} ${words}, the most that one may. Try again when there are fewer.`;
  return new TaskBridgeError('RATE_LIMITED', message, { retryAfterSeconds, details: { share, max } });
}

/** True for that answer: nothing was written. Others of its code say nothing of that. */
export function isShareFull({ code, details }: TaskBridgeError): boolean {
  return code === 'RATE_LIMITED' && 'share' in details;
}
