/** The ports: what a host or an adapter gives the server. */
export * from './attachments.ts';
export * from './auth.ts';
export * from './chance.ts';
export * from './clock.ts';
export * from './executor.ts';
export * from './observability.ts';
export * from './question.ts';
export * from './store.ts';
