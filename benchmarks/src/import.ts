import { messageOf, numberIn, startProcess } from './processes.ts';
import { spread, type Effort } from './measure.ts';
import { atMost, type Row } from './report.ts';

const modules = ['data-bridge', '@data-bridge/embedded'] as const;

/**
 * What a module adds to the start of a program that has imported the driver: the processors' time for finding, reading,
 * compiling and running its files. Each import is in a fresh process, since a module is loaded once; the modules take turns.
 */
export async function importModules(effort: Effort): Promise<Row[]> {
  const driver: number[] = [];
  const beyond = new Map<string, number[]>(modules.map((name) => [name, []]));
  for (let round = 0; round < effort.rounds; round++) {
    for (const name of round % 2 === 0 ? modules : modules.toReversed()) {
      const sent = await messageOf(startProcess('./import-child.js', [name]));
      driver.push(numberIn(sent, 'driver'));
      beyond.get(name)?.push(numberIn(sent, 'module'));
    }
  }
  const measured = (name: (typeof modules)[number]) => spread(beyond.get(name) ?? []);
  return [
    { what: "import, beyond the driver's, CPU", goal: atMost(60), measured: measured('data-bridge'), unit: 'ms' },
    { what: '  of the embedded server', measured: measured('@data-bridge/embedded'), unit: 'ms' },
    { what: '  of the driver itself', measured: spread(driver), unit: 'ms' },
  ];
}
