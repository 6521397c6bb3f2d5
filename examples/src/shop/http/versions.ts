import type { Concurrency } from 'data-bridge';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { HttpError } from './http-error.ts';

/** A document that counts its writes. */
interface Versioned {
  readonly _id: unknown;
  readonly version: number;
}

/** Gives a document with its version, which the client sends again with a change. */
export function sendVersioned<D extends Versioned>(reply: FastifyReply, document: D): D {
  reply.header('etag', tagOf(document));
  return document;
}

/** Gives a document that is new in the list of the request's address. */
export function sendNew<D extends Versioned>(reply: FastifyReply, document: D): D {
  reply.code(201).header('location', `${reply.request.url}/${String(document._id)}`);
  return sendVersioned(reply, document);
}

/**
 * Checks that the client saw the document as it is, where it says what it saw.
 *
 * @throws HttpError 412 where it saw another version.
 */
export function checkVersion({ headers }: FastifyRequest, document: Versioned): void {
  const seen = headers['if-match'];
  if (seen !== undefined && seen !== '*' && seen !== tagOf(document)) throw new HttpError(412, 'CHANGED');
}

/** Who says what it saw must not meet another change until the save; who does not is merged with it. */
export function concurrencyOf({ headers }: FastifyRequest): Concurrency {
  return headers['if-match'] === undefined ? 'merge' : 'version';
}

function tagOf({ version }: Versioned): string {
  return `"${version}"`;
}
