import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** One door: a subpath of `exports` in `package.json`, which is the one list of them, or of the kit's. */
export interface Door {
  /** What others import: `taskbridge/react`. */
  readonly specifier: string;
  /** The file that it is built from, as a path from the root: `client/react/index.ts`. */
  readonly source: string;
}

interface Manifest {
  readonly name: string;
  readonly exports: Readonly<Record<string, string | { readonly default: string }>>;
}

const root = fileURLToPath(new URL('..', import.meta.url));

/** Every door of the library, in the order of `exports`. A subpath that is a plain file, as `package.json` is, is none. */
export const libraryDoors: readonly Door[] = doorsOf(JSON.parse(readFileSync(`${root}package.json`, 'utf8')) as Manifest);

/** The package of the conformance kit. */
export const kitName = 'taskbridge-conformance';
/** Its doors. */
export const kitDoors: readonly Door[] = [
  { specifier: kitName, source: 'model-tests/conformance/index.ts' },
  { specifier: `${kitName}/script`, source: 'model-tests/conformance/script/index.ts' },
];

/** Every door of both packages. */
export const doors: readonly Door[] = [...libraryDoors, ...kitDoors];

/** The doors that a manifest opens. The build writes `dist/<folder>/index.js` for `<folder>/index.ts`; what says otherwise is refused. */
export function doorsOf({ name, exports }: Manifest): Door[] {
  return Object.entries(exports).flatMap(([subpath, target]) => {
    if (typeof target === 'string') return [];
    const [, folder] = /^\.\/dist\/(.+)\/index\.js$/.exec(target.default) ?? [];
    if (folder === undefined) throw new Error(`exports["${subpath}"] is ${target.default}; a door is ./dist/<folder>/index.js.`);
    return [{ specifier: `${name}${subpath.slice(1)}`, source: `${folder}/index.ts` }];
  });
}
