import { EventEmitter } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type Koa from 'koa';
import { DEFAULT_PREFIX, pathBelow, readRoutePaths, type RoutePaths } from '../../machines/routes/index.ts';
import { TaskBridgeError } from '../errors.ts';
import type { Clock } from '../ports/clock.ts';
import { refuseUpgrade } from './error-response.ts';
import type { HttpRouter } from './router.ts';
import type { UpgradeHandler } from './web-socket/index.ts';

/** Where a bridge is mounted. */
export interface MountOptions {
  /** What its paths begin with; segments may be names, `/projects/:projectId`. Defaults to `/api/v1`; `''` or `/` for the root. */
  readonly prefix?: string;
  /** What an outer mount takes off the path before it comes here, as koa-mount does: WebSockets come with the whole path. Defaults to none. */
  readonly mountPath?: string;
}

/** What mounts work with. */
export interface MountsDeps {
  readonly router: HttpRouter;
  readonly routes: Partial<RoutePaths> | undefined;
  readonly clock: Clock;
  /** Makes what takes the WebSockets of a path. */
  upgradeHandler(path: string): UpgradeHandler;
}

const nobodyUpgrades = new TaskBridgeError('NOT_FOUND', 'Nothing here takes upgrades; send the request without one.');

/** Every place where a bridge is mounted, and the WebSockets that come in there. */
export class Mounts {
  readonly #deps: MountsDeps;
  readonly #upgradeHandlers = new Map<string, UpgradeHandler>();

  constructor(deps: MountsDeps) {
    this.#deps = deps;
  }

  /** Mounts the bridge once more. Throws a `RangeError` for a prefix that is no path, and for routes that would be in each other's way. */
  mount({ prefix = DEFAULT_PREFIX, mountPath = '' }: MountOptions = {}): Koa.Middleware {
    const { router, routes, upgradeHandler } = this.#deps;
    const middleware = router.middleware({ prefix, mountPath });
    const path = pathBelow(mountPath, pathBelow(prefix, readRoutePaths(routes).webSocket));
    // Two apps may mount the same prefix: their sockets come in at one place.
    if (!this.#upgradeHandlers.has(path)) this.#upgradeHandlers.set(path, upgradeHandler(path));
    return middleware;
  }

  /** Takes an upgrade of any mount. What is nobody's is answered 404 where no other listener of its server could want it. */
  upgrade(emitter: unknown, request: IncomingMessage, socket: Duplex, head: Buffer): void {
    for (const handler of this.#upgradeHandlers.values()) if (handler.upgrade(request, socket, head)) return;
    if (emitter instanceof EventEmitter && emitter.listenerCount('upgrade') === 1) refuseUpgrade(socket, nobodyUpgrades, this.#deps.clock);
  }

  close(): void {
    for (const handler of this.#upgradeHandlers.values()) handler.close();
  }
}
