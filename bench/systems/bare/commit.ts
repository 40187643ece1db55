import { randomBytes } from 'node:crypto';
import type { Redis } from 'ioredis';
import { factPayload } from '../system.ts';

/**
 * The smallest honest commit: checks the version, writes the facts under ids of ours, replaces the head, tells whoever listens.
 *
 * KEYS  1 task · 2 log · ARGV  1 expected version · 2 new version · 3 head · then the facts (id, bytes)
 */
const COMMIT = `
local version = redis.call('HGET', KEYS[1], 'version') or '0'
if version ~= ARGV[1] then return 0 end
local message = {}
for at = 4, #ARGV, 2 do
  redis.call('XADD', KEYS[2], ARGV[at], 'b', ARGV[at + 1])
  message[#message + 1] = ARGV[at + 1]
end
redis.call('HSET', KEYS[1], 'version', ARGV[2], 'head', ARGV[3])
redis.call('PUBLISH', KEYS[2], table.concat(message, '\\n'))
return 1`;

interface WithCommit {
  commit(task: string, log: string, ...args: (string | Buffer)[]): Promise<number>;
}

/** A task as the bare systems know it: nothing decides, nothing is checked but the version. */
export class BareTask {
  readonly taskId = randomBytes(16).toString('hex');
  readonly log = `bare:log:${this.taskId}`;
  readonly #key = `bare:task:${this.taskId}`;
  readonly #redis: Redis & WithCommit;
  #n = 0;
  #version = 0;
  #lastEventId = '';

  constructor(redis: Redis) {
    this.#redis = withCommit(redis);
  }

  get lastEventId(): string {
    return this.#lastEventId;
  }

  /** Writes facts in one commit. The version is counted here, so that commits of one task may follow each other without waiting. */
  async commit(count: number, at?: string): Promise<void> {
    const args: (string | Buffer)[] = [];
    const now = Date.now();
    const createdAt = new Date(now).toISOString();
    let head = '';
    for (let i = 0; i < count; i += 1) {
      const payload = factPayload(++this.#n, at);
      this.#lastEventId = `${this.#n}-${now}`;
      const fact = { type: 'TASK_PROGRESS', taskId: this.taskId, eventId: this.#lastEventId, createdAt, payload };
      args.push(this.#lastEventId, Buffer.from(JSON.stringify(fact)));
      if (i === count - 1) head = JSON.stringify({ state: 'running', lastEventId: this.#lastEventId, progress: payload });
    }
    const expected = String(this.#version);
    const next = String(++this.#version);
    if ((await this.#redis.commit(this.#key, this.log, expected, next, head, ...args)) !== 1)
      throw new Error('A bare commit met another version.');
  }
}

function withCommit(redis: Redis): Redis & WithCommit {
  if (!('commit' in redis)) redis.defineCommand('commit', { numberOfKeys: 2, lua: COMMIT });
  // What `defineCommand` adds is not in the type.
  return redis as Redis & WithCommit;
}
