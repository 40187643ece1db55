import type { ReadStream, WriteStream } from 'node:tty';
import { describe, expect, it } from 'vitest';
import { openScreen } from '../../examples/report/screen.ts';

function fakeTerminal(isTTY: boolean, columns = 40) {
  let written = '';
  const output = { isTTY, columns, write: (text: string) => (written += text) !== '' };
  // The screen uses no more of a terminal than this.
  const { screen, paint } = openScreen(output as unknown as WriteStream, { isTTY } as unknown as ReadStream, {});
  return { screen, paint, taken: () => [written, (written = '')][0] ?? '' };
}

describe('the screen of the demo', () => {
  it('writes plain lines where there is no terminal', async () => {
    const { screen, paint, taken } = fakeTerminal(false);
    screen.status(['bar']);
    screen.line(paint('fact', 'green'));
    screen.close();
    expect(taken()).toBe('fact\n');
    expect([screen.interactive, screen.redraws]).toEqual([false, false]);
    await expect(screen.ask('?', new AbortController().signal)).rejects.toThrow('Nobody is there');
  });

  it('redraws its lowest lines in place, below the lines that stay', () => {
    const { screen, taken } = fakeTerminal(true);
    screen.status(['one', 'two']);
    expect(taken()).toBe('one\ntwo\n');
    screen.status(['one', 'two']);
    expect(taken()).toBe('');
    screen.line('fact');
    expect(taken()).toBe('\u001b[2F\u001b[Jfact\none\ntwo\n');
    screen.close();
    expect(taken()).toBe('\u001b[2F\u001b[J');
    screen.line('end');
    expect(taken()).toBe('end\n');
  });

  it('cuts what would wrap, colours aside', () => {
    const { screen, paint, taken } = fakeTerminal(true, 6);
    screen.status([`${paint('abc', 'red')}defgh`]);
    expect(taken()).toBe('\u001b[31mabc\u001b[0mde\n');
  });
});
