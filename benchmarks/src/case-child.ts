/** A process that runs one case and sends its rows. Arguments: the case's name, `quick` or `thorough`, another server's address. */
import { cases } from './cases.ts';
import { quick, thorough } from './measure.ts';

const [name = '', effort, uri] = process.argv.slice(2);
const found = cases[name];
if (found === undefined) throw new Error(`There is no case "${name}".`);
const run = await found.load();
const rows = await run(effort === 'quick' ? quick : thorough, uri);
process.send?.({ rows });
process.disconnect();
