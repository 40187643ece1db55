import { parseEventId } from '../../machines/wire/index.ts';
import type { Observer } from './observer.ts';
import type { World } from './world.ts';

/** A checkpoint that is written never runs ahead of what was dealt with. */
export function checkCheckpoint(world: World, observers: readonly Observer[], key: string, text: string): void {
  if (key.endsWith('|suspend-ack')) return;
  const taskId = key.slice(key.lastIndexOf('|') + 1);
  const n = parseEventId((JSON.parse(text) as { readonly eventId: string }).eventId)?.n ?? 0;
  for (const observer of observers) {
    if (observer.taskId !== taskId) continue;
    observer.kept(n);
    if (!observer.hasDealtWith(n))
      world.fault('a checkpoint follows its consumers', `${n} was kept, ${observer.dealtNow ?? 'none'} was dealt with`);
  }
}
