import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { startProcess } from '../support/child-process.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { certificateIn, type Certificate } from './certificate.ts';

export type ProxyName = 'nginx' | 'haproxy';

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

interface Kind {
  /** How its configurations are called, and where they say on what to listen. */
  readonly ending: string;
  readonly listens: RegExp;
  /** What its processes are told beside the configurations that are served; a second after a reload, old ones end. */
  readonly shared: (folder: string) => string;
  readonly args: (folder: string, sites: readonly string[]) => readonly string[];
  /** True when it takes orders. */
  readonly hears: (folder: string) => Promise<boolean>;
  readonly reload: (folder: string) => Promise<unknown>;
}

// A system keeps these where only root's shell looks.
const environment = { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/local/sbin:/usr/sbin` };

const kinds: Readonly<Record<ProxyName, Kind>> = {
  nginx: {
    ending: 'conf',
    listens: /\blisten \d+/,
    shared: (folder) => `
daemon off;
${process.getuid?.() === 0 ? 'user root;' : ''}
pid ${folder}/nginx.pid;
error_log stderr;
worker_processes 1;
worker_shutdown_timeout 1s;
events {}
http {
  access_log off;
  ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${folder}/${name};`).join('\n  ')}
  include ${folder}/sites/*;
}
`,
    args: (folder) => ['-e', 'stderr', '-p', folder, '-c', join(folder, 'shared')],
    hears: () => Promise.resolve(true),
    reload: (folder) => promisify(execFile)('nginx', [...kinds.nginx.args(folder, []), '-s', 'reload'], { env: environment }),
  },
  haproxy: {
    ending: 'cfg',
    listens: /\bbind :\d+/,
    shared: () => `
global
  maxconn 2000
  hard-stop-after 1s
`,
    // The last one wins.
    args: (folder, sites) => [
      ...['-W', '-db', '-S', masterSocket(folder)],
      ...[...sites, join(folder, 'shared')].flatMap((file) => ['-f', file]),
    ],
    // Its workers serve before its master hears: a signal that comes between the two is lost.
    hears: async (folder) => (await ask(masterSocket(folder), 'show proc\n')).includes('worker'),
    reload: (folder) => ask(masterSocket(folder), 'reload\n'),
  },
};

/**
 * Starts a proxy with these configurations of the folder beside this file, which bears its name. In each, what it listens on, where the
 * host is (or the hosts, a line for each) and where it keeps things is put in the place of what it says there; all else is as it stands. Rejects with what the proxy complained
 * about where it cannot be started.
 */
export async function startProxy(name: ProxyName, sites: readonly string[], ...hostPorts: readonly number[]): Promise<RunningProxy> {
  const kind = kinds[name];
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
    urls.set(site, new URL(`${template.includes(' ssl') ? 'https' : 'http'}://127.0.0.1:${port}`));
  }
  await writeFile(join(folder.path, 'shared'), kind.shared(folder.path));

  const ports = [...urls.values()].map(({ port }) => Number(port));
  let complaints = '';
  const start = (): ChildProcess => {
    const child = spawnGroup(name, kind.args(folder.path, files));
    child.stderr?.on('data', (text: Buffer) => (complaints += String(text)));
    return child;
  };
  const running = await startProcess(name, start, () =>
    eventually(async () => (await all(ports, isTaken)) && kind.hears(folder.path)),
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
  return new URL(`${name}/${site}.${kinds[name].ending}`, import.meta.url);
}

interface Places {
  readonly port: number;
  readonly hostPorts: readonly number[];
  readonly certificate: Certificate;
  readonly folder: string;
}

/** A configuration with the places of a test for those that it names. */
function placed(template: string, { listens }: Kind, { port, hostPorts, certificate, folder }: Places): string {
  return template
    .replace(listens, (found) => found.replace(/:?\d+/, `127.0.0.1:${port}`))
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
function spawnGroup(program: string, args: readonly string[]): ChildProcess {
  const script = 'exec 3<&0 </dev/null; (cat <&3 >/dev/null; kill -KILL 0) & exec "$@" 3<&-';
  return spawn('sh', ['-c', script, 'sh', program, ...args], { detached: true, env: environment, stdio: ['pipe', 'ignore', 'pipe'] });
}

async function all(ports: readonly number[], holds: (port: number) => Promise<boolean>): Promise<boolean> {
  return (await Promise.all(ports.map(holds))).every(Boolean);
}

/** Where HAProxy's master takes orders. */
function masterSocket(folder: string): string {
  return join(folder, 'master');
}

/** Gives an order by a socket of this system, and resolves with what is said to it until the connection ends; empty where nobody listens. */
function ask(path: string, order: string): Promise<string> {
  return new Promise((resolve) => {
    let answer = '';
    connect(path)
      .on('data', (text: Buffer) => (answer += String(text)))
      .once('error', () => undefined)
      .once('close', () => resolve(answer))
      .end(order);
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
