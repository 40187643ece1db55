import { createServer } from 'node:http';
import { getRequestListener } from '@hono/node-server';
import { Hono } from 'hono';
import { bridge } from './bridge.ts';

const app = new Hono().get('/', (context) => context.text('The rest of the app.'));
const [tasks, rest] = [bridge.handler(), getRequestListener(app.fetch)];
await bridge.start();
const server = createServer((request, response) => tasks(request, response, () => void rest(request, response))).listen(3000);
server.on('upgrade', bridge.upgrade);
