import { createLine, type Follower, type Line, type LineBeginning, type LineHost } from './line.ts';

/** The lines of one client. Observations of one task share a line as soon as they stand at the same fact. */
export interface Lines {
  /** Puts a follower on a line that passes by where it stands, else on one of its own. */
  board(follower: Follower, beginning: LineBeginning): void;
}

/** Two lines of one task that meet at a fact become one; the one that is connected stays. */
export function createLines(host: LineHost): Lines {
  const lines = new Map<string, Set<Line>>();

  function meet(taskId: string, line: Line): void {
    for (const other of lines.get(taskId) ?? []) {
      if (other === line || other.cursor !== line.cursor || other.context !== line.context) continue;
      if (other.isLive) line.moveTo(other);
      else other.moveTo(line);
      return;
    }
  }

  return {
    board(follower, beginning) {
      const { taskId, context } = beginning;
      const known = lines.get(taskId) ?? new Set<Line>();
      for (const line of known) if (line.context === context && line.board(follower)) return;
      const line = createLine(beginning, host, {
        moved: (moving) => meet(taskId, moving),
        over(ended) {
          known.delete(ended);
          if (known.size === 0 && lines.get(taskId) === known) lines.delete(taskId);
        },
      });
      lines.set(taskId, known.add(line));
      line.board(follower);
      line.start();
    },
  };
}
