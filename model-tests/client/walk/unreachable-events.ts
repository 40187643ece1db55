/** Why an event is not heard in a value of all charts, whatever the world does. */
export interface UnreachableEvent {
  /** `chart event`. */
  readonly events: RegExp;
  /** The values, as JSON: the gate, the transport, then the other charts by name. */
  readonly values: RegExp;
  readonly why: string;
}

/** What a chart would take, and no client is ever told. */
export const unreachableEvents: readonly UnreachableEvent[] = [
  {
    events: /^(transport (log\.|consumer\.full)|(ws|sse|poll) (credentials\.|wire\.(?!asked|ended)))/,
    values: /"unsent"/,
    why: 'who answers one connection has let all ask: the walk gives credentials to everybody who waits for them',
  },
  ...['ws', 'sse', 'poll'].map((name) => ({
    events: new RegExp(`^${name} (wire\\.|credentials\\.)`),
    values: new RegExp(`"${name}":"gated"`),
    why: 'it waits for the gate, and has opened nothing',
  })),
  { events: /^poll wire\./, values: /"poll":\{"poll":"pausing"\}/, why: 'no poll is under way' },
  {
    events: /^sse wire\.(alive|facts|level|malformed)$/,
    values: /"sse":\{"stream":\{"opening"/,
    why: 'the bytes that bring it have confirmed the stream',
  },
  { events: /^ws wire\.facts$/, values: /"transport":"probing".*"ws"/, why: 'the fact has made it level, so that it delivers' },
  { events: /^sse wire\.facts$/, values: /"transport":"probing","poll".*"sse"/, why: 'the fact has made it level, so that it delivers' },
  { events: /^(ws|sse) wire\.level$/, values: /"transport":"proving"/, why: 'it climbed by being level' },
  {
    events: /^sse wire\.level$/,
    values:
      /"transport":"(probing","sse":\{"stream":"live"\},"ws":(?!\{"stream":\{"opening":"doubted)|steady","poll":\{"poll":"connecting"\},"sse")/,
    why: 'the one that delivers is level since it was confirmed',
  },
  {
    events: /^transport (log\.(gap|ended)|consumer\.full)$/,
    values: /"transport":"(waiting|recovering)"|"transport":"connecting","\w+":"gated"\}$/,
    why: 'no connection is open that could bring it',
  },
  { events: /^transport (log\.gap|consumer\.full)$/, values: /"transport":"full"/, why: 'the connection that filled it was closed' },
  {
    events: /^transport (log\.(gap|ended)|consumer\.full)$/,
    values:
      /"transport":"(connecting",("poll":"gated",)?"sse":\{"stream":\{"opening":"\w+"\}\}\}$|steady","poll":\{"poll":"pausing"|probing","poll":\{"poll":"pausing"\},"sse":\{"stream":\{"opening")/,
    why: 'no poll is under way, and the bytes that bring it have confirmed a stream',
  },
  {
    events: /^transport (log\.ended|consumer\.full)$/,
    values: /"transport":"probing","poll":\{"poll":"pausing"\}/,
    why: 'no poll is under way, and a connection that climbs is the delivering one before it brings a fact',
  },
  {
    events: /^transport log\.ended$/,
    values: /"transport":"connecting",("poll":"gated",|"sse":("gated"|\{"stream":\{"opening":"\w+"\}\}),)?"ws":\{"stream":\{"opening"/,
    why: 'the terminal fact has confirmed the socket',
  },
  {
    events: /^transport log\.gap$/,
    values: /"transport":"connecting","poll":\{"poll":"connecting"\},"sse":\{"stream":\{"opening":"asked"/,
    why: 'the bytes that bring it have confirmed the stream, and a poll beside one says none in this walk',
  },
  {
    events: /^(ws|sse|poll) gate\.opened$/,
    values: /"gate":"closed","transport":"connecting"/,
    why: 'an open gate is another network: what waits is opened anew before it hears of it',
  },
  {
    events: /^ws credentials\.renewed$/,
    values: /"gate":"closed","transport":"connecting","sse":"gated"/,
    why: 'the gate was closed before: nobody renews behind it',
  },
  {
    events: /^ws wire\.ended$/,
    values: /"sse":\{"stream":\{"opening":"unsent"\}\},"ws":(?!\{"stream":\{"opening":"unsent)/,
    why: 'who ends one connection has let all ask',
  },
  {
    events: /^sse wire\.ended$/,
    values: /"sse":\{"stream":"live"\},"ws":\{"stream":\{"opening":"unsent"/,
    why: 'who ends one connection has let all ask',
  },
];
