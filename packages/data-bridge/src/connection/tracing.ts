import { tracingChannel } from 'node:diagnostics_channel';

/*
 * What tools that trace programs are told, by the channels of Node.js: nothing is done where nobody listens. Values are never told.
 */

/** What is told of a command: `tracingChannel('data-bridge:command')`. */
export interface CommandTrace {
  /** The method of the driver's collection, such as `find` or `updateOne`. */
  readonly operation: string;
  readonly collection: string;
  readonly database: string;
  /** The collection of the model that it is sent for. */
  readonly model: string;
  /** How many documents or operations it holds; undefined where it is about one. */
  readonly batchSize: number | undefined;
}

/** What is told of a save: `tracingChannel('data-bridge:save')`. */
export interface SaveTrace {
  readonly model: string;
  readonly operation: 'insert' | 'update';
  /** How many fields it writes. */
  readonly fields: number;
  /** How many times it was sent: more than once where other writers were faster. */
  tries: number;
}

/** What is used of a channel. Declarations that name the module of Node.js would need its types where there are none. */
interface TraceChannel<T> {
  readonly hasSubscribers: boolean;
  tracePromise<R>(call: () => Promise<R>, trace: T): Promise<R>;
}

export const commandChannel: TraceChannel<CommandTrace> = tracingChannel<unknown, CommandTrace>('data-bridge:command');
export const saveChannel: TraceChannel<SaveTrace> = tracingChannel<unknown, SaveTrace>('data-bridge:save');
