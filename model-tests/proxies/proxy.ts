import { spawn, type ChildProcess } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { connect as connectSecurely } from 'node:tls';
import { startProcess } from '../support/child-process.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { certificateIn, type Certificate } from './certificate.ts';
import { proxyEnvironment, proxyKinds, type ProxyKind, type ProxyName } from './proxy-kinds.ts';

export type { ProxyName };

/** A real proxy before a host, on loopback, with a place of its own for each of the configurations that it was given. */
export interface RunningProxy {
  /** Where a configuration of it is served: `http://127.0.0.1:40001`. */
  url(site: string): string;
  /**
   * Has it read its configuration anew, as at a deploy: new processes take what comes, the old ones have a second for what they have. It is done
   * when those are gone, which their clients see.
   */
  reload(): Promise<void>;
  /** Ends it with all its processes, and clears away what it kept. */
  stop(): Promise<void>;
}

/**
 * Starts a proxy with these configurations of the folder beside this file, which bears its name. In each, what it listens on, where the
 * host is (or the hosts, a line for each) and where it keeps things is put in the place of what it says there; all else is as it stands. Rejects with what the proxy complained
 * about where it cannot be started.
 */
export async function startProxy(name: ProxyName, sites: readonly string[], ...hostPorts: readonly number[]): Promise<RunningProxy> {
  const kind = proxyKinds[name];
  const folder = await tempFolder(name);
  const certificate = await certificateIn(folder.path);
  await mkdir(join(folder.path, 'sites'));
  const urls = new Map<string, URL>();
  const files: string[] = [];
  for (const site of sites) {
    const port = await freePort();
    const template = await readFile(configuration(name, site), 'utf8');
    const file = join(folder.path, 'sites', site);
    await writeFile(file, placed(template, kind, { port, hostPorts, certificate, folder: folder.path }));
    files.push(file);
    urls.set(site, new URL(`${kind.isSecure(template) ? 'https' : 'http'}://127.0.0.1:${port}`));
  }
  await writeFile(join(folder.path, 'shared'), kind.shared(folder.path));

  const ports = [...urls.values()].map(({ port }) => Number(port));
  let complaints = '';
  const start = (): ChildProcess => {
    const child = spawnGroup(name, kind.args(folder.path, files), folder.path);
    child.stderr?.on('data', (text: Buffer) => (complaints += String(text)));
    return child;
  };
  const running = await startProcess(name, start, () =>
    eventually(async () => (await all([...urls.values()], isServed)) && kind.hears(folder.path)),
  ).catch(async (error: Error) => {
    await folder.remove();
    throw new Error(`${error.message} These tests need it: run \`npm run setup\`.\n${complaints}`);
  });
  return {
    url(site) {
      const url = urls.get(site);
      if (!url) throw new Error(`This ${name} serves ${sites.join(', ')}, and not ${site}.`);
      return url.origin;
    },
    async reload() {
      await kind.reload(folder.path);
    },
    async stop() {
      await running.kill();
      // Its workers are ended by who looks after the group, a moment later.
      await eventually(() => all(ports, async (port) => !(await isTaken(port))));
      await folder.remove();
    },
  };
}

/** The file of a configuration. */
export function configuration(name: ProxyName, site: string): URL {
  return new URL(`${name}/${site}.${proxyKinds[name].ending}`, import.meta.url);
}

interface Places {
  readonly port: number;
  readonly hostPorts: readonly number[];
  readonly certificate: Certificate;
  readonly folder: string;
}

/** A configuration with the places of a test for those that it names. */
function placed(template: string, { listeningOn }: ProxyKind, { port, hostPorts, certificate, folder }: Places): string {
  return listeningOn(template, port)
    .replace(/^.*127\.0\.0\.1:3000.*$/m, (line) => hostPorts.map((host, nth) => hostLine(line, host, nth)).join('\n'))
    .replace('/etc/ssl/example.pem', certificate.certificate)
    .replace('/etc/ssl/example.key', certificate.key)
    .replace('/etc/haproxy/example.pem', certificate.both)
    .replace('/var/cache/nginx', folder);
}

/** The line that says where the host is, for one of several. */
function hostLine(line: string, port: number, nth: number): string {
  return line.replace('server one', `server host-${nth}`).replace('127.0.0.1:3000', `127.0.0.1:${port}`);
}

/**
 * Starts a program in a group of its own, all of which is killed when the program ends or this process does, however that comes: a proxy's
 * workers outlive a master that is killed.
 */
function spawnGroup(program: string, args: readonly string[], folder: string): ChildProcess {
  const script = 'exec 3<&0 </dev/null; (cat <&3 >/dev/null; kill -KILL 0) & exec "$@" 3<&-';
  return spawn('sh', ['-c', script, 'sh', program, ...args], {
    detached: true,
    env: proxyEnvironment(folder),
    stdio: ['pipe', 'ignore', 'pipe'],
  });
}

async function all<T>(of: readonly T[], holds: (one: T) => Promise<boolean>): Promise<boolean> {
  return (await Promise.all(of.map(holds))).every(Boolean);
}

/** True where somebody takes connections, and has a certificate where they are secure. */
function isServed({ protocol, port, hostname }: URL): Promise<boolean> {
  if (protocol === 'http:') return isTaken(Number(port));
  return new Promise((resolve) => {
    const socket = connectSecurely({ port: Number(port), host: hostname, rejectUnauthorized: false });
    socket.once('secureConnect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('secureConnect', () => socket.destroy());
  });
}

/** True where somebody takes connections. */
function isTaken(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}
