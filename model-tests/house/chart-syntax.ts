import ts from 'typescript';
import { placeOf } from './project-files.ts';

/** What a chart file may hold. Recorded charts are stricter: no IO, no timers, a context that is written out. */
export type ChartKind = 'recorded' | 'acting';

const referring = { actions: 'actions', entry: 'actions', exit: 'actions', guard: 'guards', src: 'actors' } as const;
type Kind = 'actions' | 'guards' | 'actors' | 'delays';

/** Each way in which a chart file is not one drawable literal, as `file:line: what`. */
export function chartFaults(source: ts.SourceFile, kind: ChartKind): string[] {
  return new ChartReader(source, kind).read();
}

class ChartReader {
  readonly #source: ts.SourceFile;
  readonly #kind: ChartKind;
  readonly #faults: string[] = [];
  readonly #used: Record<Kind, Map<string, ts.Node>> = { actions: new Map(), guards: new Map(), actors: new Map(), delays: new Map() };

  constructor(source: ts.SourceFile, kind: ChartKind) {
    this.#source = source;
    this.#kind = kind;
  }

  read(): string[] {
    const charts = this.#source.statements.flatMap((statement) => chartsOf(statement));
    const calls = count(this.#source, (node) => ts.isCallExpression(node) && /^(setup|createMachine)$/.test(node.expression.getText()));
    if (charts.length !== 1 || calls !== 1)
      return [`${this.#source.fileName}:1: wants exactly one exported \`setup({…}).createMachine({…})\`, has ${charts.length}`];
    for (const { setup, literal } of charts) {
      this.#data(literal, []);
      this.#names(setup);
    }
    return this.#faults;
  }

  #fault(node: ts.Node, what: string): void {
    this.#faults.push(`${placeOf(node)}: ${what}`);
  }

  /** Data only, from here down. `path` is the keys that lead here. */
  #data(node: ts.Expression, path: readonly string[]): void {
    if (ts.isObjectLiteralExpression(node)) for (const property of node.properties) this.#property(property, path);
    else if (ts.isArrayLiteralExpression(node)) for (const element of node.elements) this.#data(element, path);
    else if (!isScalar(node)) this.#fault(node, `${ts.SyntaxKind[node.kind]} in the literal: it must be data only`);
  }

  #property(property: ts.ObjectLiteralElementLike, path: readonly string[]): void {
    if (!ts.isPropertyAssignment(property) || ts.isComputedPropertyName(property.name))
      return this.#fault(property, `${ts.SyntaxKind[property.kind]} in the literal: it must be a plain key with a value`);
    const key = keyOf(property.name);
    const isState = path.at(-1) === 'states' || path.at(-1) === 'on';
    if (!isState && this.#kind === 'recorded' && (key === 'invoke' || key === 'after'))
      this.#fault(property, `a recorded chart has no \`${key}\``);
    if (!isState && isNamed(property.initializer, key, this.#kind)) return this.#declared(property.initializer);
    if (!isState && key in referring) this.#refer(property.initializer, referring[key as keyof typeof referring]);
    if (path.at(-1) === 'after') this.#used.delays.set(key, property);
    if (key !== 'context' && key !== 'params') this.#data(property.initializer, [...path, key]);
    else this.#data(property.initializer, ['states']);
  }

  /** Collects the names that `actions: 'a'`, `['a', { type: 'b' }]` and the like mean. */
  #refer(value: ts.Expression, kind: Kind): void {
    if (ts.isStringLiteral(value)) this.#used[kind].set(value.text, value);
    else if (ts.isArrayLiteralExpression(value)) for (const element of value.elements) this.#refer(element, kind);
    else if (ts.isObjectLiteralExpression(value)) {
      const type = value.properties.find((property) => property.name && keyOf(property.name) === 'type');
      if (type && ts.isPropertyAssignment(type)) this.#refer(type.initializer, kind);
    }
  }

  /** `context: initialContext` is allowed where that is a function of the same file, which a tool can leave out. */
  #declared(name: ts.Node): void {
    const found = this.#source.statements.some(
      (statement) =>
        (ts.isFunctionDeclaration(statement) && statement.name?.text === name.getText()) ||
        (ts.isVariableStatement(statement) &&
          statement.declarationList.declarations.some(
            (declaration) =>
              declaration.name.getText() === name.getText() && declaration.initializer && ts.isFunctionLike(declaration.initializer),
          )),
    );
    if (!found) this.#fault(name, `\`${name.getText()}\` is no function of this file`);
  }

  /** What the literal names, `setup` has; what `setup` has, the literal names. */
  #names(setup: ts.ObjectLiteralExpression): void {
    const isReferredInSetup = (name: string) =>
      count(setup, (node) => ts.isStringLiteral(node) && node.text === name && !ts.isPropertyAssignment(node.parent)) > 0;
    for (const kind of ['actions', 'guards', 'actors', 'delays'] as const) {
      const given = namesIn(setup, kind);
      for (const [name, node] of this.#used[kind]) if (!given.has(name)) this.#fault(node, `\`${name}\` is not among \`setup\`'s ${kind}`);
      for (const [name, node] of given)
        if (!this.#used[kind].has(name) && !isReferredInSetup(name)) this.#fault(node, `nothing in the chart names \`${name}\` of ${kind}`);
    }
  }
}

