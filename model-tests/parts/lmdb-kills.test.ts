import { describe } from 'vitest';
import { tempFolder } from '../support/temp-folder.ts';
import { hosted, proveKills } from './kills.ts';
import { startWritingHost } from './writing-host.ts';

describe('writers of one host on LMDB, killed', () => {
  proveKills('LMDB', async () => {
    const folder = await tempFolder('part-kills');
    return hosted([await startWritingHost({ lmdb: folder.path })], () => folder.remove());
  });
});
