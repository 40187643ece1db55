import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Redis } from 'ioredis';
import { serveRpc } from '../rpc/server.ts';
import { BareTask } from './bare/commit.ts';
import { cpuMicroseconds, lanes as sideBySide } from './own-process.ts';
import { TOKEN_TEXT, type PartSystem } from './part-writing.ts';

// The smallest script that adds to texts: each where it has the length that it should, then told. Nobody is fenced, nothing that was sent twice is known
// again. `bare-parts.js <Redis port>`
const redis = new Redis(Number(process.argv[2]));

const ADD = `
local answers = {}
for i, key in ipairs(KEYS) do
  local at, bytes = tonumber(ARGV[2 * i - 1]), ARGV[2 * i]
  answers[i] = redis.call('STRLEN', key)
  if answers[i] == at then
    redis.call('APPEND', key, bytes)
    redis.call('PUBLISH', key, ARGV[2 * i - 1] .. '\\n' .. bytes)
  end
end
return answers`;
/** As many as ours gathers from as many loops: about. */
const TEXTS_A_CALL = 25;
redis.defineCommand('add', { lua: ADD });
// What `defineCommand` adds is not in the type.
const scripts = redis as unknown as { add(count: number, ...args: (string | Buffer)[]): Promise<number[]> };

const texts: { readonly key: string; at: number }[] = [];
const tasks: BareTask[] = [];

function textsOf(count: number) {
  while (texts.length < count) texts.push({ key: `bare:text:${randomBytes(16).toString('hex')}`, at: 0 });
  return texts;
}

const system: PartSystem = {
  async flush({ parts, tokens, ms }) {
    const all = textsOf(parts);
    const bytes = Buffer.from(TOKEN_TEXT.repeat(tokens));
    let written = 0;
    const took = await sideBySide(Math.ceil(parts / TEXTS_A_CALL), ms, async (nth) => {
      const some = all.slice(nth * TEXTS_A_CALL, Math.min((nth + 1) * TEXTS_A_CALL, parts));
      const args = some.flatMap(({ at }) => [String(at), bytes]);
      const answers = await scripts.add(some.length, ...some.map(({ key }) => key), ...args);
      for (const [i, text] of some.entries()) {
        if (answers[i] !== text.at) throw new Error('A text had another length.');
        text.at += bytes.length;
      }
      written += some.length * tokens;
    });
    return { tokens: written, ms: took };
  },
  async facts({ parts, ms }) {
    while (tasks.length < parts) tasks.push(new BareTask(redis));
    let written = 0;
    const took = await sideBySide(parts, ms, async (nth) => {
      await tasks[nth]?.commit(1);
      written += 1;
    });
    return { tokens: written, ms: took };
  },
  cpu: cpuMicroseconds,
};

const server = createServer((_, res) => void res.end());
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
await serveRpc<PartSystem>(system, { port: (server.address() as AddressInfo).port });
