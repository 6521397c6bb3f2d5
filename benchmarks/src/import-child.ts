/**
 * A process that imports the driver and then a module, and sends how long the processors were busy with the latter, in ms.
 * Argument: the module's name.
 */
const [name] = process.argv.slice(2);
if (name === undefined) throw new Error('Expected the name of a module.');

async function busy(module: string): Promise<number> {
  const before = process.cpuUsage();
  await import(module);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

const driver = await busy('mongodb');
process.send?.({ driver, module: await busy(name) });
process.disconnect();
