/**
 * What a port means, as tests that every adapter runs, those of others too. Needs `vitest`.
 *
 * @packageDocumentation
 */
export { describeAttachmentStore, type AttachmentStoreUnderTest } from './attachment-store-suite.ts';
export { describeStore, type OpenStore, type StoreUnderTest } from './store-suite.ts';
