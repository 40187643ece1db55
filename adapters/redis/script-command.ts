import { Command } from 'ioredis';

/**
 * A command of texts and buffers. What it sends is what the client's own would: that asks three times how long each text is, and writes each by
 * itself, which with the fifty arguments of a commit costs as much as to decide it.
 */
export class ScriptCommand extends Command {
  /** The bytes of the command, for the client. */
  override toWritable(): string | Buffer {
    const { name } = this;
    // Given to the constructor as texts and buffers.
    const args = this.args as readonly (string | Buffer)[];
    const pieces: (string | Buffer)[] = [];
    let text = `*${args.length + 1}\r\n$${Buffer.byteLength(name)}\r\n${name}\r\n`;
    for (const argument of args) {
      if (typeof argument === 'string') text += `$${Buffer.byteLength(argument)}\r\n${argument}\r\n`;
      else {
        pieces.push(`${text}$${argument.length}\r\n`, argument);
        text = '\r\n';
      }
    }
    if (pieces.length === 0) return text;
    pieces.push(text);
    return joined(pieces);
  }
}

function joined(pieces: readonly (string | Buffer)[]): Buffer {
  let bytes = 0;
  for (const piece of pieces) bytes += typeof piece === 'string' ? Buffer.byteLength(piece) : piece.length;
  const whole = Buffer.allocUnsafe(bytes);
  let at = 0;
  for (const piece of pieces) at += typeof piece === 'string' ? whole.write(piece, at) : piece.copy(whole, at);
  return whole;
}
