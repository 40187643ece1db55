import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { fileURLToPath } from 'node:url';
import { forkProgram, heard, startProcess, type RunningProcess } from '../support/child-process.ts';
import { eventually } from '../support/eventually.ts';
import { patience } from '../support/patience.ts';
import { startRedis, type RedisServer } from './redis-server.ts';

const LEASE_MS = patience(1500);
/** Nobody waits for the end of that one. */
const LONG_LEASE_MS = patience(600_000);
const host = fileURLToPath(new URL('children/lease-host.ts', import.meta.url));

interface LeaseNode extends RunningProcess<{ readonly port: number }> {
  readonly began: { readonly began: string; readonly attempt: number }[];
  readonly stopped: { readonly stopped: string; readonly attempt: number }[];
  create(taskType: 'once' | 'again'): Promise<string>;
  task(taskId: string): Promise<{ state: string; result?: unknown; failure?: { code: string } }>;
  tell(message: object): void;
}

let requests = 0;

async function startLeaseNode(redisPort: number, leaseMs = LEASE_MS, places = 100): Promise<LeaseNode> {
  const began: LeaseNode['began'] = [];
  const stopped: LeaseNode['stopped'] = [];
  const start = () =>
    forkProgram(host, [redisPort, leaseMs, places]).on('message', (message: object) => {
      // What the program says is ours to type.
      if ('began' in message) began.push(message as LeaseNode['began'][number]);
      if ('stopped' in message) stopped.push(message as LeaseNode['stopped'][number]);
    });
  const node = await startProcess('A node', start, (child) => heard<{ readonly port: number }>(child, (message) => 'port' in message));
  const call = async (path: string, body?: object) => {
    const response = await fetch(`http://127.0.0.1:${node.said.port}/api/v1/tasks${path}`, {
      ...(body && { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    });
    return (await response.json()) as unknown;
  };
  return Object.assign(node, {
    began,
    stopped,
    create: async (taskType: string) =>
      ((await call('', { clientRequestId: `r${(requests += 1)}`, taskType, input: {} })) as { taskId: string }).taskId,
    task: async (taskId: string) => (await call(`/${taskId}`)) as { state: string },
    tell: (message: object) => void node.child.send(message),
  });
}

const hasBegun = (node: LeaseNode, taskId: string, attempt = 1): boolean =>
  node.began.some((run) => run.began === taskId && run.attempt === attempt);
const hasStopped = (node: LeaseNode, taskId: string): boolean => node.stopped.some(({ stopped }) => stopped === taskId);
const isRunning = (node: LeaseNode, taskId: string) => async () => (await node.task(taskId)).state === 'running';
const isOver = (node: LeaseNode, taskId: string) => async () => ['completed', 'failed'].includes((await node.task(taskId)).state);

describe('nodes on one Redis', () => {
  let redis: RedisServer;
  let nodes: LeaseNode[] = [];
  const start = async (...options: [leaseMs?: number, places?: number]): Promise<LeaseNode> => {
    const node = await startLeaseNode(redis.port, ...options);
    nodes.push(node);
    return node;
  };

  /** Two nodes, and a task that one of them has begun: either may, wherever it was created. */
  const startHeld = async (taskType: 'once' | 'again') => {
    const [one, two] = await Promise.all([start(), start()]);
    const taskId = await one.create(taskType);
    await eventually(() => hasBegun(one, taskId) || hasBegun(two, taskId));
    const [holder, other] = hasBegun(one, taskId) ? [one, two] : [two, one];
    await eventually(isRunning(holder, taskId));
    return { taskId, holder, other };
  };

  beforeAll(async () => {
    redis = await startRedis();
  });
  beforeEach(() => (nodes = []));
  afterEach(async () => {
    // A test that failed while it stood still leaves the others a Redis that answers.
    redis.thaw();
    await Promise.all(nodes.map((node) => node.kill()));
  });
  afterAll(() => redis.stop());

  it('one that is alone keeps its work though its loop was blocked for longer than a lease', async () => {
    const node = await start();
    const taskId = await node.create('once');
    await eventually(isRunning(node, taskId));
    const unblocked = heard(node.child, (message: object) => 'blocked' in message);
    node.tell({ blockMs: 3 * LEASE_MS });
    await unblocked;
    // It looks at what is due, and at who lives.
    const later = await node.create('once');
    await eventually(isRunning(node, later));
    node.tell({ letGo: true });
    await eventually(isOver(node, taskId));
    expect(await node.task(taskId)).toMatchObject({ state: 'completed', result: 'attempt 1' });
  });

  it('one that is alone keeps its work though it was frozen for longer than a lease', async () => {
    const node = await start();
    const taskId = await node.create('once');
    await eventually(isRunning(node, taskId));
    const frozenAt = performance.now();
    node.freeze();
    await eventually(() => performance.now() - frozenAt > 2 * LEASE_MS);
    node.thaw();
    const later = await node.create('once');
    await eventually(isRunning(node, later));
    node.tell({ letGo: true });
    await eventually(isOver(node, taskId));
    expect(await node.task(taskId)).toMatchObject({ state: 'completed', result: 'attempt 1' });
  });

  it('one that was blocked for longer than a lease does not take the work of another for that', async () => {
    const { taskId, holder, other } = await startHeld('once');
    const unblocked = heard(other.child, (message: object) => 'blocked' in message);
    other.tell({ blockMs: 3 * LEASE_MS });
    await unblocked;
    const later = await other.create('once');
    await eventually(isRunning(other, later));
    holder.tell({ letGo: true });
    await eventually(isOver(other, taskId));
    expect(await other.task(taskId)).toMatchObject({ state: 'completed', result: 'attempt 1' });
  });

  it('lose nothing while Redis stands still for longer than every lease: what may be repeated is stopped, and begins again', async () => {
    const [a, b] = await Promise.all([start(), start()]);
    const [once, again] = [await a.create('once'), await a.create('again')];
    await eventually(isRunning(a, once));
    await eventually(isRunning(a, again));
    redis.freeze();
    // Either may have begun it, wherever it was created.
    await eventually(() => hasStopped(a, again) || hasStopped(b, again));
    expect([...a.stopped, ...b.stopped]).toEqual([{ stopped: again, attempt: 1 }]);
    redis.thaw();
    await eventually(() => hasBegun(a, again, 2) || hasBegun(b, again, 2));
    for (const node of [a, b]) node.tell({ letGo: true });
    await eventually(isOver(b, once));
    await eventually(isOver(b, again));
    expect(await b.task(once)).toMatchObject({ state: 'completed', result: 'attempt 1' });
    expect(await b.task(again)).toMatchObject({ state: 'completed', result: 'attempt 2' });
  });

  it('take over what a killed one left: begun and not repeatable is lost, all else is run', async () => {
    const a = await start(LEASE_MS, 2);
    const [once, again] = [await a.create('once'), await a.create('again')];
    await eventually(isRunning(a, once));
    await eventually(isRunning(a, again));
    const queued = await a.create('once');
    expect((await a.task(queued)).state).toBe('accepted');
    await a.kill();
    const b = await start(LEASE_MS, 2);
    b.tell({ letGo: true });
    for (const taskId of [once, again, queued]) await eventually(isOver(b, taskId));
    expect(await b.task(once)).toMatchObject({ state: 'failed', failure: { code: 'WORK_LOST' } });
    expect(await b.task(again)).toMatchObject({ state: 'completed', result: 'attempt 2' });
    expect(await b.task(queued)).toMatchObject({ state: 'completed', result: 'attempt 1' });
  });

  it('take up at once what a frozen one left when it is over, and refuse what it says when it wakes', async () => {
    const { taskId, holder: frozen, other } = await startHeld('again');
    frozen.freeze();
    await eventually(() => hasBegun(other, taskId, 2));
    frozen.thaw();
    await eventually(() => hasStopped(frozen, taskId));
    other.tell({ letGo: true });
    await eventually(isOver(other, taskId));
    expect(await other.task(taskId)).toMatchObject({ state: 'completed', result: 'attempt 2' });
  });

  it('need not wait for the lease of one that closed: what it had not begun, and what may be repeated, goes on at once', async () => {
    const a = await start(LONG_LEASE_MS, 1);
    const again = await a.create('again');
    await eventually(isRunning(a, again));
    const queued = await a.create('once');
    const b = await start(LONG_LEASE_MS, 1);
    b.tell({ letGo: true });
    await eventually(isOver(b, queued));
    expect(await b.task(queued)).toMatchObject({ state: 'completed', result: 'attempt 1' });
    a.tell({ close: true });
    await eventually(isOver(b, again));
    expect(await b.task(again)).toMatchObject({ state: 'completed', result: 'attempt 2' });
  });
});
