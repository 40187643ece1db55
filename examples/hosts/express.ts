import express from 'express';
import { bridge } from './bridge.ts';

const app = express();
app.use(express.json(), bridge.handler());
app.get('/', (_request, response) => void response.send('The rest of the app.'));
await bridge.start();
app.listen(3000).on('upgrade', bridge.upgrade);
