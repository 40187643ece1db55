import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { isInside, overlap, readPicture, runTogether, stripOf } from './svg-reader.ts';

const folder = fileURLToPath(new URL('../../docs/charts/', import.meta.url));
const pictures = readdirSync(folder).filter((name) => name.endsWith('.svg'));

describe.each(pictures)('the picture %s', (name) => {
  const picture = readPicture(readFileSync(`${folder}${name}`, 'utf8'));

  test('clips no words: each stands in its box, and each label in the picture', () => {
    const clipped = picture.words.filter((word) => {
      const around = picture.boxes.filter((box) => isInside({ ...word, width: 1 }, box));
      return around.length === 0 || !around.every((box) => isInside(word, box));
    });
    expect(clipped.map(({ text }) => text)).toEqual([]);
    expect(picture.labels.filter((label) => !isInside(label, picture))).toEqual([]);
    expect(picture.words.length).toBeGreaterThan(0);
  });

  test('covers no words: labels stand apart from each other and from what is in a box', () => {
    const covered = picture.labels.filter((label, index) =>
      [...picture.labels.slice(index + 1), ...picture.leaves, ...picture.words].some((other) => overlap(label, other)),
    );
    expect(covered).toEqual([]);
  });

  test('hides no arrow: none runs along another, through a state, or through words', () => {
    const pieces = picture.ways.flatMap((way, index) => way.map((piece) => ({ ...piece, index })));
    const hidden = pieces.filter(
      (piece) =>
        pieces.some((other) => other.index > piece.index && runTogether(piece, other)) ||
        [...picture.leaves, ...picture.words].some((one) =>
          overlap(stripOf(piece), { x: one.x + 2, y: one.y + 2, width: one.width - 4, height: one.height - 4 }),
        ),
    );
    expect(hidden).toEqual([]);
  });
});
