import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { connectionMachine, suspensionMachine, taskMachine } from '../../machines/index.ts';
import { isFactType } from '../../machines/wire/index.ts';
import { drawingOf, type Box } from '../../scripts/charts/drawing.ts';
import { mermaidOf } from '../../scripts/charts/mermaid.ts';
import { pageOf } from '../../scripts/charts/page.ts';
import { refusalsOf } from '../charts/drawn.ts';

const law = drawingOf(taskMachine, { isRecorded: true });
const from = (to: string): string[] => law.arrows.filter((arrow) => arrow.to === to).map((arrow) => arrow.from);
const boxesOf = (box: Box): Box[] => [box, ...box.states.flatMap(boxesOf)];
const linesIn = (id: string): readonly string[] => boxesOf(law.root).find((box) => box.id === id)?.lines ?? [];

describe('a drawing of a chart that facts move', () => {
  test('has a parent’s fact at each of its states that takes it, and not at those that do otherwise', () => {
    const all = ['accepted', 'joined', 'running', 'suspended'].map((name) => `task.active.${name}`);
    expect(from('task.active.cancelling')).toEqual(all);
    expect(linesIn('task.active.cancelling')).toContain('TASK_CANCEL_REQUESTED');
    expect(from('task.active.suspended')).toEqual(all.filter((id) => !id.endsWith('suspended')));
    expect(linesIn('task.active.suspended')).toContain('TASK_SUSPENDED / openSuspension');
  });

  test('has it once, at the parent, where all of its states leave by it', () => {
    for (const end of ['completed', 'failed', 'cancelled']) expect(from(`task.${end}`)).toEqual(['task.active']);
  });

  test('has no intents and no refusals: these change nothing', () => {
    const words = [...law.arrows.flatMap(({ lines }) => lines), ...boxesOf(law.root).flatMap(({ lines }) => lines)];
    expect(words.map((line) => line.split(' ')[0] ?? '').filter((event) => !isFactType(event) && event !== 'log.joined')).toEqual([]);
  });
});

test('a drawing of another chart has a mark for any of the states that an event leaves', () => {
  const { root, arrows } = drawingOf(connectionMachine, { isRecorded: false });
  expect(root.states[0]?.kind).toBe('any');
  expect(arrows.find(({ from: source }) => source === root.states[0]?.id)?.lines).toContain('wire.ended / noteEnding');
});

describe('the page of the charts', () => {
  test('has each refusal of a chart in its table', () => {
    for (const machine of [taskMachine, suspensionMachine]) {
      const page = pageOf([{ name: machine.id, machine, hasFlow: true }]);
      expect([...refusalsOf(machine)].filter((code) => !page.includes(`| \`${code}\` |`))).toEqual([]);
    }
  });

  test('shows pictures that are there', () => {
    const folder = new URL('../../docs/charts/', import.meta.url);
    const page = readFileSync(fileURLToPath(new URL('README.md', folder)), 'utf8');
    const shown = [...page.matchAll(/!\[[^\]]*\]\(([^)]+)\)/g)].map(([, file = '']) => file);
    expect(shown.length).toBeGreaterThan(15);
    for (const file of shown) expect(readFileSync(fileURLToPath(new URL(file, folder)), 'utf8')).toContain('<svg');
  });
});

test('Mermaid is given one name for each state, and each arrow between two of them', () => {
  const text = mermaidOf(law);
  const names = [...text.matchAll(/^ *state ".*" as (\w+)/gm)].map(([, name]) => name);
  expect(new Set(names).size).toBe(names.length);
  const arrows = [...text.matchAll(/^ *(\w+) --> (\w+)/gm)].flatMap(([, source, target]) => [source, target]);
  expect(arrows.filter((name) => !names.includes(name))).toEqual([]);
});
