import type { ConnectionEnding, RefusedAnswer, TransportFailure } from './events.ts';
import type { TransportName } from '../wire/transports.ts';

/** True for a close for good. Source: protocol, "WebSocket". */
export const isPolicyClose = (closeCode: number): boolean => closeCode === 1008 || (closeCode >= 4400 && closeCode <= 4499);

/** True for answers that say only that a server has no such route. */
export function isRouteMissing({ status, code }: RefusedAnswer): boolean {
  return status === 405 || status === 501 || (status === 404 && code !== 'TASK_NOT_FOUND');
}

/** True for an answer that is nobody's word but a proxy's, a portal's, another server's. */
export const isStrange = (ending: ConnectionEnding): boolean => ending.kind === 'refused' && ending.code === undefined;

/** True where somebody else answered for a stream: before the server was ever heard, or with a page or another address. */
export function isBarring(transport: TransportName, ending: ConnectionEnding): boolean {
  if (transport === 'poll' || ending.kind !== 'refused' || !isStrange(ending)) return ending.kind === 'mute';
  return ending.status !== 401 && !isPassingRefusal(ending) && (ending.isUnknown === true || ending.status < 400);
}

/** True where the server itself refused a stream in a way that its route may be missing. */
export function isStreamRouteMissing(transport: TransportName, ending: ConnectionEnding): boolean {
  if (transport === 'poll' || ending.kind !== 'refused' || isStrange(ending)) return false;
  return ending.status === 400 || ending.status === 426 || isRouteMissing(ending);
}

/** True for what a server may refuse for the place that it was asked to go on from. */
export const mayBeMisplaced = (ending: ConnectionEnding): boolean => ending.kind === 'refused' && ![401, 403, 404].includes(ending.status);

/** True for the statuses of a server that is overloaded or down. */
export const isPassingRefusal = ({ status }: RefusedAnswer): boolean => status === 408 || status === 425 || status === 429 || status >= 500;

/** What a failure by something that was thrown is called, by the kind of ending; what was thrown says more. */
const codes = { lost: 'NETWORK_ERROR', unauthorized: 'CREDENTIALS_UNAVAILABLE', unsendable: 'INVALID_ARGUMENT' } as const;

/** True for what the server refuses whichever way it is asked. */
export const isServersWord = (transport: TransportName, ending: ConnectionEnding): boolean =>
  ending.kind === 'refused' &&
  !isStrange(ending) &&
  !isPassingRefusal(ending) &&
  !isRouteMissing(ending) &&
  !isStreamRouteMissing(transport, ending);

/** Why what ended a connection ends its observation, too. */
export function failureFrom(ending: ConnectionEnding): TransportFailure {
  if ('error' in ending) return { code: codes[ending.kind], message: 'Something of the host’s own failed.', cause: ending.error };
  if (ending.kind === 'closed') {
    const { closeCode } = ending;
    return { code: 'CONNECTION_REFUSED', message: `The server closed the connection for good (${closeCode}).`, closeCode };
  }
  const { status = 0, code, message }: Partial<RefusedAnswer> = ending.kind === 'refused' ? ending : {};
  return { code: code ?? 'REQUEST_REFUSED', message: message ?? `The server answered ${status}.`, status };
}
