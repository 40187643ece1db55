import { JSDOM } from 'jsdom';

/** A page for React, which looks for it when it is imported: import this file first. The globals of Node stay as they are. */
const { window } = new JSDOM('<!doctype html><body></body>');
const globals = {
  window,
  document: window.document,
  IS_REACT_ACT_ENVIRONMENT: true,
  // Newer Nodes have one of their own.
  ...(!('navigator' in globalThis) && { navigator: window.navigator }),
};

export const page = window.document;

/** Has it there: this file is read once for all test files of a process, and one before may have left it. */
export function enterPage(): void {
  Object.assign(globalThis, globals);
}
enterPage();

/** Takes it away again, for the test files that come next in this process: what finds a window takes it for a browser's. */
export function leavePage(): void {
  for (const name of Object.keys(globals)) Reflect.deleteProperty(globalThis, name);
}
