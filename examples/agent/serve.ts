/** The agent as a page. `npm run agent -- [--port 3000] [--data .data/agent]` */
import { parseArgs } from 'node:util';
import { mkdir } from 'node:fs/promises';
import { startAgentDemo } from './agent-demo.ts';

const { values } = parseArgs({
  options: { port: { type: 'string', default: '3000' }, data: { type: 'string', default: '.data/agent-page' } },
});

try {
  await mkdir(values.data, { recursive: true });
  const demo = await startAgentDemo({ directory: values.data, port: Number(values.port) });
  console.log(`\n  An agent in a browser: ${demo.url}\n\n  Everything is kept in ${values.data}. Ctrl-C ends it.\n`);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void demo.close().then(() => process.exit(0)));
} catch (error) {
  const { code, message } = error as NodeJS.ErrnoException;
  console.error(code === 'EADDRINUSE' ? `Port ${values.port} is taken; choose another with \`npm run agent -- --port 3001\`.` : message);
  process.exit(1);
}
