/** The driver without a network. */
import { setImmediate } from 'node:timers/promises';
import { Collection, type UpdateResult } from 'mongodb';
import mongoose from 'mongoose';

const answer: UpdateResult = {
  acknowledged: true,
  matchedCount: 1,
  modifiedCount: 1,
  upsertedCount: 0,
  upsertedId: null,
};

/** Both copies of the driver that are loaded: Mongoose brings its own. */
const prototypes: readonly object[] = [Collection.prototype, mongoose.mongo.Collection.prototype];

/**
 * Does the work while every `updateOne` of the driver is answered a turn of the event loop later and nothing is sent: what is
 * left of a save is what the client makes of the document. It is the same for everybody, below all of them.
 */
export async function withoutNetwork<T>(work: () => Promise<T>): Promise<T> {
  const originals = prototypes.map((prototype) => Object.getOwnPropertyDescriptor(prototype, 'updateOne'));
  for (const prototype of prototypes) {
    Object.defineProperty(prototype, 'updateOne', {
      value: () => setImmediate(answer),
      configurable: true,
      writable: true,
    });
  }
  try {
    return await work();
  } finally {
    prototypes.forEach((prototype, i) => {
      const original = originals[i];
      if (original !== undefined) Object.defineProperty(prototype, 'updateOne', original);
    });
  }
}
