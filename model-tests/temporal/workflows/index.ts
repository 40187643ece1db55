// The workflows of the tests, as the sandbox loads them.
export * from './by-contract.ts';
export * from './scripted.ts';
export * from './special.ts';
