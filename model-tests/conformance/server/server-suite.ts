import type { Suite } from '../suite/case.ts';
import { answering } from './cases/answering.ts';
import { attaching } from './cases/attachments.ts';
import { browsing } from './cases/browsing.ts';
import { creating } from './cases/creating.ts';
import { ending } from './cases/ending.ts';
import { failing } from './cases/failures.ts';
import { limiting } from './cases/limits.ts';
import { listing } from './cases/lists.ts';
import { multiplexing } from './cases/multiplexing.ts';
import { gapCases } from './cases/gaps.ts';
import { writingParts } from './cases/parts.ts';
import { reading } from './cases/reading.ts';
import { refusing } from './cases/refusing.ts';
import { removal } from './cases/removal.ts';
import { retrying } from './cases/retry.ts';
import { sharingStreams } from './cases/sharing-streams.ts';
import { streaming } from './cases/streaming.ts';
import type { ServerUnderTest } from './server-under-test.ts';

/**
 * What a server means over the wire, whatever it is written in. Cases make tasks of their own and may run at once against one server, which
 * has to run the tasks of the contract.
 */
export const serverSuite: Suite<ServerUnderTest> = {
  name: 'server',
  cases: [
    ...creating,
    ...reading,
    ...listing,
    ...removal,
    ...retrying,
    ...attaching,
    ...streaming,
    ...gapCases,
    ...answering,
    ...refusing,
    ...browsing,
    ...multiplexing,
    ...sharingStreams,
    ...writingParts,
    ...limiting,
    ...failing,
    ...ending,
  ],
};
