import { batchDefaults, type BatchSizes } from '../../live/batch-sizes.ts';
import { checkedSettings, flag, wholeNumber, type SettingRule } from '../settings-check.ts';
import { closeCodes } from './close-codes.ts';

/** What a host may set of WebSockets. Every one has a default in `streamDefaults.webSocket`. */
export interface WebSocketStreamSettings extends BatchSizes {
  /**
   * Whether an idle WebSocket is sent a heartbeat frame every `live.heartbeatMs`. Without it clients leave a socket that is quiet for 60 s and
   * come back. Pings and the search for lost messages go on. Defaults to true.
   */
  readonly heartbeatFrame: boolean;
  /**
   * Closes a socket whose client sent what is no frame of the protocol: 1008, or one from 4400 to 4499. Clients take these for final, so
   * that they do not send the same again. A binary frame is closed with 1003 and an unknown task with 1008 whatever stands here. Defaults to 1008.
   */
  readonly invalidFrameCloseCode: number;
  /**
   * Closes a socket after the last fact: 1000, or one from 3000 to 4999 but 4400 to 4499, which clients take for a refusal. The end of one
   * task of several on a socket says the same code. Defaults to 1000.
   */
  readonly terminalCloseCode: number;
}

/** What holds where the host says nothing. */
export const webSocketStreamDefaults: WebSocketStreamSettings = {
  ...batchDefaults,
  heartbeatFrame: true,
  invalidFrameCloseCode: closeCodes.refused,
  terminalCloseCode: closeCodes.ended,
};

/** Codes that the protocol's clients take for final. */
const isPolicyClose = (code: number): boolean => code === closeCodes.refused || (code >= 4400 && code <= 4499);
/** Codes that RFC 6455, section 7.4.2, leaves to libraries and applications. */
const isPrivate = (code: number): boolean => code >= 3000 && code <= 4999;

const rules: Readonly<Record<keyof WebSocketStreamSettings, SettingRule>> = {
  replayFactsMax: wholeNumber(1, Number.MAX_SAFE_INTEGER),
  liveFactsMax: wholeNumber(1, Number.MAX_SAFE_INTEGER),
  heartbeatFrame: flag,
  invalidFrameCloseCode: closeCode(isPolicyClose, '1008, or from 4400 to 4499: after any other clients would send the same frame again'),
  terminalCloseCode: closeCode(
    (code) => code === closeCodes.ended || (isPrivate(code) && !isPolicyClose(code)),
    '1000, or from 3000 to 4999 but 4400 to 4499: clients take those, 1008 and the codes of faults for no proper end',
  ),
};

function closeCode(isSound: (code: number) => boolean, what: string): SettingRule {
  return (value) => (typeof value === 'number' && Number.isInteger(value) && isSound(value) ? undefined : `must be ${what}`);
}

/** Fills in the defaults. Throws a `RangeError` that says which setting is wrong, and why. */
export function webSocketStreamSettings(given?: Partial<WebSocketStreamSettings>): WebSocketStreamSettings {
  return checkedSettings('streams.webSocket', given, webSocketStreamDefaults, rules);
}
