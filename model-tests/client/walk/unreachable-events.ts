/** Why an event is not heard in a value of the whole chart, whatever the world does. */
export interface UnreachableEvent {
  readonly events: RegExp;
  /** The values, as JSON. */
  readonly values: RegExp;
  readonly why: string;
}

const still = 'offline|waiting|settling|appealing|refreshing';

/** What the chart would take, and no client is ever told. */
export const unreachableEvents: readonly UnreachableEvent[] = [
  {
    events: /^(log\.(gap|ended)|consumer\.full)$/,
    values: new RegExp(`"delivering":"(${still})"`),
    why: 'no connection is open that could bring it',
  },
  { events: /^(log\.gap|consumer\.full)$/, values: /"delivering":"full"/, why: 'the connection that filled it was closed' },
  {
    events: /^(log\.ended|consumer\.full)$/,
    values: /"longPoll":\{"live":"pausing"\}/,
    why: 'no poll is under way, and a connection that climbs is the delivering one before it brings a fact',
  },
  {
    events: /^log\.gap$/,
    values: /"longPoll":\{"live":"pausing"\}\},"climbing":"(idle|resting)"/,
    why: 'no poll is under way, and nothing climbs',
  },
  {
    events: /^(log\.(gap|ended)|consumer\.full|sse\.malformed)$/,
    values: /"eventStream":"connecting"/,
    why: 'the bytes that bring it have confirmed the stream',
  },
  { events: /^log\.ended$/, values: /"webSocket":"connecting"/, why: 'the terminal fact has confirmed the socket' },
  { events: /^(ws\.refused|ws\.unopened)$/, values: /"webSocket":"live"/, why: 'the socket was opened' },
  { events: /^sse\.refused$/, values: /"eventStream":"live"/, why: 'the stream was answered' },
  { events: /^poll\.(facts|malformed|lost|refused)$/, values: /"longPoll":\{"live":"pausing"\}/, why: 'no poll is under way' },
  {
    events: /^credentials\.renewed$/,
    values: new RegExp(`"delivering":("(${still}|full)"|\\{"longPoll":.*\\}),"climbing":"(idle|resting)"`),
    why: 'no stream is open whose credentials could end',
  },
  {
    events: /^credentials\.failed$/,
    values: new RegExp(
      `"delivering":("(${still}|full)"|\\{"(webSocket|eventStream)":"live"\\}|\\{"longPoll":\\{"live":"pausing"\\}\\}),"climbing":"(idle|resting|proving)"`,
    ),
    why: 'nothing is being opened that would ask for credentials',
  },
];
