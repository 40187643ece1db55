/** What a reader tells. */
export interface EventReaderSink {
  /** The data of one event, and whether it has no id. */
  event(data: string, isUnnumbered: boolean): void;
  comment?(): void;
}

/**
 * Reads the events of a stream out of its text, in pieces of any size: as much of them as a client needs, which heeds neither their names nor
 * `retry`. A line that ends in a bare CR is over at once. Source: HTML, "Server-sent events"; a decoder has taken the byte order mark off.
 */
export function createEventReader(sink: EventReaderSink): (text: string) => void {
  let unfinished = '';
  let isAfterReturn = false;
  let data: string[] = [];
  let isUnnumbered = true;

  function take(line: string): void {
    const colon = line.indexOf(':');
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1);
    if (line === '') {
      if (data.length > 0) sink.event(data.join('\n'), isUnnumbered);
      data = [];
      isUnnumbered = true;
    } else if (colon === 0) sink.comment?.();
    else if (field === 'data') data.push(value);
    else if (field === 'id' && !value.includes('\0')) isUnnumbered = false;
  }

  return (text) => {
    if (text === '') return;
    const lines = text.slice(isAfterReturn && text[0] === '\n' ? 1 : 0).split(/\r\n?|\n/);
    isAfterReturn = text.endsWith('\r');
    lines[0] = unfinished + lines[0];
    unfinished = lines.pop() ?? '';
    lines.forEach(take);
  };
}
