import { existsSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { createContext, runInContext, type Context } from 'node:vm';
import type { Plugin } from 'esbuild';
import { root } from '../readme/snippets.ts';
import { bundle } from './bundle.ts';
import { createNativeModules, type NativeModules } from './native-modules.ts';

const brought = join(root, '.data/react-native');

/** The oldest that the door is for, and a newest; `scripts/setup.sh react_native` brings their sources. */
export const versions = ['0.79', '0.88'] as const;

/** A realm that has what an app in React Native has, and nothing of Node's. */
export interface NativeRealm {
  readonly context: Context;
  readonly native: NativeModules;
  /** Runs a bundle there, and gives what it left under a global name. */
  run<T>(text: string, globalName: string): T;
}

/** Throws a sentence where the sources are not there. */
export function needReactNative(version: string): void {
  if (!existsSync(join(brought, version, 'package.json')) || !existsSync(join(brought, 'node_modules/flow-remove-types')))
    throw new Error(`The sources of React Native ${version} are not there (${brought}). Run \`sh scripts/setup.sh react_native\`.`);
}

/** React Native's own types are Flow's, and its way to native code is a registry of modules. */
function ownSources(version: string): Plugin {
  const library = join(brought, version);
  // Its types are not asked for: it is brought beside the sources.
  const strip = createRequire(join(brought, 'package.json'))('flow-remove-types') as (text: string, options: object) => object;
  return {
    name: `React Native ${version}`,
    setup({ onLoad, onResolve }) {
      onResolve({ filter: /\/TurboModuleRegistry$/ }, () => ({ path: 'registry', namespace: 'native' }));
      onLoad({ filter: /.*/, namespace: 'native' }, () => ({
        contents:
          'export const get = (name) => globalThis.__native.modules[name] ?? null;\n' +
          'export const getEnforcing = (name) => { const found = get(name); if (!found) throw new Error(name); return found; };',
      }));
      onLoad({ filter: /\.js$/ }, async ({ path }) => {
        if (!path.startsWith(library)) return undefined;
        const stripped: { toString(): string } = strip(await readFile(path, 'utf8'), { all: true });
        return { contents: stripped.toString(), loader: 'ts' };
      });
    },
  };
}

/** React Native's own fetch, forms, blobs, URL, WebSocket and AbortController, as its apps get them, in one file. */
export function globalsOf(version: string): Promise<string> {
  needReactNative(version);
  const library = join(brought, version);
  const entry: Plugin = {
    name: 'what an app begins with',
    setup({ onLoad, onResolve }) {
      onResolve({ filter: /^react-native-globals$/ }, ({ path }) => ({ path, namespace: 'entry' }));
      onLoad({ filter: /.*/, namespace: 'entry' }, () => ({
        resolveDir: library,
        contents:
          "import emitter from './Libraries/EventEmitter/RCTDeviceEventEmitter';\n" +
          "import './Libraries/Core/setUpXHR';\n" +
          'globalThis.__native.emit = (type, payload) => emitter.emit(type, payload);',
      }));
    },
  };
  return bundle('react-native-globals', {
    format: 'iife',
    plugins: [entry, ownSources(version)],
    endings: ['.android.js', '.native.js', '.js', '.json'],
    define: { global: 'globalThis', __DEV__: 'false' },
    // As the compiler of apps: a field without a value is a type, and hides no accessor of the same name.
    definesFields: false,
  });
}

/** The version that the sources are of, to the patch. */
export function versionOf(version: string): string {
  needReactNative(version);
  return (JSON.parse(readFileSync(join(brought, version, 'package.json'), 'utf8')) as { readonly version: string }).version;
}

/** A realm of its own, whose globals are React Native's by its own sources, and what Hermes has by itself. */
export function createNativeRealm(globals: string): NativeRealm {
  const native = createNativeModules();
  const hermes = { setTimeout, clearTimeout, setInterval, clearInterval, queueMicrotask, TextEncoder, btoa, atob, console, performance };
  const context = createContext({ ...hermes, __native: native });
  runInContext('globalThis.self = globalThis.window = globalThis;', context);
  runInContext(globals, context);
  return {
    context,
    native,
    run<T>(text: string, globalName: string) {
      runInContext(text, context);
      // What the bundle left is what its program exports.
      return runInContext(globalName, context) as T;
    },
  };
}
