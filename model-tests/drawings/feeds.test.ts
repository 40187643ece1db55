import { expect, test } from 'vitest';
import { factTypes, type FactType } from '../../machines/wire/index.ts';
import { attemptEvents } from '../../scripts/charts/fact-feeds.ts';
import type { AttemptEvent } from '../../server/attempt/attempt.machine.ts';
import { emptyExecutionRecord } from '../../server/attempt/execution-record.ts';
import { taskDefaults } from '../../server/task/settings.ts';
import { UnitOfWork } from '../../server/task/unit-of-work.ts';
import { everyStep } from './law-walk.ts';

/** Notes what a unit of work tells the attempt. */
class NotedUnit extends UnitOfWork {
  readonly told: AttemptEvent['type'][] = [];

  override record(event: AttemptEvent): boolean {
    this.told.push(event.type);
    return super.record(event);
  }
}

const about = { taskId: 't', taskType: 'x', clientRequestId: 'r', owner: 'o', contentHash: '', requestKey: '', createdAt: 0 };

test('the attempt is told of each fact what the picture of the feeds says', () => {
  const seen = new Set<FactType>();
  for (const { before, intent, decision } of everyStep()) {
    const types = decision.facts.map(({ type }) => type);
    if (types.length === 0 || types.every((type) => seen.has(type))) continue;
    const unit = new NotedUnit({ about, revision: 1, aggregate: before, execution: emptyExecutionRecord }, 0, taskDefaults);
    unit.decide(intent);
    // Where nobody works on a task that is to stop, its end follows at once.
    expect(unit.told.slice(0, types.length), types.join()).toEqual(types.flatMap((type) => attemptEvents[type] ?? []));
    for (const type of types) seen.add(type);
  }
  expect(factTypes.filter((type) => !seen.has(type))).toEqual([]);
});
