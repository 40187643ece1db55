/** What any app has: its work, and who its people are. */
import type { IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import type { Task } from 'taskbridge/adapters/in-process';

export async function countLines(task: Task) {
  const [file] = task.attachments;
  const lines = file ? (await text(await file.open())).split('\n').length : 0;
  await task.progress(50, { stage: 'counted' });
  const { actionType } = await task.suspend('blank', { reasonCode: 'BLANK_LINES', allowedActions: ['count', 'skip'] });
  return { lines, blank: actionType };
}

/** For demonstrations only: whoever says a name is believed. */
export function whoIs({ headers }: IncomingMessage) {
  const name = /^Bearer (\w+)$/.exec(headers.authorization ?? '')?.[1];
  return name === undefined ? undefined : { subject: name };
}
