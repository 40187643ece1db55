/**
 * Attachments as files in a folder.
 *
 * @packageDocumentation
 */
export { fileAttachments, type FileAttachmentsOptions } from './attachments.ts';
