import type { Redis } from 'ioredis';

/** Reads the facts after a cursor as they were written: one XRANGE. */
export async function factsAfter(redis: Redis, taskId: string, cursor: string, count: number): Promise<readonly Buffer[]> {
  const entries = await redis.xrangeBuffer(`bare:log:${taskId}`, cursor === '' ? '-' : `(${cursor}`, '+', 'COUNT', count);
  return entries.map(([, fields]) => fields[1] ?? Buffer.alloc(0));
}
