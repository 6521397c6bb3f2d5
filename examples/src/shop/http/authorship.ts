import { withActor, withTenant } from 'data-bridge/extensions';
import type { FastifyInstance } from 'fastify';
import { HttpError } from './http-error.ts';

/**
 * Whose shop it is, and who asks: in a real one a session says so, here two headers do. It is a hook that goes on by a call, so
 * that all that follows runs inside of it; and one behind the body's, whose parts come in from outside of it.
 */
export function useAuthorship(app: FastifyInstance): void {
  app.addHook('preHandler', ({ headers }, _reply, go) => {
    const { 'x-tenant': tenant, 'x-actor': actor } = headers;
    if (typeof tenant !== 'string' || tenant === '') throw new HttpError(400, 'NO_TENANT');
    if (typeof actor !== 'string' || actor === '') withTenant(tenant, go);
    else withTenant(tenant, () => withActor(actor, go));
  });
}
