import { aggregateCommands } from './aggregate.ts';
import { bulkWriteCommands } from './bulk-write.ts';
import { collectionCommands } from './collections.ts';
import type { Command } from '../dispatch/command.ts';
import { readCommands } from './find.ts';
import { writeCommands } from './write.ts';
import { diagnosticCommands } from './diagnostics.ts';
import { explainCommands } from './explain.ts';
import { findAndModifyCommands } from './find-and-modify.ts';
import { indexCommands } from './indexes.ts';
import { sessionCommands } from './hello.ts';
import { validateCommands } from './validate.ts';

/** What the server can do, by the names that clients use. */
export const COMMANDS: ReadonlyMap<string, Command> = new Map(
  Object.entries({
    ...sessionCommands,
    ...diagnosticCommands,
    ...collectionCommands,
    ...indexCommands,
    ...readCommands,
    ...aggregateCommands,
    ...writeCommands,
    ...bulkWriteCommands,
    ...findAndModifyCommands,
    ...explainCommands,
    ...validateCommands,
  }),
);

/** Commands of MongoDB that this server does not have: refused by name, so that nobody takes them for misspelt. */
export const UNSUPPORTED_COMMANDS: ReadonlySet<string> = new Set([
  // For larger installations.
  'listSearchIndexes',
  'createSearchIndexes',
  'mapReduce',
  'compact',
  'reIndex',
  'dataSize',
  'top',
  'profile',
  'currentOp',
  'killOp',
  'fsync',
  'fsyncUnlock',
  'getLog',
  'getCmdLineOpts',
  'cloneCollectionAsCapped',
  'convertToCapped',
  'killAllSessionsByPattern',
  'configureFailPoint',
  'shutdown',
  'dbHash',
  'listCommands',
  'setFeatureCompatibilityVersion',
  'getDefaultRWConcern',
  'setDefaultRWConcern',
  // There are no users.
  'authenticate',
  'saslStart',
  'saslContinue',
  'logout',
  'createUser',
  'updateUser',
  'dropUser',
  'usersInfo',
  'createRole',
  'rolesInfo',
  'grantRolesToUser',
  // There is no replica set and there are no shards.
  'replSetGetStatus',
  'replSetInitiate',
  'replSetGetConfig',
  'enableSharding',
  'shardCollection',
  'listShards',
  'startSession',
]);
