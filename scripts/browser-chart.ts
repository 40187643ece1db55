import ts from 'typescript';

/** What a chart's file is called: in the source, and as it is built. */
export const chartFile = /\.machine\.[jt]s$/;

/** The file that stands in for a built chart in bundles for browsers: `task.machine.browser.js` for `task.machine.js`. */
export function browserFile(built: string): string {
  return built.replace(/\.js$/, '.browser.js');
}

/**
 * The code of a chart's file without the descriptions of its literal, which people read and no chart does: each becomes nothing, and all else stays
 * as it is. A page loads the chart so; Stately, `docs/charts` and servers have it whole.
 */
export function withoutDescriptions(code: string): string {
  const file = ts.createSourceFile('chart.ts', code, ts.ScriptTarget.Latest, true);
  const cuts: (readonly [from: number, to: number])[] = [];
  const cut = (node: ts.Node): void => {
    if (ts.isObjectLiteralExpression(node))
      for (const [index, property] of node.properties.entries())
        if (property.name?.getText() === 'description')
          cuts.push([property.getFullStart(), node.properties[index + 1]?.getFullStart() ?? node.properties.end]);
        else cut(property);
    else ts.forEachChild(node, cut);
  };
  const find = (node: ts.Node): void => {
    const isChart =
      ts.isCallExpression(node) && ts.isPropertyAccessExpression(node.expression) && node.expression.name.text === 'createMachine';
    if (isChart) node.arguments.forEach(cut);
    else ts.forEachChild(node, find);
  };
  find(file);
  // What a chart is told lies outside its literal; an event that were called so is none of ours.
  return cuts.reduceRight((text, [from, to]) => text.slice(0, from) + text.slice(to), code);
}
