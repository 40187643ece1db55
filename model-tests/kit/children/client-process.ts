import { serveLines } from '../../conformance/index.ts';
import { ourClient } from '../our-client.ts';

await serveLines(ourClient, process.stdin, process.stdout);
