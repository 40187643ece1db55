import { inProcess } from '../../adapters/in-process/index.ts';
import { memoryStore } from '../../adapters/memory/index.ts';
import { describe, it } from 'vitest';
import { defineTests, executorSuite } from '../conformance/index.ts';
import { scripted } from './scripted-task.ts';

defineTests({ describe, it }, executorSuite, 'in-process', async () => ({ executor: inProcess({ scripted }), store: memoryStore() }));
