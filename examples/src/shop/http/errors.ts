import {
  BulkSaveError,
  ConflictError,
  DocumentNotFoundError,
  DuplicateKeyError,
  InvalidPageTokenError,
  NotConnectedError,
  OutcomeUnknownError,
  RestrictedError,
  ValidationError,
} from 'data-bridge';
import type { FastifyInstance } from 'fastify';
import { ShopError } from '../models/shop-error.ts';
import { HttpError } from './http-error.ts';

/** Tells errors over HTTP: a status, a code for programs, and what is wrong at which path. */
export function useErrors(app: FastifyInstance): void {
  app.setErrorHandler((thrown, request, reply) => {
    const error = httpErrorOf(thrown);
    if (error.statusCode >= 500) request.log.error(error);
    const { statusCode, code, issues } = error;
    return reply.code(statusCode).send({ code, issues });
  });
  app.setNotFoundHandler(() => {
    throw new HttpError(404, 'NOT_FOUND');
  });
}

/** What an error is over HTTP. Messages of the mapper are for programmers, so they stay here. */
function httpErrorOf(error: unknown): HttpError {
  if (error instanceof HttpError) return error;
  if (error instanceof ShopError) {
    const { code, path, message } = error;
    return new HttpError(code === 'UNKNOWN_PRODUCT' ? 422 : 409, code, { issues: [{ path, message }] });
  }
  if (error instanceof ValidationError)
    return new HttpError(422, 'INVALID', { issues: error.issues.map(({ path, message }) => ({ path, message })) });
  if (error instanceof DuplicateKeyError)
    return new HttpError(409, 'DUPLICATE', { issues: sayOfAll(error.fields, 'is taken') });
  if (error instanceof ConflictError)
    return new HttpError(409, 'CONFLICT', {
      issues: sayOfAll(
        error.conflicts.map(({ path }) => path),
        'was changed by somebody else',
      ),
    });
  if (error instanceof RestrictedError) return new HttpError(409, 'IN_USE');
  if (error instanceof DocumentNotFoundError) return new HttpError(404, 'NOT_FOUND');
  if (error instanceof InvalidPageTokenError) return new HttpError(400, 'BAD_PAGE_TOKEN');
  if (error instanceof NotConnectedError || error instanceof OutcomeUnknownError)
    return new HttpError(503, 'UNAVAILABLE', { cause: error });
  // Of many documents saved together, one that was refused says why.
  if (error instanceof BulkSaveError && error.cause !== undefined) return httpErrorOf(error.cause);
  if (isOfFastify(error)) return new HttpError(error.statusCode, error.code);
  return new HttpError(500, 'INTERNAL', { cause: error });
}

function sayOfAll(paths: readonly string[], message: string): { path: string; message: string }[] {
  return paths.map((path) => ({ path, message }));
}

/** Fastify's own errors: a body that is no JSON, or too large. */
function isOfFastify(error: unknown): error is Error & { readonly statusCode: number; readonly code: string } {
  return (
    error instanceof Error &&
    'statusCode' in error &&
    typeof error.statusCode === 'number' &&
    'code' in error &&
    typeof error.code === 'string'
  );
}