function chartsOf(statement: ts.Statement): { setup: ts.ObjectLiteralExpression; literal: ts.ObjectLiteralExpression }[] {
  if (!ts.isVariableStatement(statement) || !statement.modifiers?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword)) return [];
  return statement.declarationList.declarations.flatMap(({ initializer: create }) => {
    if (!create || !ts.isCallExpression(create) || !ts.isPropertyAccessExpression(create.expression)) return [];
    const { expression: begin, name } = create.expression;
    if (name.text !== 'createMachine' || !ts.isCallExpression(begin) || begin.expression.getText() !== 'setup') return [];
    const [setup] = begin.arguments;
    const [literal] = create.arguments;
    return setup && literal && ts.isObjectLiteralExpression(setup) && ts.isObjectLiteralExpression(literal) ? [{ setup, literal }] : [];
  });
}

function namesIn(setup: ts.ObjectLiteralExpression, kind: Kind): Map<string, ts.Node> {
  const part = setup.properties.find((property) => property.name && keyOf(property.name) === kind);
  if (!part || !ts.isPropertyAssignment(part) || !ts.isObjectLiteralExpression(part.initializer)) return new Map();
  return new Map(part.initializer.properties.flatMap((property) => (property.name ? [[keyOf(property.name), property] as const] : [])));
}

function isNamed(value: ts.Expression, key: string, kind: ChartKind): value is ts.Identifier {
  // What a chart ends with decides nothing: a recorded one may name a function for it too.
  const named = kind === 'acting' ? ['context', 'input', 'output'] : ['output'];
  return named.includes(key) && ts.isIdentifier(value) && value.text !== 'undefined';
}

function isScalar(node: ts.Expression): boolean {
  if (ts.isStringLiteral(node) || ts.isNumericLiteral(node)) return true;
  if (ts.isPrefixUnaryExpression(node)) return node.operator === ts.SyntaxKind.MinusToken && ts.isNumericLiteral(node.operand);
  return [ts.SyntaxKind.TrueKeyword, ts.SyntaxKind.FalseKeyword, ts.SyntaxKind.NullKeyword].includes(node.kind);
}

function keyOf(name: ts.PropertyName): string {
  return ts.isStringLiteral(name) || ts.isIdentifier(name) ? name.text : name.getText();
}

function count(within: ts.Node, matches: (node: ts.Node) => boolean): number {
  let found = 0;
  const visit = (node: ts.Node): void => {
    if (matches(node)) found += 1;
    node.forEachChild(visit);
  };
  visit(within);
  return found;
}
