/** The report job as a page. `npm run web -- [--port 3000] [--data .data/web]` */
import { mkdir } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { startWebDemo } from './web-demo.ts';

const { values } = parseArgs({
  options: { port: { type: 'string', default: '3000' }, data: { type: 'string', default: '.data/web' } },
});

try {
  await mkdir(values.data, { recursive: true });
  const demo = await startWebDemo({ directory: values.data, port: Number(values.port) });
  console.log(`\n  TaskBridge in a browser: ${demo.url}\n\n  Everything is kept in ${values.data}. Ctrl-C ends it.\n`);
  const end = async (): Promise<void> => {
    await demo.close();
    process.exit(0);
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void end());
} catch (error) {
  const { code, message } = error as NodeJS.ErrnoException;
  console.error(code === 'EADDRINUSE' ? `Port ${values.port} is taken; choose another with \`npm run web -- --port 3001\`.` : message);
  process.exit(1);
}
