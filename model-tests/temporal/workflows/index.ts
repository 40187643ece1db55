// The workflows of the tests, as the sandbox loads them.
export * from './contract.ts';
export * from './scripted.ts';
export * from './special.ts';
