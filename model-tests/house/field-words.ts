/**
 * Words of the trade and of plain English that names of files are made of, in order. A word that somebody would have to be told the meaning
 * of does not belong here: it gets a line in GLOSSARY.md, or the file gets another name.
 */
export const fieldWords: readonly string[] = `
abort about access acting activities activity adapter address after agent aggregate agreement alphabet and announcer answer answered answering
any app append appender arrows asking asyncapi at attachment attack attacker audience auth authenticate authorizer back backfill backup bar bare
batch bearer behaved bench bin black blocks bodies body boundaries boundary bounded browser browsing budgets build built bullmq bun bundle burst
button byte call cancel careless case cell certificate chance changes chaos chart chat check checker checkout child children chromium claim
cleanup cli clock close closing cluster codes cohort commit committed compilers components composer composite confirm conformance consumers
containers content copy core count coverage crash create creating creation d damage data date db deadline debug decide decimal decision decisions
definitions delivering demo deno deploys description dev diagnostics dialects diff direct disconnect disk document documented documents doors
download drawing drawn drive driven driver drop durability early effects emissions emptied ended ending entry equivalent eventually example
executor expected expiry express extensions extractor failover failure fake fallback fan fastify fault faulty feed fetch field file fills filters
finding first fold folder folding form free from full further fuzz gaps garbage gate gauges generator givens greedy greeter guarded guide half
handle handshake hash head headers health heap heard held histories history hole hono hooks hostile house http http2 identity idle image
impairment imports in index indexed injection input inspection instrumentation io issuer job joining journey json jwt key kills kind kit known
koa kubernetes ladder lag last layout lazy leader length lenient level limit line list listen literal lmdb load locks logger long loop
loopback lost machine mailbox main many mark markdown measure measured measurements memory menu mermaid methods middleware migration min
misbehaving model modules moment mount mounts multipart multiplex multiplexing mutants name namespace native nest network new newer node notes
notices notifier notifying numbers observability observed observer off open openapi opentelemetry operation operations option options order
origin original our out outage outcome outline own ownership pack page pair panel params parser parsers partition pass path patience patient
payloads peers phase pieces pipelines platform policy poll pool port present presentable probe process processes profile program progress project
prometheus promise proof protocol provider proxies proxy published query question quiesce quota random range ranking rate raw react read reader
readiness reading readme real recipes reconciler reconnecting reconnection recovery redacted redaction redis references refusals refusing
registry release reload removal remove renders renewal reopening repair replace reply report reporter request resolution restart restore result
resume retention retry reverse rights rollback rolling route row rpc rules run runtimes same sample sampler save say scale scan scanner scenario
schedule schema schemas screen scripted scroll seam security seeded selectors semaphore send sender sentinel serve service set settings several
sharing shown shrink sign silent simple simulated simulation sink size sleep slots slowness snapshot snippets soak solid source spans special sse
stack stalled stand standard start starting statistics status stimuli stop storage store stored streaming submit subscriber suite summary support
surface survival survivors suspense svg sweep switch switches syntax tab table tail taskbridge tcp telemetry temp temporal terminal testing text
theme three time timer title titles to token told tool traced tracer tracing transcript trend trial trouble types understanding unknown
unreachable unread unsent until upload use user validation version versions vite waiting waits watch ways web well wire words worker workerd
workflow world write writer writes writing wrong ws xstate yielding zone
`
  .trim()
  .split(/\s+/);
