import fc from 'fast-check';
import { caseCount } from './case-count.ts';

/** Properties try the same cases in every run; another `FC_SEED` tries others. */
fc.configureGlobal({ seed: Number(process.env['FC_SEED'] ?? 20_261_122), numRuns: caseCount(100) });
