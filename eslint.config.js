import { defineConfig, globalIgnores } from 'eslint/config';
import tseslint from 'typescript-eslint';

// Time, chance and the environment come in through ports below the doors; the two files of each room that hold the real ones are exempt.
const throughPorts = 'comes through a port here: take `Clock` or `Chance`, so that a simulation can own it.';
const impureGlobals = ['setTimeout', 'setInterval', 'requestAnimationFrame'].map((name) => ({
  name,
  message: `${name} ${throughPorts}`,
}));
const impureProperties = [
  { object: 'Date', property: 'now', message: `Date.now ${throughPorts}` },
  { object: 'Math', property: 'random', message: `Math.random ${throughPorts}` },
  { object: 'performance', property: 'now', message: `performance.now ${throughPorts}` },
  { object: 'crypto', property: 'randomUUID', message: `crypto.randomUUID ${throughPorts}` },
  { object: 'crypto', property: 'getRandomValues', message: `crypto.getRandomValues ${throughPorts}` },
  { object: 'process', property: 'env', message: 'A library reads no environment: take an option.' },
  ...['setTimeout', 'setInterval'].map((property) => ({
    object: 'globalThis',
    property,
    message: `globalThis.${property} ${throughPorts}`,
  })),
];
const impureSyntax = [{ selector: 'NewExpression[callee.name="Date"][arguments.length=0]', message: `The present ${throughPorts}` }];
const impureImports = ['node:timers', 'node:timers/promises', 'timers', 'timers/promises'].map((name) => ({
  name,
  // Lets others have their turn; keeps no time.
  allowImportNames: ['setImmediate'],
  message: `A timer ${throughPorts}`,
}));

export default defineConfig(
  globalIgnores(['dist/', 'coverage/', '.data/', 'node_modules/', 'docs/']),
  tseslint.configs.recommendedTypeChecked,
  {
    languageOptions: { parserOptions: { project: './tsconfig.json', tsconfigRootDir: import.meta.dirname } },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      'max-lines': ['error', { max: 400 }],
      'max-lines-per-function': ['error', { max: 70, skipComments: true, skipBlankLines: true, IIFEs: true }],
      'no-console': 'error',
      'no-constant-binary-expression': 'error',
      'no-constant-condition': 'error',
      'no-control-regex': 'error',
      'no-duplicate-case': 'error',
      'no-empty': 'error',
      'no-fallthrough': 'error',
      'no-irregular-whitespace': 'error',
      'no-self-compare': 'error',
      'no-sparse-arrays': 'error',
      'no-unsafe-finally': 'error',
      'no-unused-labels': 'error',
      'no-useless-assignment': 'error',
      'no-useless-catch': 'error',
      'object-shorthand': 'error',
      'prefer-const': 'error',
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/no-non-null-assertion': 'error',
      '@typescript-eslint/no-shadow': 'error',
      '@typescript-eslint/no-unnecessary-boolean-literal-compare': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_', ignoreRestSiblings: true }],
      '@typescript-eslint/only-throw-error': 'error',
      '@typescript-eslint/prefer-readonly': 'error',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      '@typescript-eslint/return-await': ['error', 'in-try-catch'],
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      // Takes assertions that inference depends on (`types: {} as …` of a chart) for superfluous.
      '@typescript-eslint/no-unnecessary-type-assertion': 'off',
      // Our ports are plain objects whose verbs close over what they need: taking one out of its object is safe, and the house style.
      '@typescript-eslint/unbound-method': 'off',
      // A port is asynchronous for those who need it; an adapter that does not await still keeps the port's shape and turns throws into rejections.
      '@typescript-eslint/require-await': 'off',
    },
  },
  {
    files: ['machines/**/*.ts', 'server/**/*.ts', 'client/**/*.ts', 'adapters/**/*.ts'],
    rules: {
      'no-restricted-globals': ['error', ...impureGlobals],
      'no-restricted-properties': ['error', ...impureProperties],
      'no-restricted-syntax': ['error', ...impureSyntax],
      'no-restricted-imports': ['error', { paths: impureImports }],
    },
  },
  {
    // Where the real clock and the real dice live.
    files: ['server/ports/clock.ts', 'server/ports/chance.ts', 'client/**/clock.ts', 'client/**/chance.ts'],
    rules: {
      'no-restricted-globals': 'off',
      'no-restricted-properties': 'off',
      'no-restricted-syntax': 'off',
    },
  },
  {
    // A chart is one literal, a suite one function: their length is their subject's.
    files: ['**/*.machine.ts', 'model-tests/**/*.ts'],
    rules: { 'max-lines-per-function': 'off' },
  },
  { files: ['**/*.machine.ts'], rules: { 'max-lines': ['error', { max: 600 }] } },
  {
    // Tests look for terminal codes, and Koa's own way to a server is `createServer(app.callback())`.
    files: ['model-tests/**/*.ts', 'examples/**/*.{ts,tsx}'],
    rules: {
      'no-control-regex': 'off',
      '@typescript-eslint/no-misused-promises': ['error', { checksVoidReturn: { arguments: false } }],
    },
  },
  {
    // Programs speak to people.
    files: ['scripts/**/*.ts', 'examples/**/*.ts', 'bench/**/*.ts', 'model-tests/**/children/*.ts'],
    rules: { 'no-console': 'off' },
  },
  { files: ['**/*.js'], extends: [tseslint.configs.disableTypeChecked] },
);
