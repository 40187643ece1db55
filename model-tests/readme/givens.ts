/**
 * What the code blocks of a page take for granted, by page and name: a block that uses such a name without declaring it is compiled with this
 * before it. Anything else that a block needs, it has to have itself.
 */
export const givens: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'client/README.md': {
    session: 'const session: { token(forceRefresh: boolean): Promise<string> }',
    draw: 'function draw(...shown: readonly unknown[]): void',
    baseUrl: 'const baseUrl: string',
    userId: 'const userId: string',
    taskId: 'const taskId: string',
    file: 'const file: Blob',
    routes: "const routes: Partial<import('taskbridge/routes').RoutePaths>",
    gate: "const gate: import('taskbridge/client').Gate",
    auth: "const auth: import('taskbridge/client').AuthProvider",
    client: "const client: import('taskbridge/client').TaskBridgeClient",
    createTaskBridgeClient: "const createTaskBridgeClient: typeof import('taskbridge/client').createTaskBridgeClient",
  },
  'server/README.md': {
    store: "const store: import('taskbridge/server').Store",
    executor: "const executor: import('taskbridge/server').TaskExecutor",
    app: "const app: import('koa')",
    auth: "const auth: import('taskbridge/server').AuthContextResolver",
    bridge: "const bridge: import('taskbridge/server').TaskBridge",
    taskId: 'const taskId: string',
    log: 'function log(...told: readonly unknown[]): void',
    build: 'function build(projectId: string | undefined, input: object): Promise<{ rows: number }>',
    memberOf: 'function memberOf(projectId: string | undefined, request: object): Promise<string>',
    BILLING_SHA256: 'const BILLING_SHA256: string',
    createTaskBridge: "const createTaskBridge: typeof import('taskbridge/server').createTaskBridge",
    inProcess: "const inProcess: typeof import('taskbridge/adapters/in-process').inProcess",
  },
  'machines/contract/README.md': {
    tasks:
      "const tasks: import('taskbridge/contract').TaskContract<{ 'report.build': { input: import('zod').ZodObject<{ month: import('zod').ZodString }>; result: import('zod').ZodObject<{ rows: import('zod').ZodNumber }>; questions: { duplicates: { actions: { 'keep-first': import('zod').ZodObject<{}>; custom: import('zod').ZodObject<{ column: import('zod').ZodString }> }; interaction: import('zod').ZodObject<{ samples: import('zod').ZodArray<import('zod').ZodString> }> } } } }>",
  },
  'adapters/redis/README.md': {
    Redis: "const Redis: typeof import('ioredis').Redis",
    readFileSync: "const readFileSync: typeof import('node:fs').readFileSync",
    executor: "const executor: import('taskbridge/server').TaskExecutor",
    auth: "const auth: import('taskbridge/server').AuthContextResolver",
  },
  'model-tests/conformance/README.md': {
    myStore: "function myStore(): import('taskbridge/server').Store",
  },
};

/** Pages whose blocks stand beside files of a folder, and import them. */
export const folders: Readonly<Record<string, string>> = { 'docs/hosts.md': 'examples/hosts' };
