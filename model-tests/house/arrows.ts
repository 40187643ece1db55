import { doors } from '../../scripts/doors.ts';
import type { Import } from './imports.ts';

/** What a room may import of the others, and of the world. */
interface Room {
  /** Files of other rooms: their doors. */
  readonly doors: readonly RegExp[];
  /** Packages and builtins. */
  readonly packages: readonly RegExp[];
}

const machinesDoor = /^machines\/((wire|lists|routes|parts|tables|contract|json-schema)\/)?index\.ts$/;
const anyDoor = new RegExp(`^(${doors.map(({ source }) => source.replaceAll('.', '\\.')).join('|')})$`);
const charts = /\.(machine|phases)\.ts$/;
const node = /^node:/;
const anything = /./;

/** The arrows between the rooms, by the longest folder that a file is in. */
const arrows: Readonly<Record<string, Room>> = {
  machines: { doors: [], packages: [/^xstate$/, /^zod\/mini$/] },
  server: { doors: [machinesDoor], packages: [node, /^(xstate|zod\/mini|koa|koa-router|ws|better-sse|@fastify\/busboy)$/] },
  // A whole bridge for hosts' tests, put together of what a host puts together, by the same doors.
  'server/testing': { doors: [machinesDoor, /^server\/(access\/)?index\.ts$/, /^adapters\/(memory|in-process)\/index\.ts$/], packages: [] },
  client: { doors: [machinesDoor], packages: [/^(xstate|idb-keyval)$/] },
  // Hooks over the client's door: React is brought by the page.
  'client/react': { doors: [machinesDoor, /^client\/((contract|outbox|parts)\/)?index\.ts$/], packages: [/^react$/] },
  // Logic over the client's doors.
  'client/xstate': { doors: [machinesDoor, /^client\/(clock|(outbox\/)?index)\.ts$/], packages: [/^xstate$/] },
  // A room inside the client's: it may use what is around it, never the other way.
  'client/node': { doors: [machinesDoor, /^client\//], packages: [node, /^(xstate|ws)$/] },
  'adapters/memory': { doors: [machinesDoor, /^server\/ports\/index\.ts$/], packages: [node] },
  // Memory is what the port means: a store of one process shares its check of commits and its local tails.
  'adapters/lmdb': { doors: [machinesDoor, /^server\/ports\/index\.ts$/, /^adapters\/memory\/index\.ts$/], packages: [node, /^lmdb$/] },
  'adapters/redis': { doors: [machinesDoor, /^server\/ports\/index\.ts$/, /^adapters\/memory\/index\.ts$/], packages: [node, /^ioredis$/] },
  'adapters/jwt': { doors: [machinesDoor, /^server\/(ports|access)\/index\.ts$/], packages: [node, /^jose$/] },
  'adapters/prometheus': { doors: [/^server\/observability\/index\.ts$/], packages: [/^prom-client$/] },
  'adapters/opentelemetry': { doors: [/^server\/observability\/index\.ts$/], packages: [/^@opentelemetry\/api$/] },
  'adapters/file': { doors: [machinesDoor, /^server\/ports\/index\.ts$/], packages: [node] },
  'adapters/temporal': { doors: [machinesDoor, /^server\/ports\/index\.ts$/], packages: [/^@temporalio\/client$/] },
  // Loaded by Temporal's sandbox, where there is no Node: of ours, types and what says itself that it needs none.
  'adapters/temporal/workflow': {
    doors: [machinesDoor, /^server\/ports\/index\.ts$/, /^adapters\/temporal\/(contract|failure)\.ts$/],
    packages: [/^@temporalio\/workflow$/],
  },
  // An activity's parts are written as those of a handler.
  'adapters/temporal/activities': {
    doors: [
      machinesDoor,
      /^server\/(reporter|ports)\/index\.ts$/,
      /^adapters\/temporal\/contract\.ts$/,
      /^adapters\/in-process\/(index|handle-promise|report-queue|report-retry|run-parts)\.ts$/,
    ],
    packages: [node, /^@temporalio\/activity$/],
  },
  // The same run of a handler as in a node's own process.
  'adapters/worker': {
    doors: [machinesDoor, /^server\/reporter\/index\.ts$/, /^adapters\/in-process\/(index|run|run-deps|report-retry|slots)\.ts$/],
    packages: [],
  },
  'adapters/in-process': { doors: [machinesDoor, /^server\/ports\/index\.ts$/], packages: [node] },
  'model-tests': { doors: [anyDoor, machinesDoor, /^server\/ports\/index\.ts$/, charts], packages: [anything] },
  // Published as a package of its own: public doors by their names, and packages that `scripts/kit.ts` asks for.
  'model-tests/conformance': {
    doors: [machinesDoor, /^(server|server\/store|client)\/index\.ts$/],
    packages: [node, /^(koa|ws|eventsource-parser)$/],
  },
  // Played in Temporal's sandbox too: nothing here may need Node.
  'model-tests/conformance/script': { doors: [machinesDoor], packages: [] },
  // A part of the server under a clock or a service of the test's own: these folders reach behind the door, and only to that part.
  'model-tests/http': {
    doors: [anyDoor, machinesDoor, /^server\/(ports|http|live|task\/service|errors)/, /^adapters\/memory\//],
    packages: [anything],
  },
  'model-tests/live': {
    doors: [anyDoor, machinesDoor, /^server\/(ports|live|actors|http|task\/(service|about)|errors)/],
    packages: [anything],
  },
  'model-tests/stores': { doors: [anyDoor, /^server\/ports\/index\.ts$/, /^adapters\/lmdb\//], packages: [anything] },
  'model-tests/redis': { doors: [anyDoor, /^server\/ports\/index\.ts$/, /^adapters\/redis\//], packages: [anything] },
  // What the commit path makes of a store is seen behind the door.
  'model-tests/server': {
    doors: [
      anyDoor,
      machinesDoor,
      /^server\/((ports|task|actors|attempt|parts|shares|observability)\/|attachment-sweep\.ts$)/,
      /^adapters\/in-process\/(slots|part-writer|value-writer)\.ts$/,
    ],
    packages: [anything],
  },
  // Limits are tried where they are held.
  'model-tests/hostile': { doors: [anyDoor, /^server\/(ports|http|live|task|attempt|errors|json-scan)/], packages: [anything] },
  // Writes past the charts what a node of another make might.
  'model-tests/levels': { doors: [anyDoor, /^server\/task\/task-record\.ts$/], packages: [anything] },
  // What goes between tabs is held by its type; a pass through old tasks is ended where it stands.
  'model-tests/versions': {
    doors: [anyDoor, /^client\/tabs\/messages\.ts$/, /^server\/(live\/notices|task\/(stored-attachments|about)|lists\/backfill)\.ts$/],
    packages: [anything],
  },
  // Bundled for places that are no Node: by the doors, as an app's own tools find them.
  'model-tests/runtimes': { doors: [anyDoor, /^scripts\/doors\.ts$/], packages: [anything] },
  'model-tests/fuzz': { doors: [anyDoor, /^examples\/report\/host-process\.ts$/], packages: [anything] },
  'model-tests/examples': { doors: [anyDoor, /^examples\//], packages: [anything] },
  'model-tests/web': { doors: [anyDoor, /^examples\//], packages: [anything] },
  // The whole of the server without the sockets around it, and browsers without a page, in a world of their own.
  'model-tests/simulation': {
    doors: [anyDoor, /^machines\/parts\//, /^server\//, /^adapters\/memory\//, /^client\/tabs\/(channels|locks)\.ts$/],
    packages: [anything],
  },
  // What is drawn is held to what runs.
  'model-tests/drawings': {
    doors: [anyDoor, charts, /^scripts\/charts\//, /^server\/(task\/(unit-of-work|settings)|attempt\/execution-record)\.ts$/],
    packages: [anything],
  },
  // Tests of the house read the house.
  'model-tests/house': { doors: [anything], packages: [anything] },
  // A page may draw what is drawn.
  examples: { doors: [anyDoor, /^docs\/charts\/[\w-]+\.flow\.json$/], packages: [anything] },
  // Its Temporal server is that of the tests.
  bench: { doors: [anyDoor, /^model-tests\/temporal\/dev-server\.ts$/], packages: [anything] },
  // The run of the tests shows what they say of the charts; the schemas of the wire are drawn where they stand.
  scripts: {
    doors: [
      anyDoor,
      charts,
      /^machines\/(wire|lists|json-schema)\//,
      /^server\/http\/openapi\/document\.ts$/,
      /^model-tests\/charts\/(coverage-|phase-chart)/,
    ],
    packages: [anything],
  },
};

/** What is wrong with an import, or undefined where its arrow is drawn. */
export function arrowFault({ from, place, to, isOurs }: Import): string | undefined {
  const room = roomOf(from);
  const allowed = arrows[room];
  if (!allowed) return `${place}: ${from} is in no room that has arrows; draw them in model-tests/house/arrows.ts`;
  if (isOurs && isWithin(to, room)) return undefined;
  const isOfTheKit = room.startsWith('model-tests/conformance');
  if (isOurs && room.startsWith('model-tests') && !isOfTheKit && to.startsWith('model-tests/')) return undefined;
  if (isOurs && room === 'model-tests/conformance' && to.startsWith('model-tests/conformance/')) return undefined;
  const permitted = isOurs ? allowed.doors : allowed.packages;
  return permitted.some((pattern) => pattern.test(to)) ? undefined : `${place}: ${room} may not import ${to}`;
}

/** The longest folder with arrows of its own: `client/node/socket.ts` is in `client/node`. */
function roomOf(file: string): string {
  const folders = file.split('/').slice(0, -1);
  for (let length = folders.length; length > 0; length -= 1) {
    const folder = folders.slice(0, length).join('/');
    if (folder in arrows) return folder;
  }
  return file;
}

/** True for a file of the same room, rooms inside it aside. */
function isWithin(file: string, room: string): boolean {
  return roomOf(file) === room;
}
