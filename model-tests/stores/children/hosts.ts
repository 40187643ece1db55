import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { inProcess } from '../../../adapters/in-process/index.ts';
import { lmdbStore } from '../../../adapters/lmdb/index.ts';
import { createTaskBridge } from '../../../server/index.ts';

// A host on a folder; prints the port that it listens on.
const [, , path = ''] = process.argv;
process.on('SIGXFSZ', () => undefined);
const bridge = createTaskBridge({
  store: lmdbStore({ path }),
  executor: inProcess({ keep: async () => 'kept' }),
  auth: () => ({ subject: 'alice' }),
});
await bridge.start();
const server = createServer(bridge.handler());
server.listen(0, '127.0.0.1', () => process.stdout.write(`${(server.address() as AddressInfo).port}\n`));
