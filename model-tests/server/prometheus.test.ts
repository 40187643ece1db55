import { Registry } from 'prom-client';
import { describe, expect, test, vi } from 'vitest';
import { inProcess, TaskFailure } from '../../adapters/in-process/index.ts';
import { prometheusMetrics } from '../../adapters/prometheus/index.ts';
import { metricsTable } from '../../server/observability/index.ts';
import { textOfFile } from '../house/project-files.ts';
import { bridgeOf } from './bridge-of.ts';

const seriesOf = async (registry: Registry, name: string): Promise<readonly string[]> =>
  (await registry.metrics()).split('\n').filter((line) => line.startsWith(name));

describe('the Prometheus sink', () => {
  test('shows every metric before anything has happened', async () => {
    const registry = new Registry();
    prometheusMetrics({ registry });
    const text = await registry.metrics();
    for (const [name, { kind }] of Object.entries(metricsTable)) expect(text).toContain(`# TYPE taskbridge_${name} ${kind}`);
  });

  test('shows what became of tasks, and how long that took', async () => {
    const registry = new Registry();
    const fails = () => Promise.reject(new TaskFailure('NO_PAPER', 'There is no paper.'));
    const host = await bridgeOf(inProcess({ print: () => Promise.resolve('ok'), fails }), { metrics: prometheusMetrics({ registry }) });
    for (const type of ['print', 'fails']) {
      const taskId = await host.start(type);
      await vi.waitFor(async () => expect((await host.snapshot(taskId)).state).toMatch(/completed|failed/));
    }
    expect(await seriesOf(registry, 'taskbridge_tasks_ended_total{')).toEqual([
      'taskbridge_tasks_ended_total{task_type="print",state="completed",code=""} 1',
      'taskbridge_tasks_ended_total{task_type="fails",state="failed",code="NO_PAPER"} 1',
    ]);
    expect(await seriesOf(registry, 'taskbridge_task_start_seconds_count')).toEqual([
      'taskbridge_task_start_seconds_count{task_type="print"} 1',
      'taskbridge_task_start_seconds_count{task_type="fails"} 1',
    ]);
    expect(await seriesOf(registry, 'taskbridge_task_end_seconds_count')).toHaveLength(2);
    const written = await seriesOf(registry, 'taskbridge_store_write_seconds_count{write="append",outcome="written"}');
    expect(Number(written[0]?.split(' ')[1])).toBeGreaterThanOrEqual(2);
    expect(await seriesOf(registry, 'taskbridge_facts_total{type="TASK_FAILED"}')).toEqual([
      'taskbridge_facts_total{type="TASK_FAILED"} 1',
    ]);
  });

  test('takes other names and buckets', async () => {
    const registry = new Registry();
    prometheusMetrics({ registry });
    expect(() => prometheusMetrics({ registry })).toThrow(/already been registered/);
    const sink = prometheusMetrics({ registry, prefix: 'second_', buckets: { task_start_seconds: [7] } });
    sink.observeHistogram('task_start_seconds', 3, { task_type: 'a' });
    expect(await seriesOf(registry, 'second_task_start_seconds_bucket')).toEqual([
      'second_task_start_seconds_bucket{le="7",task_type="a"} 1',
      'second_task_start_seconds_bucket{le="+Inf",task_type="a"} 1',
    ]);
  });
});

describe.each(['docs/monitoring/grafana-dashboard.json', 'docs/monitoring/alerts.yml'])('%s', (file) => {
  test('asks for metrics and tags that there are', () => {
    const text = textOfFile(file);
    const names = [...text.matchAll(/taskbridge_(\w+)/g)].map(([, name = '']) => name.replace(/_(bucket|count|sum)$/, ''));
    expect(names.length).toBeGreaterThan(5);
    expect(names.filter((name) => !(name in metricsTable))).toEqual([]);
    const tags = new Set(Object.values(metricsTable).flatMap((metric): readonly string[] => metric.tags));
    const asked = [...text.matchAll(/\{(\w+)!?=/g)].map(([, tag = '']) => tag);
    const by = [...text.matchAll(/by \(([\w, ]+)\)/g)].flatMap(([, list = '']) => list.split(', '));
    // Of the scrape itself is `instance`.
    expect([...asked, ...by].filter((tag) => tag !== 'le' && tag !== 'instance' && !tags.has(tag))).toEqual([]);
  });

  test('shows every metric, or watches the writes', () => {
    const text = textOfFile(file);
    if (file.endsWith('.json')) expect(Object.keys(metricsTable).filter((name) => !text.includes(`taskbridge_${name}`))).toEqual([]);
    else expect(text).toMatch(/alert: TaskBridgeWritesFail/);
  });
});
