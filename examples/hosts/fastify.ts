import Fastify from 'fastify';
import { bridge } from './bridge.ts';

const tasks = bridge.handler();
const app = Fastify().addHook('onRequest', ({ raw }, reply, next) => tasks(raw, reply.raw, () => next()));
app.get('/', () => 'The rest of the app.');
app.server.on('upgrade', bridge.upgrade);
await bridge.start();
await app.listen({ port: 3000 });
