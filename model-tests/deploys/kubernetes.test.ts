import { spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { inProcess } from '../../adapters/in-process/index.ts';
import { defaultRoutePaths } from '../../machines/routes/index.ts';
import { httpDefaults, taskDefaults } from '../../server/index.ts';
import { root, snippet } from '../readme/snippets.ts';
import { bridgeOf } from '../server/bridge-of.ts';
import { tempFolder } from '../support/temp-folder.ts';

const PAGE = 'docs/guide/kubernetes.md';
const manifest = snippet('deployment', PAGE);
const programs = join(root, '.data/kubernetes/bin');
/** What `close` waits for a store that takes nothing, and as long again. Source: operations, "Before the first deploy". */
const CLOSE_MORE_SECONDS = 10;

interface Probe {
  readonly httpGet: { readonly path: string; readonly port: string };
  readonly periodSeconds: number;
  readonly failureThreshold: number;
  readonly timeoutSeconds?: number;
}

/** What is looked at of the deployment. */
interface Deployment {
  readonly kind: 'Deployment';
  readonly spec: {
    readonly strategy: { readonly rollingUpdate: { readonly maxUnavailable: number } };
    readonly template: {
      readonly spec: {
        readonly terminationGracePeriodSeconds: number;
        readonly containers: readonly [
          {
            readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
            readonly startupProbe: Probe;
            readonly livenessProbe: Probe;
            readonly readinessProbe: Probe;
            readonly lifecycle: { readonly preStop: { readonly exec: { readonly command: readonly [string, string] } } };
          },
        ];
      };
    };
  };
}

/** Runs a program of the environment that setup.sh makes. */
function run(program: string, args: readonly string[], input = '') {
  const { error, ...ended } = spawnSync(join(programs, program), args, { input, encoding: 'utf8' });
  if (error) throw new Error(`This test needs ${join(programs, program)}: run \`npm run setup\`.`, { cause: error });
  return ended;
}

let deployment: Deployment;
beforeAll(() => {
  const read = 'import json, sys, yaml; print(json.dumps(list(yaml.safe_load_all(sys.stdin))))';
  // The page is ours.
  const documents = JSON.parse(run('python', ['-c', read], manifest).stdout) as readonly (Deployment | { readonly kind: 'Service' })[];
  const found = documents.find((document): document is Deployment => document.kind === 'Deployment');
  if (!found) throw new Error(`${PAGE} has no deployment.`);
  deployment = found;
});

describe('the manifest of the guide', () => {
  test('is one that Kubernetes takes; one with a misspelt field is not', async () => {
    const folder = await tempFolder('kubernetes');
    onTestFinished(folder.remove);
    const verdictOf = async (text: string): Promise<number | null> => {
      const file = join(folder.path, 'manifest.yaml');
      await writeFile(file, text);
      return run('kubernetes-validate', ['--strict', '--quiet', file]).status;
    };
    expect(await verdictOf(manifest)).toBe(0);
    expect(await verdictOf(manifest.replace('preStop:', 'preStopp:'))).toBe(1);
  });

  test('has numbers that fit the server’s', () => {
    const { template, strategy } = deployment.spec;
    const { terminationGracePeriodSeconds, containers } = template.spec;
    const [{ livenessProbe, readinessProbe, startupProbe, lifecycle, ports }] = containers;
    const host = snippet('host', PAGE);
    const closing = /close\(\{ spreadMs: ([\d_]+), drainMs: ([\d_]+) \}\)/.exec(host)?.slice(1) ?? [];
    const [spreadMs = 0, drainMs = 0] = closing.map((text) => Number(text.replace('_', '')));
    const [, preStopSeconds] = lifecycle.preStop.exec.command;
    expect(Math.min(spreadMs, drainMs, Number(preStopSeconds))).toBeGreaterThan(0);
    expect(terminationGracePeriodSeconds).toBeGreaterThanOrEqual(
      Number(preStopSeconds) + Math.max(spreadMs, drainMs) / 1000 + CLOSE_MORE_SECONDS,
    );
    expect(manifest).toContain(`# preStop (${preStopSeconds}), drainMs (${drainMs / 1000}), and ${CLOSE_MORE_SECONDS}`);

    const patienceMs = ({ periodSeconds, failureThreshold }: Probe) => periodSeconds * failureThreshold * 1000;
    expect(patienceMs(startupProbe)).toBeGreaterThanOrEqual(60_000);
    // A node that is ended sooner than others miss it has them wait for its lease.
    expect(patienceMs(livenessProbe)).toBeGreaterThanOrEqual(taskDefaults.leaseMs);
    expect((readinessProbe.timeoutSeconds ?? 1) * 1000).toBeGreaterThan(httpDefaults.probeTimeoutMs);
    // It is out of service before it is ended for the same.
    expect(patienceMs(readinessProbe)).toBeLessThan(patienceMs(livenessProbe));
    expect(strategy.rollingUpdate.maxUnavailable).toBe(0);
    expect(ports).toEqual([{ name: 'http', containerPort: Number(/listen\((\d+)\)/.exec(host)?.[1]) }]);
    for (const { httpGet } of [startupProbe, livenessProbe, readinessProbe]) expect(httpGet.port).toBe('http');
  });

  test('asks what a host has: an outage keeps a node unready, and kills none', async () => {
    const [{ livenessProbe, readinessProbe, startupProbe }] = deployment.spec.template.spec.containers;
    expect([livenessProbe.httpGet.path, readinessProbe.httpGet.path]).toEqual([defaultRoutePaths.health, defaultRoutePaths.ready]);
    let isAway = true;
    const executor = { ...inProcess({}), health: () => Promise.resolve(isAway ? 'It is away.' : undefined) };
    const host = await bridgeOf(executor);
    const asked = () =>
      Promise.all([startupProbe, livenessProbe, readinessProbe].map(async ({ httpGet }) => (await fetch(host.url + httpGet.path)).status));
    expect(await asked()).toEqual([200, 200, 503]);
    isAway = false;
    expect(await asked()).toEqual([200, 200, 200]);
    const closed = host.bridge.close();
    expect(await asked()).toEqual([200, 200, 503]);
    await closed;
  });
});
