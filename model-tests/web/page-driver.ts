import type { Locator, Page } from 'playwright-core';
import type { TaskState } from 'taskbridge/machines';
import type { TransportName } from 'taskbridge/wire';

/** The switches, as they are called on the page. */
export type SwitchName = 'Block WebSocket' | 'Block server-sent events' | 'Go offline' | 'Stop the server' | 'As on the wire';

/** Somebody before one tab. */
export interface PageDriver {
  readonly page: Page;
  /** WebSockets that this tab has opened so far. */
  readonly sockets: () => number;
  /** Those of them that are open. */
  readonly open: () => number;
  /** Starts a report of the sample, and gives its task. */
  startSample(pace?: '0' | '5' | '20'): Promise<string>;
  taskId(): string;
  /** Who this browser is signed in as. */
  name(): Promise<string>;
  untilState(...states: readonly TaskState[]): Promise<void>;
  untilProgress(percent: number): Promise<void>;
  /** Resolves when facts come live by this transport. */
  untilLiveBy(transport: TransportName): Promise<void>;
  /** Resolves when the connection is in this state, in the page's own words. */
  untilConnection(words: string): Promise<void>;
  turn(name: SwitchName, on: boolean): Promise<void>;
  press(name: string): Promise<void>;
  answer(label?: string): Promise<void>;
  /** A report in the list, by its task; only where it is in this state, if one is said. */
  report(taskId: string, state?: TaskState): Locator;
  /** What a page hears when a person comes back to it. */
  comeBack(): Promise<void>;
  /** Every line of the log, as on the wire, once so many are there. */
  log(count: number): Promise<readonly string[]>;
}

/** A hidden page draws nothing, so nothing can be waited for by its frames. */
const often = { polling: 100 } as const;

/** Uses a page as people do: by what can be seen and pressed. */
export function createPageDriver(page: Page): PageDriver {
  let sockets = 0;
  let open = 0;
  page.on('websocket', (socket) => {
    sockets += 1;
    open += 1;
    socket.on('close', () => (open -= 1));
  });
  const press = (name: string): Promise<void> => page.getByRole('button', { name, exact: true }).click();
  const taskId = (): string => new URL(page.url()).searchParams.get('task') ?? '';

  return {
    page,
    sockets: () => sockets,
    open: () => open,
    taskId,
    name: () => page.evaluate(() => localStorage.getItem('taskbridge.name') ?? ''),
    async startSample(pace = '5') {
      await page.getByLabel('Work').selectOption(pace);
      await press('Use the sample');
      await page.waitForURL(/\?task=/);
      return taskId();
    },
    async untilState(...states) {
      await page.waitForFunction(
        (wanted) => wanted.includes(document.querySelector('[data-testid=state]')?.textContent ?? ''),
        states as string[],
        often,
      );
    },
    async untilProgress(percent) {
      await page.waitForFunction(
        (least) => parseFloat(document.querySelector('[data-testid=percent]')?.textContent ?? '0') >= least,
        percent,
        often,
      );
    },
    untilLiveBy: (transport) => page.locator(`.ladder li.current.live[data-transport=${transport}]`).waitFor(),
    untilConnection: (words) => page.getByTestId('connection').filter({ hasText: words }).waitFor(),
    async turn(name, on) {
      const control = page.getByRole('switch', { name });
      await control.setChecked(on).catch(async (error: unknown) => {
        // The page draws it after the server has done it; what counts is where it ends.
        if ((await control.isChecked()) !== on) await control.and(page.locator(on ? ':checked' : ':not(:checked)')).waitFor();
        if ((await control.isChecked()) !== on) throw error;
      });
      await page.getByRole('switch', { name, checked: on, disabled: false }).waitFor();
    },
    press,
    async answer(label = 'Keep the first') {
      await page.getByRole('radio', { name: label }).check();
      await press('Answer');
    },
    report(id, state) {
      const row = page.locator(`[data-task="${id}"]`);
      return state === undefined ? row : row.filter({ has: page.locator(`[data-state=${state}]`) });
    },
    comeBack: () => page.evaluate(() => void window.dispatchEvent(new Event('focus'))),
    async log(count) {
      const raw = page.getByRole('switch', { name: 'As on the wire' });
      if (!(await raw.isChecked())) await raw.click();
      await page.waitForFunction((least) => document.querySelectorAll('.facts.raw li').length >= least, count, often);
      return page.locator('.facts.raw li code').allTextContents();
    },
  };
}
