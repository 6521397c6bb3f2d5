/**
 * A process that runs one case and sends its rows, with where and on what it ran. Arguments: the case's name, `quick` or
 * `thorough`, another server's address.
 */
import { cases } from './cases.ts';
import { circumstances } from './circumstances.ts';
import { quick, thorough } from './measure.ts';

const [name = '', effort, uri] = process.argv.slice(2);
const found = cases[name];
if (found === undefined) throw new Error(`There is no case "${name}".`);
const where = circumstances();
const run = await found.load();
const rows = await run(effort === 'quick' ? quick : thorough, uri);
process.send?.({ ...where, rows });
