import { execFile } from 'node:child_process';
import { appendFile, copyFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** A certificate for 127.0.0.1 that nobody vouches for. */
export interface Certificate {
  /** The certificate, and where proxies want both in one file, its key. */
  readonly both: string;
  readonly certificate: string;
  readonly key: string;
}

/** Makes one in a folder, for a day. */
export async function certificateIn(folder: string): Promise<Certificate> {
  const [certificate, key, both] = ['own.pem', 'own.key', 'both.pem'].map((name) => join(folder, name)) as [string, string, string];
  const kind = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '1'];
  const subject = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1'];
  await promisify(execFile)('openssl', ['req', ...kind, ...subject, '-keyout', key, '-out', certificate]);
  await copyFile(certificate, both);
  await appendFile(both, await readFile(key));
  return { both, certificate, key };
}

/** Has the clients of this process take any certificate, until the function that it gives is called. */
export function trustEverybody(): () => void {
  const name = 'NODE_TLS_REJECT_UNAUTHORIZED';
  const before = process.env[name];
  process.env[name] = '0';
  return () => {
    if (before === undefined) delete process.env[name];
    else process.env[name] = before;
  };
}
