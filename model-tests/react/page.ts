import { JSDOM } from 'jsdom';

/** A page for React, which looks for it when it is imported: import this file first. The globals of Node stay as they are. */
const { window } = new JSDOM('<!doctype html><body></body>');
Object.assign(globalThis, { window, document: window.document, IS_REACT_ACT_ENVIRONMENT: true });
// Newer Nodes have one of their own.
if (!('navigator' in globalThis)) Object.assign(globalThis, { navigator: window.navigator });

export const page = window.document;
