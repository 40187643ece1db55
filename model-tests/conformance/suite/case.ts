/** The failure classes that long-running streams meet in the field; a case that is after one of them is named after it. */
export const failureClasses = {
  'end-or-cut': 'an end is not told from a cut',
  'cursor-not-resumable': 'a cursor cannot be resumed, and nobody says so',
  seam: 'something is lost or doubled where history meets what is live',
  'duplicates-on-replay': 'a replay brings what was there before',
  'second-drop': 'the cursor is wrong after the second drop',
  'ids-reused': 'an id means two things',
  'answer-or-question-lost': 'a question or its answer is lost',
  storms: 'refreshes or reconnects come as a storm',
} as const;

/** The name of a failure class. */
export type FailureClass = keyof typeof failureClasses;

/** One thing that has to hold. It throws where it does not. */
export interface Case<World> {
  /** Stable: lists of known failures name it. */
  readonly id: string;
  /** A fact in the present tense. */
  readonly title: string;
  /** Where the rule comes from: a section of docs/protocol.md, or a port. */
  readonly rule: string;
  /** True where the protocol asks for more than the original TaskBridge gives; its servers may fail here. */
  readonly better?: true;
  /** The failure class that this is about. */
  readonly failureClass?: FailureClass;
  /** Says in a sentence what the world would have to have for this case to apply; undefined where it has it. It may ask the world. */
  readonly missing?: (world: World) => string | undefined | Promise<string | undefined>;
  /** How long it may take on an idle machine, in milliseconds; a slow one has more. Defaults to 20 000. */
  readonly limitMs?: number;
  /** True for a case that loads its world so much that no other may run meanwhile. */
  readonly alone?: true;
  run(world: World): Promise<void>;
}

/** A list of cases that anybody can run: with {@link runSuite}, or with a test runner by {@link defineTests}. */
export interface Suite<World> {
  readonly name: string;
  readonly cases: readonly Case<World>[];
}

/** Cases that share a subject: their titles and what they do, made anew for each run. `after` takes what has to be done when it is over. */
export type CaseGroup<Subject> = (
  subject: () => Subject,
  after: (tidy: () => Promise<unknown>) => void,
) => Readonly<Record<string, () => Promise<void>>>;

/** What the cases of a group share. */
export interface GroupOptions<World, Subject> extends Pick<Case<World>, 'rule' | 'missing'> {
  readonly name: string;
  readonly subjectOf: (world: World) => Subject;
}

/** Makes cases out of a group; the id of each is the group's name and its title. */
export function casesOf<World, Subject>(
  group: CaseGroup<Subject>,
  { name, rule, missing, subjectOf }: GroupOptions<World, Subject>,
): Case<World>[] {
  const unasked = (): never => {
    throw new Error(`The group ${name} wants its subject before a case runs.`);
  };
  return Object.keys(group(unasked, unasked)).map((title) => ({
    id: `${name}.${slugOf(title)}`,
    title,
    rule,
    ...(missing && { missing }),
    async run(world) {
      const tidying: (() => Promise<unknown>)[] = [];
      try {
        await group(
          () => subjectOf(world),
          (tidy) => tidying.push(tidy),
        )[title]?.();
      } finally {
        for (const tidy of tidying.reverse()) await tidy();
      }
    },
  }));
}

function slugOf(title: string): string {
  return title
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '');
}
