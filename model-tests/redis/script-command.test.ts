import * as fc from 'fast-check';
import { Command } from 'ioredis';
import { expect, test } from 'vitest';
import { ScriptCommand } from '../../adapters/redis/script-command.ts';

const argument = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: 'grapheme' }),
  fc.uint8Array().map((bytes) => Buffer.from(bytes)),
);

test('sends what the client would', () => {
  const property = fc.property(fc.constantFrom('evalsha', 'eval'), fc.array(argument, { maxLength: 12 }), (name, args) => {
    const [own, clients] = [new ScriptCommand(name, args), new Command(name, args)].map((command) => command.toWritable({}));
    expect(own).toEqual(clients);
  });
  fc.assert(property, { seed: 20_260_101, numRuns: 500 });
});
