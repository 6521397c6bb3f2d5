import { type } from 'arktype';
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { useDatabase } from '../support/database.ts';
import { hidden, type Loose, looseModel, type LooseModel } from '../support/loose-models.ts';

const database = useDatabase();

let salt = 0;
const hash = (text: string): string => `H${salt++}(${text})`;
const withoutSalt = <V>(value: V): V => JSON.parse(JSON.stringify(value).replaceAll(/H\d+\(/g, 'H(')) as V;
const H = z.string().transform(hash);
const vH = v.pipe(v.string(), v.transform(hash));
const aH = type('string').pipe(hash);
const make = (fields: Loose): LooseModel => looseModel(database, fields);

describe('a new value in what was loaded in part', () => {
  it.each([
    ['Zod', z.object({ pw: H, u: z.string() })],
    ['Valibot', v.object({ pw: vH, u: v.string() })],
    ['ArkType', type({ pw: aH, u: 'string' })],
  ])('is transformed: %s', async (_, auth) => {
    const one = make({ auth });
    const { _id } = await one.load({ auth: { pw: 'S', u: 'u' } });
    const part = await one.Model.find({ _id }).select('auth.pw').first();
    part.auth.pw = 'new';
    await part.save();
    expect(withoutSalt(await one.raw(part))).toEqual({ auth: { pw: 'H(new)', u: 'u' } });
  });

  it('waits for its schema, and is refused where nobody can tell what that makes of it', async () => {
    const slow = z.string().transform(async (text) => hash(text));
    const one = make({
      told: z.object({ pw: slow, u: z.string(), v: z.string() }),
      untold: hidden(z.object({ pw: H, u: z.string() })),
    });
    const { _id } = await one.load({ told: { pw: 'S', u: 'u', v: 'v' }, untold: { pw: 'S', u: 'u' } });
    const part = await one.Model.find({ _id }).select('told.pw', 'told.u', 'untold.pw').first();
    part.told.u = 'U';
    await part.save();
    part.told.pw = 'new';
    await part.save();
    part.untold.pw = 'new';
    await expect(part.save()).rejects.toThrow('nobody can tell');
    expect(await one.raw(part)).toEqual({
      told: { pw: expect.stringMatching(/^H\d+\(new\)$/) as string, u: 'U', v: 'v' },
      untold: { pw: 'S', u: 'u' },
    });
  });
});
