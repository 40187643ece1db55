#!/usr/bin/env node
// The command of the package. All that it does stands in cli.ts, which needs `lmdb`: a package that the host installs.
const main = await import('./cli.ts').then(
  (cli) => cli.main,
  (error: NodeJS.ErrnoException) => {
    if (error.code !== 'ERR_MODULE_NOT_FOUND') throw error;
    process.stderr.write(`taskbridge lmdb needs the package lmdb (npm install lmdb): ${error.message}\n`);
    return undefined;
  },
);
process.exitCode = main ? await main(process.argv.slice(2)) : 1;

export {};
