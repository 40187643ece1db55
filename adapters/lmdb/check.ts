import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { examineFile } from './data-file.ts';
import { openToRead, placeOf } from './reader.ts';
import { createRowCheck } from './row-check.ts';

/**
 * Reads all of a store or of a backup, and changes nothing: the file page by page, then every row, in a process of its own, since what LMDB finds
 * damaged can end the process that reads it.
 *
 * @throws an `Error` that says what is damaged.
 */
export async function checkStore(path: string): Promise<readonly string[]> {
  const { file, isBackup } = await placeOf(path);
  examineFile(file, path, Infinity);
  // The program that runs is the command itself, however it was started.
  const program = [...process.execArgv, process.argv[1] ?? ''];
  const child = spawn(process.execPath, [...program, 'lmdb', 'rows', path], { stdio: ['ignore', 'pipe', 'inherit'] });
  const said: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => said.push(chunk));
  // What `close` gives: a code, or the signal that ended it.
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  // LMDB keeps its locks beside a file; a backup is a file alone.
  if (isBackup) await rm(`${file}-lock`, { force: true });
  if (signal !== null) throw new Error(`${path} is damaged: reading its rows ended the process that did it, by ${signal}.`);
  const lines = Buffer.concat(said).toString().trimEnd().split('\n');
  if (code !== 0) throw new Error(`${path} does not hold.`);
  return lines;
}

/** The part of {@link checkStore} that reads the rows, all as they were at one moment. */
export async function reportRows(path: string): Promise<readonly string[]> {
  const rows = await openToRead(path);
  const check = createRowCheck();
  const snapshot = rows.useReadTransaction();
  try {
    for (const { key, value } of rows.getRange({ transaction: snapshot })) check.take(key, value);
  } finally {
    snapshot.done();
    await rows.close();
  }
  const { faults, faultCount, tasks, facts, lanes, names, others } = check.finish();
  if (faultCount > 0) throw new Error([`${path} is damaged in ${faultCount} places:`, ...faults].join('\n'));
  const remarks = [
    ...(lanes > 0 ? [`, ${lanes} parts`] : []),
    ...(names > 0 ? [`; ${names} names lead to no task, and are forgotten when they are met`] : []),
    ...(others > 0 ? [`; ${others} rows of another layout were not looked into`] : []),
  ];
  return [`${path} is whole: ${tasks} tasks, ${facts} facts${remarks.join('')}.`];
}
