import { readlinkSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { vi } from 'vitest';

/** The files and folders whose flush was asked of the system since, by their paths, in order; on Linux, which says what a descriptor stands for. */
export async function watchFlushes(): Promise<string[]> {
  const flushed: string[] = [];
  const handle = await open('/dev/null');
  // What all handles share is no name of the module.
  const shared = Object.getPrototypeOf(handle) as typeof handle;
  await handle.close();
  const sync = Reflect.get(shared, 'sync') as () => Promise<void>;
  vi.spyOn(shared, 'sync').mockImplementation(function (this: typeof handle) {
    flushed.push(readlinkSync(`/proc/self/fd/${this.fd}`));
    return sync.call(this);
  });
  return flushed;
}
