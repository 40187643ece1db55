/** A program that uses the client where a host is, and says what it saw. */
import type { TransportName } from 'taskbridge/client';
import { wholeLife } from './task-run.ts';

const [baseUrl = '', transports = ''] = process.argv.slice(2);
process.stdout.write(JSON.stringify(await wholeLife({ baseUrl, transports: transports.split(',') as TransportName[] })));
