// The kit is published and may not reach outside its folder: the one that it brings serves here too.
export { onLoopback, type Loopback } from '../conformance/suite/loopback.ts';
