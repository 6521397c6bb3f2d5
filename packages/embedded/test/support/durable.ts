import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MongoClient } from 'mongodb';
import { type RunningServer, startServer } from '../../src/index.ts';
import { expectConsistent } from './consistency.ts';

/** A server on a folder of its own that can be stopped and started again. */
export class Durable {
  readonly path = mkdtempSync(join(tmpdir(), 'embedded-'));
  #server: RunningServer | undefined;
  #client: MongoClient | undefined;

  static async start(): Promise<Durable> {
    const durable = new Durable();
    await durable.#open();
    return durable;
  }

  get client(): MongoClient {
    if (this.#client === undefined) throw new Error('The server is stopped.');
    return this.#client;
  }

  get uri(): string {
    if (this.#server === undefined) throw new Error('The server is stopped.');
    return this.#server.uri;
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.#open();
  }

  async stop(): Promise<void> {
    if (this.#client !== undefined) await expectConsistent(this.#client);
    await this.#client?.close();
    await this.#server?.close();
    this.#client = undefined;
  }

  /** Stops it and removes the folder. */
  async remove(): Promise<void> {
    await this.stop();
    rmSync(this.path, { recursive: true });
  }

  async #open(): Promise<void> {
    this.#server = await startServer({ path: this.path });
    this.#client = new MongoClient(this.#server.uri, { serverSelectionTimeoutMS: 5_000 });
  }
}
