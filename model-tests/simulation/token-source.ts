import { TaskBridgeClientError, type AuthAnswer, type AuthRequest } from '../../client/index.ts';
import type { SeededRandom } from '../support/seeded-random.ts';
import type { Entity } from './event-queue.ts';
import type { Faults } from './faults.ts';
import type { TokensPlan } from './plan.ts';
import type { SimulatedClock } from './simulated-clock.ts';
import type { World } from './world.ts';

/** What somebody's credentials are made of. */
export interface TokenSourceDeps {
  readonly name: string;
  readonly world: World;
  readonly faults: Faults;
  readonly plan: TokensPlan | undefined;
  /** The tokens that are good have this number or a later one. */
  tokenNumber(): number;
}

/** One life of a process that asks for credentials. */
export interface TokenClient {
  readonly entity: Entity;
  readonly clock: SimulatedClock;
}

const SLOW_MS = 3_000;
/** So often may somebody ask for new tokens within that time. */
const REFRESHES_MAX = 12;
const REFRESHES_MS = 3_000;

/** What never settles. */
function hang(world: World, name: string): Promise<never> {
  world.tell(name, 'waits for credentials in vain');
  return new Promise(() => undefined);
}

/** The token of somebody on one machine; outlives every process, as a cookie or a keychain does. */
export class TokenSource {
  readonly #deps: TokenSourceDeps;
  readonly #random: SeededRandom;
  /** When the token of now was given, in milliseconds of the world. */
  givenAt = 0;
  #number = 0;
  #endsAt = Number.POSITIVE_INFINITY;
  #refreshedAt: readonly number[] = [];
  #givenAt = Number.NEGATIVE_INFINITY;

  constructor(deps: TokenSourceDeps) {
    this.#deps = deps;
    this.#random = deps.world.random(`wallet of ${deps.name}`);
    if (deps.plan) this.#endsAt = deps.plan.lifeMs;
  }

  /** Whether somebody who was refused may give up: the new token was ended too before it was of any use. */
  excuses(error: unknown): boolean {
    const { world, tokenNumber } = this.#deps;
    if (!(error instanceof TaskBridgeClientError)) return false;
    return error.status === 401 && this.#number < tokenNumber() && world.time - this.#givenAt < SLOW_MS;
  }

  /** Asked by a client before every request. */
  ask({ forceRefresh }: Pick<AuthRequest, 'forceRefresh'>, life: TokenClient): AuthAnswer | Promise<AuthAnswer> {
    const { plan, tokenNumber, faults, name, world } = this.#deps;
    if (forceRefresh) this.#countRefresh();
    const what = faults.strike('provider', name);
    if (what === 'before') throw new Error('The keychain is locked.');
    if (what === 'silence') return hang(world, name);
    if (plan) return this.#askForLimited(forceRefresh, plan, life);
    if (forceRefresh) this.#take(tokenNumber());
    return `ann.${this.#number}`;
  }

  #askForLimited(forceRefresh: boolean, plan: TokensPlan, life: TokenClient): AuthAnswer | Promise<AuthAnswer> {
    const { world, faults, name, tokenNumber } = this.#deps;
    const isGood = this.#number >= tokenNumber() && world.time < this.#endsAt;
    if (!forceRefresh && (isGood || !plan.looksAtClock)) return this.#token(plan, life);
    const what = faults.strike('refresh', name);
    if (what === 'before') throw new Error('Nobody gives new tokens.');
    if (what === 'silence') return hang(world, name);
    const ms = what === 'slow' ? SLOW_MS : this.#random.fraction() * 200;
    return new Promise((resolve) =>
      world.after(ms, life.entity, () => {
        this.#take(tokenNumber());
        this.#endsAt = world.time + plan.lifeMs;
        world.tell(name, `has a new token until ${Math.round(this.#endsAt)}`);
        resolve(this.#token(plan, life));
      }),
    );
  }

  #take(number: number): void {
    this.#number = number;
    this.givenAt = this.#deps.world.time;
  }

  #give(number: number): void {
    this.#number = number;
    this.#givenAt = this.#deps.world.time;
  }

  #token({ clientKnows, endsByWorld }: TokensPlan, { clock }: TokenClient): AuthAnswer {
    const { world } = this.#deps;
    const token = `ann.${this.#number}.${Math.floor(this.#endsAt)}`;
    const now = endsByWorld ? world.now : clock.now();
    return clientKnows ? { token, expiresAt: now + Math.floor(this.#endsAt - world.time) } : token;
  }

  /** Nobody is asked for new tokens again and again, whatever a clock says. */
  #countRefresh(): void {
    const { world, name } = this.#deps;
    this.#refreshedAt = [...this.#refreshedAt.filter((at) => at > world.time - REFRESHES_MS), world.time];
    if (this.#refreshedAt.length > REFRESHES_MAX)
      world.fault('tokens are renewed in their time', `${name} asked for ${REFRESHES_MAX + 1} new ones within ${REFRESHES_MS} ms`);
  }
}

/** Says whose token it is, and how long it is still good, in milliseconds; undefined for one that is good no more. */
export function readToken(
  authorization: string | undefined,
  { tokenNumber, time }: { readonly tokenNumber: number; readonly time: number },
): { readonly subject: string; readonly leftMs: number | undefined } | undefined {
  const [, subject, number, endsAt] = /^Bearer (\w+)\.(\d+)(?:\.(\d+))?$/.exec(authorization ?? '') ?? [];
  const leftMs = endsAt === undefined ? undefined : Number(endsAt) - time;
  if (subject === undefined || Number(number) < tokenNumber || (leftMs !== undefined && leftMs <= 0)) return undefined;
  return { subject, leftMs };
}
