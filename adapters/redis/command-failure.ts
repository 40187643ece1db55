/** An error of the client without the command that it carries: that holds what tasks said, and errors are logged. */
export function commandFailure(what: string, error: unknown): Error {
  const message = error instanceof Error ? error.message : String(error);
  return new Error(`Redis did not take "${what}": ${message}`);
}
