import type { Case } from '../../suite/case.ts';
import { includes, same, says } from '../../suite/claim.ts';
import { act, call, ended, endsLog, log, openQuestion, refused, someId, start, typesOf } from '../calls.ts';
import { stream } from '../streams.ts';
import type { ServerUnderTest } from '../server-under-test.ts';

const actions = 'docs/protocol.md, Requests: Actions';
const cancel = 'docs/protocol.md, Requests: Cancel';
const UNKNOWN = '0123456789abcdef0123456789abcdef';

/** What answers and cancels mean. */
export const answering: readonly Case<ServerUnderTest>[] = [
  {
    id: 'action.accepted',
    title: 'takes an answer, writes it, and hands it to the work',
    rule: actions,
    failureClass: 'answer-or-question-lost',
    async run(server) {
      const taskId = await start(server, 'ask', { questions: 2 });
      for (const number of [1, 2]) {
        const [suspendId, clientActionId] = [await openQuestion(server, taskId, number), someId()];
        const { status, body } = await act(server, taskId, { suspendId, clientActionId, actionType: 'no', payload: { number } });
        same([status, body], [202, { taskId, suspendId, clientActionId, status: 'ACCEPTED' }]);
      }
      const facts = await ended(server, taskId);
      same(typesOf(facts), ['STARTED', 'SUSPENDED', 'ACTION_ACCEPTED', 'SUSPENDED', 'ACTION_ACCEPTED', 'COMPLETED']);
      includes(facts[2]?.payload, { actionType: 'no' });
      const answers = [1, 2].map((number) => ({ actionType: 'no', payload: { number } }));
      same(facts.at(-1)?.payload['result'], { answers });
    },
  },
  {
    id: 'action.again',
    title: 'knows the same answer again, before and after the end, and writes it once',
    rule: actions,
    failureClass: 'answer-or-question-lost',
    async run(server) {
      const taskId = await start(server, 'ask', {});
      const action = { suspendId: await openQuestion(server, taskId), clientActionId: someId(), payload: { n: 1 } };
      same((await act(server, taskId, action)).body.status, 'ACCEPTED');
      const again = await act(server, taskId, action);
      same([again.status, again.body.status], [200, 'DEDUPLICATED']);
      const facts = await ended(server, taskId);
      same(typesOf(facts).filter((type) => type === 'ACTION_ACCEPTED').length, 1, 'the number of accepted answers');
      same((await act(server, taskId, action)).body.status, 'DEDUPLICATED');
    },
  },
  {
    id: 'action.conflict',
    title: 'refuses a used action id for another answer',
    rule: actions,
    async run(server) {
      const taskId = await start(server, 'ask', { questions: 2 });
      const action = { suspendId: await openQuestion(server, taskId), clientActionId: someId(), payload: { n: 1 } };
      await act(server, taskId, action);
      refused(await act(server, taskId, { ...action, payload: { n: 2 } }), 409, 'IDEMPOTENCY_CONFLICT');
      refused(await act(server, taskId, { ...action, actionType: 'no' }), 409, 'IDEMPOTENCY_CONFLICT');
    },
  },
  {
    id: 'action.one-of-many',
    title: 'accepts exactly one of eight different answers that come at once',
    rule: actions,
    async run(server) {
      const taskId = await start(server, 'ask', {});
      const suspendId = await openQuestion(server, taskId);
      const answers = await Promise.all(Array.from({ length: 8 }, (_, n) => act(server, taskId, { suspendId, payload: { n } })));
      same(answers.map(({ status, body }) => `${status} ${body.status}`).sort(), [
        '202 ACCEPTED',
        ...Array<string>(7).fill('202 REJECTED_ALREADY_RESOLVED'),
      ]);
      const winner = answers.findIndex(({ body }) => body.status === 'ACCEPTED');
      same((await ended(server, taskId)).at(-1)?.payload['result'], { answers: [{ actionType: 'yes', payload: { n: winner } }] });
    },
  },
  {
    id: 'action.once-of-many',
    title: 'accepts one answer that is sent eight times at once, once',
    rule: `${actions}; accepting is one step`,
    better: true,
    failureClass: 'answer-or-question-lost',
    async run(server) {
      const taskId = await start(server, 'ask', { questions: 2 });
      const action = { suspendId: await openQuestion(server, taskId), clientActionId: someId() };
      const answers = await Promise.all(Array.from({ length: 8 }, () => act(server, taskId, action)));
      same(answers.map(({ body }) => body.status).sort(), ['ACCEPTED', ...Array<string>(7).fill('DEDUPLICATED')]);
    },
  },
  {
    id: 'action.type-not-allowed',
    title: 'refuses a type that the question does not allow, by a code of its own, and leaves the question open',
    rule: actions,
    better: true,
    async run(server) {
      const taskId = await start(server, 'ask', {});
      const suspendId = await openQuestion(server, taskId);
      refused(await act(server, taskId, { suspendId, actionType: 'perhaps' }), 409, 'ACTION_NOT_ALLOWED');
      same((await act(server, taskId, { suspendId })).body.status, 'ACCEPTED');
    },
  },
  {
    id: 'action.unknown',
    title: 'answers 404 for a question that was never asked, and for a task that is unknown or of somebody else',
    rule: actions,
    async run(server) {
      const [mine, theirs] = [await start(server, 'ask', {}), await start(server, 'ask', {}, { as: 'two' })];
      refused(await act(server, mine, { suspendId: 'none' }), 404, 'TASK_NOT_FOUND');
      for (const taskId of [theirs, UNKNOWN]) refused(await act(server, taskId, { suspendId: 'none' }), 404, 'TASK_NOT_FOUND');
    },
  },
  {
    id: 'action.invalid',
    title: 'refuses an action with a member that is missing or wrong',
    rule: `${actions}; text ids have 1 to 256 characters`,
    better: true,
    async run(server) {
      const taskId = await start(server, 'ask', {});
      const whole = { clientActionId: 'a', suspendId: await openQuestion(server, taskId), actionType: 'yes' };
      for (const broken of [{ clientActionId: undefined }, { suspendId: '' }, { actionType: 3 }, { payload: [] }])
        refused(await call(server, 'POST', `/tasks/${taskId}/actions`, { json: { ...whole, ...broken } }), 422, 'REQUEST_VALIDATION_ERROR');
    },
  },
  {
    id: 'action.expired',
    title: 'ends a question whose time is over by a fact, tells the work, and refuses its answer',
    rule: 'docs/protocol.md, Facts: TASK_SUSPENSION_CLOSED',
    better: true,
    failureClass: 'answer-or-question-lost',
    limitMs: 8000,
    async run(server) {
      const taskId = await start(server, 'ask', { expiresInMs: 200, questions: 1 });
      const suspendId = await openQuestion(server, taskId);
      const facts = await ended(server, taskId);
      same(typesOf(facts), ['STARTED', 'SUSPENDED', 'SUSPENSION_CLOSED', 'COMPLETED']);
      same(facts[2]?.payload, { suspendId, outcome: 'EXPIRED' });
      same(facts[3]?.payload['result'], { answers: ['EXPIRED'] });
      const late = await act(server, taskId, { suspendId });
      same([late.status, late.body.status], [202, 'REJECTED_EXPIRED']);
    },
  },
  {
    id: 'action.after-the-end',
    title: 'answers REJECTED_ALREADY_RESOLVED to a new answer once the task is over, and writes nothing',
    rule: actions,
    better: true,
    limitMs: 8000,
    async run(server) {
      const taskId = await start(server, 'ask', {});
      const suspendId = await openQuestion(server, taskId);
      await call(server, 'POST', `/tasks/${taskId}/cancel`, { json: {} });
      const whole = await ended(server, taskId);
      const late = await act(server, taskId, { suspendId });
      same([late.status, late.body.status, await log(server, taskId)], [202, 'REJECTED_ALREADY_RESOLVED', whole]);
    },
  },
  {
    id: 'cancel.running',
    title: 'cancels running work, with or without a body',
    rule: cancel,
    async run(server) {
      for (const options of [{ json: { reason: 'enough' } }, { json: {} }, {}]) {
        const taskId = await start(server, 'wait');
        const opened = stream('ws', server, taskId);
        await opened.until(({ type }) => type === 'TASK_PROGRESS', 'the report that it waits');
        const { status, body } = await call(server, 'POST', `/tasks/${taskId}/cancel`, options);
        same([status, body], [202, { taskId, status: 'CANCELLATION_REQUESTED' }]);
        same((await opened.until(endsLog, 'the end')).type, 'TASK_CANCELLED');
        opened.close();
      }
    },
  },
  {
    id: 'cancel.reason',
    title: 'hands the reason on: to the fact that says that it was asked for, and to the end',
    rule: `${cancel}; docs/protocol.md, Facts: TASK_CANCEL_REQUESTED`,
    better: true,
    async run(server) {
      const taskId = await start(server, 'wait');
      const opened = stream('ws', server, taskId);
      await opened.until(({ type }) => type === 'TASK_PROGRESS', 'the report that it waits');
      opened.close();
      await call(server, 'POST', `/tasks/${taskId}/cancel`, { json: { reason: 'enough' } });
      const facts = await ended(server, taskId);
      same(typesOf(facts), ['STARTED', 'PROGRESS', 'CANCEL_REQUESTED', 'CANCELLED']);
      same([facts[2]?.payload['reason'], facts[3]?.payload['reason']], ['enough', 'enough']);
    },
  },
  {
    id: 'cancel.suspended',
    title: 'ends a task that waits for an answer at once, and closes its question before',
    rule: cancel,
    better: true,
    async run(server) {
      const taskId = await start(server, 'ask', {});
      const suspendId = await openQuestion(server, taskId);
      await call(server, 'POST', `/tasks/${taskId}/cancel`, { json: {} });
      const facts = await log(server, taskId);
      same(typesOf(facts), ['STARTED', 'SUSPENDED', 'SUSPENSION_CLOSED', 'CANCELLED']);
      same(facts[2]?.payload, { suspendId, outcome: 'CANCELLED' });
      says(facts[3]?.payload['reason'], /./, 'the reason of a cancel without one');
    },
  },
  {
    id: 'cancel.ended',
    title: 'answers ALREADY_TERMINAL once the task is over, and 404 for a task of somebody else',
    rule: cancel,
    async run(server) {
      const taskId = await start(server, 'echo');
      const whole = await ended(server, taskId);
      const { status, body } = await call(server, 'POST', `/tasks/${taskId}/cancel`, { json: {} });
      same([status, body, await log(server, taskId)], [202, { taskId, status: 'ALREADY_TERMINAL' }, whole]);
      refused(await call(server, 'POST', `/tasks/${taskId}/cancel`, { json: {}, as: 'two' }), 404, 'TASK_NOT_FOUND');
    },
  },
  {
    id: 'action.reaches-viewers',
    title: 'shows the answer to everybody who watches, wherever it came from',
    rule: 'docs/protocol.md, Facts: TASK_ACTION_ACCEPTED',
    failureClass: 'answer-or-question-lost',
    async run(server) {
      const taskId = await start(server, 'ask', { questions: 2 });
      const suspendId = await openQuestion(server, taskId);
      const watching = [stream('ws', server, taskId), stream('ws', server, taskId), stream('sse', server, taskId)];
      for (const one of watching) await one.until(({ type }) => type === 'TASK_SUSPENDED', 'the question');
      await act(server, taskId, { suspendId });
      for (const one of watching) await one.until(({ type }) => type === 'TASK_ACTION_ACCEPTED', 'the answer');
      for (const one of watching) one.close();
    },
  },
];
