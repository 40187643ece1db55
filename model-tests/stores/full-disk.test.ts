import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fileAttachments } from '../../adapters/file/index.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { startChildOnDiskOf } from './children/child.ts';

describe('a disk that is full', () => {
  let path: string;
  let remove: () => Promise<void>;

  beforeEach(async () => {
    ({ path, remove } = await tempFolder('full'));
  });
  afterEach(() => remove());

  it.skipIf(process.platform !== 'linux')('is a 503 for an upload and for a create, and the logger is told why', async () => {
    const host = startChildOnDiskOf(3000, path, 'fills-disk', path);
    expect(await host.nextLine()).toMatch(
      /^upload: 503 STORE_UNAVAILABLE There is no room for files at present; try again later\. retry-after 60; logged: .*ENOSPC/,
    );
    expect(await host.nextLine()).toMatch(
      /^create: 503 STORE_UNAVAILABLE .* retry-after \d+; logged: .*could not write: .* The disk is full: \d+ bytes are left\./,
    );
    await host.killHard();
  });

  it('is not what is told of a stream that fails by itself', async () => {
    const failing = (async function* () {
      yield Buffer.from('x');
      throw new Error('the client went away');
    })();
    await expect(fileAttachments({ path }).put(`${'ab'.repeat(16)}/0`, failing)).rejects.toThrow('the client went away');
  });
});
