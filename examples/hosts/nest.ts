import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { bridge } from './bridge.ts';
import { AppModule } from './nest-app.ts';

const app = await NestFactory.create<NestExpressApplication>(AppModule);
app.use(bridge.handler());
app.getHttpServer().on('upgrade', bridge.upgrade);
await bridge.start();
await app.listen(3000);
