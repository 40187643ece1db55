import type { Box, Drawing } from './drawing.ts';
import { isFramed, metrics, startOf, textOf, type Layout, type Place, type Route } from './layout.ts';

const style = [
  'text{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;font-size:10px;fill:#24292f;white-space:pre}',
  '.name{font-family:system-ui,"Segoe UI",Helvetica,Arial,sans-serif;font-size:13px;font-weight:600}',
  '.tags,.label{fill:#57606a}',
  '.box{fill:#fff;stroke:#57606a;stroke-width:1}',
  '.outer{fill:#f6f8fa}.outer .outer{fill:#fff}',
  '.region{stroke-dasharray:5 4}',
  '.final,.any{fill:#eaeef2}',
  '.way{fill:none;stroke:#0969da;stroke-width:1.2}',
  '.under{fill:#fff;fill-opacity:.85}',
  '.head,.start{fill:#0969da}',
].join('');

/** A drawing as an SVG that needs nothing beside it, and says by a digest what it was drawn from. */
export function svgOf({ root }: Drawing, layout: Layout, digest: string): string {
  const { width, height, places, routes } = layout;
  const lines = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${escaped(root.id)}" data-drawing="${digest}">`,
    `<style>${style}</style>`,
    '<defs><marker id="head" viewBox="0 0 8 8" refX="7.5" refY="4" markerWidth="8" markerHeight="8" orient="auto"><path class="head" d="M0 0L8 4L0 8Z"/></marker></defs>',
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    ...(isFramed(root) ? [root] : root.states).flatMap((box) => boxLines(box, places)),
    // No box hides a way, and no way hides words.
    ...routes.map(wayLine),
    ...routes.flatMap(labelLines),
    ...startLines(root, places),
    '</svg>',
  ];
  return `${lines.join('\n')}\n`;
}

function boxLines(box: Box, places: ReadonlyMap<string, Place>): string[] {
  const place = places.get(box.id);
  if (!place) return [];
  const { x, y, width, height } = place;
  const kind = [box.kind, ...(box.states.length > 0 ? ['outer'] : [])].join(' ');
  const rect = `<rect class="box ${kind}" x="${x}" y="${y}" width="${width}" height="${height}" rx="${box.kind === 'any' ? 10 : 6}"/>`;
  if (box.kind === 'any') return [rect, text('label', x + 11, y + 14, box.name)];
  const inner =
    box.kind === 'final' ? [`<rect class="box final" x="${x + 3}" y="${y + 3}" width="${width - 6}" height="${height - 6}" rx="4"/>`] : [];
  const words = textOf(box).map((line, index) =>
    text(line.startsWith('‹') ? 'tags' : 'line', x + metrics.inset, y + metrics.titleHeight + 9 + index * metrics.lineHeight, line),
  );
  const title = `<text class="name" x="${x + metrics.inset}" y="${y + 18}">${escaped(box.name)}</text>`;
  return [`<g>${rect}`, ...inner, title, ...words, ...box.states.flatMap((state) => boxLines(state, places)), '</g>'];
}

function wayLine({ points }: Route): string {
  const [first, ...rest] = points.map(({ x, y }) => `${x} ${y}`);
  return `<path class="way" d="M${first ?? ''}${rest.map((point) => `L${point}`).join('')}" marker-end="url(#head)"/>`;
}

function labelLines({ label }: Route): string[] {
  if (!label) return [];
  const { x, y, width, height, lines } = label;
  const words = lines.map((line, index) => text('label', x + 4, y + 11 + index * metrics.lineHeight, line));
  return [`<rect class="under" x="${x}" y="${y}" width="${width}" height="${height}"/>`, ...words];
}

function startLines(box: Box, places: ReadonlyMap<string, Place>): string[] {
  const place = places.get(startOf(box.id));
  const own = place ? [`<circle class="start" cx="${place.x + 4.5}" cy="${place.y + 4.5}" r="4.5"/>`] : [];
  return [...own, ...box.states.flatMap((state) => startLines(state, places))];
}

/** Text of a known width, so that none is clipped where a font is wider. */
function text(kind: string, x: number, y: number, words: string): string {
  const indent = words.length - words.trimStart().length;
  const shown = words.slice(indent);
  const width = Math.round(shown.length * metrics.line * 10) / 10;
  return `<text class="${kind}" x="${Math.round((x + indent * metrics.line) * 10) / 10}" y="${y}" textLength="${width}" lengthAdjust="spacingAndGlyphs">${escaped(shown)}</text>`;
}

function escaped(words: string): string {
  return words.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
