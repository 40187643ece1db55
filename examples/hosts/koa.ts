import Koa from 'koa';
import { bridge } from './bridge.ts';

const app = new Koa();
app.use(bridge.middleware());
app.use((ctx) => void (ctx.body = 'The rest of the app.'));
await bridge.start();
app.listen(3000).on('upgrade', bridge.upgrade);
