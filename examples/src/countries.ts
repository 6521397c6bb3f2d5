// The demo that `npm start` runs. The story is told in countries/tour.ts, the model is in countries/model.ts.
import { main } from './countries/main.ts';

// When a reader stops early, as in `npm start | head`, the rest of the story is told to nobody.
process.stdout.on('error', () => undefined);

process.exitCode = await main(process.argv.slice(2), process.stdout, process.stderr);
