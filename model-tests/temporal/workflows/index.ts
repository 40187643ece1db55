// The workflows of the tests, as the sandbox loads them.
export * from './scripted.ts';
export * from './special.ts';
