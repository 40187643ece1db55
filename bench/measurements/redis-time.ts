import type { Bench } from './bench.ts';

/** Processor time that the run's Redis has used, in microseconds. */
export async function redisMicroseconds({ redis }: Pick<Bench, 'redis'>): Promise<number> {
  const info = await redis.client.info('cpu');
  const seconds = (name: string): number => Number(new RegExp(`${name}:([0-9.]+)`).exec(info)?.[1]);
  return (seconds('used_cpu_user') + seconds('used_cpu_sys')) * 1e6;
}
