import { execFile } from 'node:child_process';
import { connect } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';

export type ProxyName = 'nginx' | 'haproxy' | 'caddy';

/** What is to know of a proxy to run it. */
export interface ProxyKind {
  /** How its configurations are called. */
  readonly ending: string;
  /** Puts a port of loopback in the place of what a configuration says to listen on. */
  readonly listeningOn: (template: string, port: number) => string;
  readonly isSecure: (template: string) => boolean;
  /** What its processes are told beside the configurations that are served; a second after a reload, old ones end. */
  readonly shared: (folder: string) => string;
  readonly args: (folder: string, sites: readonly string[]) => readonly string[];
  /** True when it takes orders. */
  readonly hears: (folder: string) => Promise<boolean>;
  readonly reload: (folder: string) => Promise<unknown>;
}

/** In the folder of the proxy: a system keeps programs where only root's shell looks, and a program its own things at home. */
export function proxyEnvironment(folder: string): NodeJS.ProcessEnv {
  const path = `${process.env['PATH'] ?? ''}:/usr/local/sbin:/usr/sbin`;
  return { ...process.env, PATH: path, HOME: folder, XDG_CONFIG_HOME: folder, XDG_DATA_HOME: folder };
}

export const proxyKinds: Readonly<Record<ProxyName, ProxyKind>> = {
  nginx: {
    ending: 'conf',
    listeningOn: (template, port) => template.replace(/\blisten \d+/, `listen 127.0.0.1:${port}`),
    isSecure: (template) => template.includes(' ssl'),
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
    reload: (folder) => run('nginx', [...proxyKinds.nginx.args(folder, []), '-s', 'reload'], folder),
  },
  haproxy: {
    ending: 'cfg',
    listeningOn: (template, port) => template.replace(/\bbind :\d+/, `bind 127.0.0.1:${port}`),
    isSecure: (template) => template.includes(' ssl'),
    shared: () => `
global
  maxconn 2000
  hard-stop-after 1s
`,
    // The last one wins.
    args: (folder, sites) => [
      ...['-W', '-db', '-S', orders(folder)],
      ...[...sites, join(folder, 'shared')].flatMap((file) => ['-f', file]),
    ],
    // Its workers serve before its master hears: a signal that comes between the two is lost.
    hears: async (folder) => (await ask(orders(folder), 'show proc\n')).includes('worker'),
    reload: (folder) => ask(orders(folder), 'reload\n'),
  },
  caddy: {
    ending: 'caddyfile',
    listeningOn: (template, port) => template.replace('example.org', `127.0.0.1:${port}`),
    isSecure: (template) => !template.includes('http://example.org'),
    // An address gets a certificate of Caddy's own authority, which nobody's system is told to trust.
    shared: (folder) => `
{
  admin unix/${orders(folder)}
  default_bind 127.0.0.1
  auto_https disable_redirects
  skip_install_trust
  grace_period 1s
}
import ${folder}/sites/*
`,
    args: (folder) => ['run', ...caddyConfig(folder)],
    hears: () => Promise.resolve(true),
    reload: (folder) => run('caddy', ['reload', '--force', '--address', `unix/${orders(folder)}`, ...caddyConfig(folder)], folder),
  },
};

function caddyConfig(folder: string): readonly string[] {
  return ['--config', join(folder, 'shared'), '--adapter', 'caddyfile'];
}

function run(program: string, args: readonly string[], folder: string): Promise<unknown> {
  return promisify(execFile)(program, args, { env: proxyEnvironment(folder) });
}

/** Where a proxy takes orders. */
function orders(folder: string): string {
  return join(folder, 'orders');
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
