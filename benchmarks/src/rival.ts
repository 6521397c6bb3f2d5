import type { User } from './fixtures.ts';

export type Fields = Omit<User, '_id'>;

/** What a program changes in a document, and which. */
export interface Change {
  readonly email: string;
  readonly age: number;
  readonly lang: string;
}

/** Another mapper at work as its documentation shows. */
export interface Rival {
  /** All documents of the collection, as a program reads them. */
  find(): Promise<readonly Readonly<Fields>[]>;
  /** Finds the document with the address, sets its `age` and its `settings.lang`, and saves it. */
  save(change: Change): Promise<unknown>;
  /** Stores new documents. */
  insert(inputs: readonly Fields[]): Promise<unknown>;
  close(): Promise<void>;
}

/** What each module of rivals/ exports as `open`. The address names the database, `bench`, with the collection `users`. */
export type Open = (uri: string) => Promise<Rival>;
