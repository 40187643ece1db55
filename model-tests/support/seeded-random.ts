// The kit is published and may not reach outside its folder: the one that it brings serves here too.
export { hashOf, seededRandom, type SeededRandom } from '../conformance/suite/seeded-random.ts';
