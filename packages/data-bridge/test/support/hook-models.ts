import { setTimeout } from 'node:timers/promises';
import { beforeAll, beforeEach } from 'vitest';
import { z } from 'zod';
import { model } from '../../src/index.ts';
import { type TestDatabase, useDatabase } from './database.ts';

export const log: string[] = [];
export const told = (): string[] => log.splice(0);
export const says =
  (what: string) =>
  (document: { title: string }): void => {
    log.push(`${what} ${document.title}`);
  };

export class Post extends model('hook_posts', {
  title: z.string().min(2),
  slug: z.string().default(''),
  views: z.int().default(0),
}) {
  beforeValidate(): void {
    log.push('beforeValidate');
  }
  async beforeSave(): Promise<void> {
    await setTimeout(1);
    log.push(
      `beforeSave ${this.changes()
        .map(({ path }) => path)
        .toSorted()}`,
    );
    if (this.isModified('title')) this.slug = this.title.toLowerCase().replaceAll(' ', '-');
  }
  beforeInsert(): void {
    log.push('beforeInsert');
  }
  beforeUpdate(): void {
    log.push('beforeUpdate');
  }
  beforeDelete(): void {
    log.push(`beforeDelete ${this.title}`);
  }
  afterInsert(): void {
    log.push('afterInsert');
  }
  afterUpdate(): void {
    log.push(`afterUpdate ${this.$previousChanges().map(({ path }) => path)}`);
    if (this.title === 'Boom') throw new Error('boom');
  }
  afterSave(): void {
    log.push(`afterSave ${this.isModified()}`);
  }
  afterDelete(): void {
    log.push('afterDelete');
  }
  afterCommit(): void {
    log.push('afterCommit');
  }
}

/** Of what its hooks are to do, tests say. */
export class Task extends model(
  'hook_tasks',
  { title: z.string(), done: z.boolean().default(false), seen: z.int().default(0) },
  { concurrency: 'fields' },
) {}

export class Plain extends model('hook_plain', { title: z.string() }) {}

/** A database for the tests of a file, in which each begins without posts and tasks, and with nothing logged. */
export function useHookModels(): TestDatabase {
  const database = useDatabase();
  beforeAll(() => Promise.all([Post.ensureCollection(), Task.ensureCollection(), Plain.ensureCollection()]));
  beforeEach(async () => {
    await Promise.all([Post.deleteMany({}), Task.deleteMany({})]);
    told();
    database.sent();
  });
  return database;
}

export const INSERT = ['beforeValidate', 'beforeSave _id,slug,title,views', 'beforeInsert'];
export const INSERTED = ['afterInsert', 'afterSave false', 'afterCommit'];
export const UPDATE = ['beforeValidate', 'beforeSave title', 'beforeUpdate'];
export const UPDATED = ['afterUpdate title,slug', 'afterSave false', 'afterCommit'];
