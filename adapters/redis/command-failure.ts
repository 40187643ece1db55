/** Why Redis did not do what it was asked to. */
export interface CommandFailure extends Error {
  /**
   * The code that Redis's own error begins with: `READONLY`, `OOM` (no memory left), `MISCONF` (cannot write to its disk), `NOREPLICAS`, `NOPERM`,
   * …; `ETIMEDOUT` where no answer came in time. Undefined for what the way to it met.
   */
  readonly code: string | undefined;
}

/** An error of the client without the command that it carries: that holds what tasks said, and errors are logged. */
export function commandFailure(what: string, error: unknown): CommandFailure {
  const message = error instanceof Error ? error.message : String(error);
  const text = plainText(message);
  return Object.assign(new Error(`Redis did not take "${what}": ${text}`), { code: codeOf(text) });
}

/** The failure of a command that got no answer. */
export function noAnswer(what: string, ms: number): CommandFailure {
  const text = `Redis did not answer "${what}" within ${ms} milliseconds; whether it ran is unknown.`;
  return Object.assign(new Error(text), { code: 'ETIMEDOUT' });
}

/** What Redis said, beginning with its code, whichever version said it: Redis 6.2 tells of what a script met behind words of its own. */
export function plainText(message: string): string {
  return message
    .replace(/^ERR Error running script \(call to f_[0-9a-f]+\): @user_script:\d+: /, '')
    .replace(/^(?:@user_script|=\[C\]): -?\d+: -?/, '')
    .trim();
}

/** The code of what {@link plainText} gave. What a script of a user may not do has no code of its own in any version. */
export function codeOf(text: string): string | undefined {
  if (/^(?:ERR )?(?:The user executing the script can't|ACL failure in script)/.test(text)) return 'NOPERM';
  return /^[A-Z][A-Z0-9]+(?= )/.exec(text)?.[0];
}

/** True for an error that the server itself answered: the connection is of use. */
export function isAnswer(error: unknown): boolean {
  return error instanceof Error && error.name === 'ReplyError';
}
