import { z } from 'zod';
import { model } from '../../src/index.ts';

const fields = {
  name: z.string().min(1),
  balance: z.number().default(0),
  tags: z.array(z.string()).default([]),
  list: z.array(z.object({ a: z.number(), b: z.number().optional() })).optional(),
  address: z.object({ city: z.string(), zip: z.string().optional() }).optional(),
  scores: z.record(z.string(), z.unknown()).optional(),
  free: z.unknown(),
};
export class Account extends model('accounts', fields, { concurrency: 'fields', timestamps: true }) {}
export class Merged extends model('merged', fields) {}
export class Versioned extends model('versioned', fields, { concurrency: 'version' }) {}
