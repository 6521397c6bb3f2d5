import { MongoClient } from 'mongodb';

// A suite that would run with another version of the driver than it is meant for fails.
const { options } = new MongoClient('mongodb://localhost');
const { driver } = (await options.metadata) as { readonly driver: { readonly version: string } };
const wanted = process.env['DRIVER_VERSION'];
if (driver.version !== wanted) throw new Error(`Expected version ${wanted} of the driver, got ${driver.version}.`);
