import { enterPage, leavePage } from './page.ts';
import { act, createElement as h, type ReactElement } from 'react';
import { inProcess } from 'taskbridge/adapters/in-process';
import { createOutbox, memoryOutbox } from 'taskbridge/client/outbox';
import { TaskQuestion, useQuestions, useTask, type ShownQuestion, type QuestionForm } from 'taskbridge/react';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { tasks } from '../contract/tasks.ts';
import { handGate } from '../outbox/outbox-harness.ts';
import { bridgeOf } from '../server/bridge-of.ts';
import { clientOf, show, untilShown } from './client-page.ts';

beforeAll(enterPage);
afterAll(leavePage);

/** A report that asks what to do about duplicates, and gives back what was chosen. */
const builds = () =>
  inProcess(tasks, {
    'report.build': async (task) => {
      const { actionType, payload } = await task.suspend('duplicates', { interaction: { samples: ['a'] } });
      return { rows: 1, kept: `${actionType} ${JSON.stringify(payload)}` };
    },
    echo: async () => ({}),
  });

/** The page of a task: its questions as forms, of which the last one drawn is kept. */
async function formPage({ isOffline = false } = {}) {
  const server = await bridgeOf(builds());
  const client = clientOf(server.url);
  const { taskId } = await client.start({ taskType: 'report.build', input: { month: 'May' } });
  const gate = handGate(!isOffline);
  const outbox = createOutbox(client, { store: memoryOutbox('ada'), gate });
  onTestFinished(() => outbox.close());
  const kept = isOffline && { outbox };
  const drawn: { form?: QuestionForm; questions?: readonly ShownQuestion[]; state?: string } = {};
  const Form = ({ form }: { readonly form: QuestionForm }): ReactElement => {
    drawn.form = form;
    return h('p', null, form.question.reasonCode);
  };
  const Page = (): ReactElement => {
    drawn.state = useTask(taskId).task.state;
    drawn.questions = useQuestions(taskId);
    const children = (form: QuestionForm): ReactElement => h(Form, { form });
    return h(
      'div',
      null,
      ...drawn.questions.map((question) => h(TaskQuestion, { key: question.suspendId, taskId, question, children, ...kept })),
    );
  };
  await show({ client }, h(Page));
  await untilShown(() => drawn.form !== undefined);
  return { client, server, drawn, taskId, gate, outbox };
}

describe('<TaskQuestion>', () => {
  test('draws a form from the schemas that its question carries', async () => {
    const { drawn } = await formPage();
    expect(drawn.form).toMatchObject({ status: 'open', action: null, fields: [] });
    expect(drawn.form?.actions).toMatchObject([
      { actionType: 'keep-first', label: 'keep-first', fields: [] },
      { actionType: 'custom', fields: [{ name: 'column', kind: 'text', label: 'column', isRequired: true, initial: undefined }] },
    ]);
  });

  test('sends what is entered, once, and goes when its fact comes', async () => {
    const { client, drawn, taskId } = await formPage();
    const sent = vi.spyOn(client, 'act');
    await act(async () => drawn.form?.choose('custom'));
    await act(async () => drawn.form?.fields[0]?.set('name'));
    expect(drawn.form?.fields).toMatchObject([{ name: 'column', value: 'name', error: undefined }]);
    await act(async () => {
      const [first, second] = [drawn.form?.submit(), drawn.form?.submit()];
      // The second click is of the same form, which is on its way.
      expect(await Promise.all([first, second])).toEqual([true, false]);
    });
    await untilShown(() => drawn.state === 'completed');
    expect(drawn.questions).toEqual([]);
    expect(sent).toHaveBeenCalledTimes(1);
    expect((await client.get(taskId)).result).toEqual({ rows: 1, kept: 'custom {"column":"name"}' });
  });

  test('shows at its field what the server says of it, and may be sent again', async () => {
    const { drawn } = await formPage();
    await act(async () => drawn.form?.choose('custom'));
    await act(async () => drawn.form?.fields[0]?.set('  '));
    await act(async () => void (await drawn.form?.submit()));
    expect(drawn.form).toMatchObject({ status: 'failed', error: { code: 'INVALID_REQUEST' } });
    expect(drawn.form?.fields[0]?.error).toEqual(expect.any(String));
    await act(async () => drawn.form?.fields[0]?.set('name'));
    await act(async () => void (await drawn.form?.submit()));
    expect(drawn.form?.status).toBe('sent');
    await untilShown(() => drawn.state === 'completed');
  });

  test('sends an action by its name, and forgets what was entered for another', async () => {
    const { drawn } = await formPage();
    await act(async () => drawn.form?.choose('custom'));
    await act(async () => drawn.form?.fields[0]?.set('name'));
    await act(async () => drawn.form?.choose('keep-first'));
    expect(drawn.form?.action?.actionType).toBe('keep-first');
    await act(async () => void (await drawn.form?.submit('keep-first')));
    await untilShown(() => drawn.state === 'completed');
  });

  test('keeps an answer that is given offline in an outbox, and is sent when that has sent it', async () => {
    const { client, drawn, taskId, gate } = await formPage({ isOffline: true });
    const sent = vi.spyOn(client, 'act');
    await act(async () => drawn.form?.choose('custom'));
    await act(async () => drawn.form?.fields[0]?.set('name'));
    let submitted: Promise<boolean> | undefined;
    await act(async () => void (submitted = drawn.form?.submit()));
    expect(drawn.form?.status).toBe('sending');
    expect(sent).not.toHaveBeenCalled();
    await act(async () => gate.set(true));
    await untilShown(() => drawn.state === 'completed');
    expect(await submitted).toBe(true);
    expect((await client.get(taskId)).result).toEqual({ rows: 1, kept: 'custom {"column":"name"}' });
  });

  test('is open again where its answer is taken back in the outbox', async () => {
    const { drawn, outbox } = await formPage({ isOffline: true });
    let submitted: Promise<boolean> | undefined;
    await act(async () => void (submitted = drawn.form?.submit('keep-first')));
    await untilShown(() => outbox.getSnapshot().pending === 1);
    await act(async () => void (await outbox.withdraw(outbox.getSnapshot().entries[0]?.id ?? '')));
    expect(await submitted).toBe(false);
    expect(drawn.form).toMatchObject({ status: 'open', error: null });
  });

  test('shows at its field what was said of an answer that an outbox has sent', async () => {
    const { drawn, gate } = await formPage({ isOffline: true });
    await act(async () => drawn.form?.choose('custom'));
    await act(async () => drawn.form?.fields[0]?.set('  '));
    let submitted: Promise<boolean> | undefined;
    await act(async () => void (submitted = drawn.form?.submit()));
    await act(async () => gate.set(true));
    await untilShown(() => drawn.form?.status === 'failed');
    expect(await submitted).toBe(false);
    expect(drawn.form).toMatchObject({ status: 'failed', error: { code: 'INVALID_REQUEST', codeFrom: 'server' } });
    expect(drawn.form?.fields[0]?.error).toEqual(expect.any(String));
  });
});
