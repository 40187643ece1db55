const root = process.argv[2];
const { fakeClock } = await import(root + '/model-tests/support/fake-clock.ts');
const { createTaskBridgeClient } = await import(root + '/client/index.ts');
const clock = fakeClock();
let issued = 1;
const tokens: string[] = [];
const fact = (n: number, type: string, payload: object) =>
  JSON.stringify({ type, taskId: 't', eventId: `${n}-1000`, createdAt: '2026-01-01T00:00:00Z', payload });
const sockets = {
  sendsHeaders: true,
  open(request: any, listener: any) {
    tokens.push(request.headers.authorization);
    queueMicrotask(() => listener.opened());
    return {
      send(text: string) {
        const { lastEventId = null } = JSON.parse(text);
        queueMicrotask(() => {
          listener.frame(
            JSON.stringify({ type: 'SUBSCRIPTION_CONFIRMED', taskId: 't', replayStartedAfterEventId: lastEventId, live: true }),
          );
          if (lastEventId === null) {
            listener.frame(fact(1, 'TASK_STARTED', {}));
            listener.frame(fact(2, 'TASK_PROGRESS', { progress: 1 }));
          } else listener.frame(fact(3, 'TASK_COMPLETED', { result: 1 }));
        });
      },
      close() {},
    };
  },
};
const client = createTaskBridgeClient({
  baseUrl: 'http://localhost',
  fetch: (() => new Promise(() => {})) as any,
  sockets,
  clock,
  transports: ['ws'],
  limits: { livenessMs: 3_000_000 },
  auth: ({ forceRefresh }: any) => {
    if (forceRefresh) issued += 1;
    return { token: `t${issued}`, expiresAt: issued * 600_000 };
  },
});
const o = client.observe('t');
o.subscribe(() => {});
for (let i = 0; i < 50; i++) await new Promise((r) => setImmediate(r));
const show = () =>
  console.log(o.getSnapshot().connection.state, o.getSnapshot().task.lastEventId, clock.now(), clock.next, clock.armed, tokens);
show();
clock.advance(clock.next ?? 0);
for (let i = 0; i < 50; i++) await new Promise((r) => setImmediate(r));
show();
