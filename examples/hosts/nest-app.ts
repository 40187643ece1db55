import { Module, type MiddlewareConsumer, type NestModule } from '@nestjs/common';
import type { ServerResponse } from 'node:http';

/** The rest of an app of Nest. */
@Module({})
export class AppModule implements NestModule {
  configure(consumer: MiddlewareConsumer): void {
    consumer.apply((_request: unknown, response: ServerResponse) => void response.end('The rest of the app.')).forRoutes('/');
  }
}
