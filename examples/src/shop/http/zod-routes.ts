import type { FastifyInstance, FastifyPluginAsync, FastifyTypeProvider, RawServerDefault } from 'fastify';
import type { z } from 'zod';
import { HttpError } from './http-error.ts';

/** Types of what a route takes: those of its Zod schemas. */
export interface ZodTypes extends FastifyTypeProvider {
  readonly validator: this['schema'] extends z.ZodType ? z.output<this['schema']> : unknown;
}

/** Some routes of the shop. */
export type Routes = FastifyPluginAsync<Record<never, never>, RawServerDefault, ZodTypes>;

/** Lets Zod check what routes take: a body that is refused is told by 422, an address by 400. */
export function useZod(app: FastifyInstance): void {
  app.setValidatorCompiler<z.ZodType>(({ schema, httpPart }) => (given) => {
    const result = schema.safeParse(given);
    if (result.success) return { value: result.data };
    const issues = result.error.issues.map(({ path, message }) => ({ path: path.join('.'), message }));
    return {
      error:
        httpPart === 'body' ? new HttpError(422, 'INVALID', { issues }) : new HttpError(400, 'BAD_REQUEST', { issues }),
    };
  });
}
