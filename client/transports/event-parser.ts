/** Told what a stream of server-sent events says. */
export interface EventParserListener {
  /** An event with data; `id` is undefined where it has none of its own. */
  event(data: string, id: string | undefined): void;
  comment(): void;
}

/**
 * Parses server-sent events, piece by piece. Lines may end with CR, LF or both, and each event is told with its last byte: what ends with CR is not
 * held back until something follows. Source: HTML, "Server-sent events".
 */
export function createEventParser(listener: EventParserListener): (text: string) => void {
  let rest = '';
  let wasCr = false;
  let data: string[] = [];
  let id: string | undefined;

  function take(line: string): void {
    if (line === '') {
      if (data.length > 0) listener.event(data.join('\n'), id);
      data = [];
      id = undefined;
      return;
    }
    const [name = ''] = line.split(':', 1);
    const value = line.slice(name.length + 1).replace(/^ /, '');
    if (name === 'data') data.push(value);
    else if (name === 'id' && !value.includes('\0')) id = value;
    else if (line.startsWith(':')) listener.comment();
  }

  return (text) => {
    if (text === '') return;
    const lines = (wasCr && text.startsWith('\n') ? text.slice(1) : text).split(/\r\n?|\n/);
    wasCr = text.endsWith('\r');
    lines[0] = rest + String(lines[0]);
    rest = String(lines.pop());
    for (const line of lines) take(line);
  };
}
