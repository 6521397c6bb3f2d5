import { loadModels } from '../config/models.ts';
import { type Command, DATABASE_OPTIONS } from '../terminal/command.ts';
import { DONE, type ExitCode, OPEN } from '../terminal/shell.ts';
import { configOf, withDatabase } from './database.ts';

export const auditCommand: Command = {
  name: 'audit',
  summary: 'looks for stored documents that do not satisfy their models',
  options: {
    full: { type: 'boolean', help: 'reads and validates every document, for rules that the server has no words for' },
    'no-references': { type: 'boolean', help: 'does not look for references to documents that are not there' },
    ...DATABASE_OPTIONS,
  },
  details:
    'It changes nothing, and shows no values: for each path and rule how many there are, and the ids of three. The exit code is 2 where it found something.',
  example: 'audit --full',
  async run(call): Promise<ExitCode> {
    const { report, flag, signal } = call;
    const config = await configOf(call);
    return withDatabase(call, config, async () => {
      let found = 0;
      for (const model of await loadModels(config)) {
        const { collectionName: collection } = model.collection;
        const options = {
          full: flag('full'),
          references: !flag('no-references'),
          onProgress: (seen: number) => {
            signal.throwIfAborted();
            report.progress(`  ${collection}: ${seen} documents`);
          },
        };
        for await (const { path, rule, count, ids } of model.audit(options)) {
          found += 1;
          const place = report.styled('yellow', path === '' ? collection : `${collection}.${path}`);
          const text = `${place}: ${rule}\n  ${report.styled('dim', `${count} times, in ${ids.map(String).join(', ')}`)}`;
          report.tell({ model: model.name, collection, path, rule, count, ids }, text);
        }
      }
      if (found === 0) report.note('Nothing was found.');
      return found === 0 ? DONE : OPEN;
    });
  },
};
