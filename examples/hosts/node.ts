import { createServer } from 'node:http';
import { bridge } from './bridge.ts';

const tasks = bridge.handler();
const server = createServer((request, response) => tasks(request, response, () => void response.end('The rest of the app.')));
await bridge.start();
server.on('upgrade', bridge.upgrade).listen(3000);
