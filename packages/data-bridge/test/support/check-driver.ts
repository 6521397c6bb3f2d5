import { MongoClient } from 'mongodb';

// A suite that would run with another version of the driver than it is meant for fails.
const { options } = new MongoClient('mongodb://localhost') as unknown as {
  readonly options: { readonly metadata: Promise<{ readonly driver: { readonly version: string } }> };
};
const { driver } = await options.metadata;
const wanted = process.env['DRIVER_VERSION'];
if (driver.version !== wanted) throw new Error(`Expected version ${wanted} of the driver, got ${driver.version}.`);
