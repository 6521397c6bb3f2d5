import { randomBytes } from 'node:crypto';
import { resolve } from 'node:path';
import { connect, type Connection } from 'data-bridge';
import type { Server } from './arguments.ts';

/** The demo prints the commands that the driver sends, so the driver has to tell; and nobody waits 30 s for a demo. */
const options = { monitorCommands: true, serverSelectionTimeoutMS: 5000 };

/** The database of one run of the demo. Only in a folder does it exist for longer than that. */
export interface Database {
  readonly connection: Connection;
  /** Where it is, for people. */
  readonly place: string;
  /** Closes the connection; drops the database, if it is on a server that stays. */
  close(): Promise<void>;
}

/** Without a URI, a server starts in this process. */
export async function openDatabase({ uri, path }: Server): Promise<Database> {
  if (uri === undefined) {
    const connection = await connect(`embedded:${path === undefined ? 'memory' : resolve(path)}`, options);
    return {
      connection,
      place:
        path === undefined
          ? 'an embedded server in the memory of this process'
          : `an embedded server in this process; its data stay in ${path}`,
      close: () => connection.close(),
    };
  }
  const name = `data-bridge-demo-${randomBytes(4).toString('hex')}`;
  const connection = await connect(withDatabase(uri, name), options);
  return {
    connection,
    place: `${connection.uri}; the database is dropped at the end`,
    close: async () => {
      try {
        await connection.db.dropDatabase();
      } finally {
        await connection.close();
      }
    },
  };
}

/** The same server, another database. The one that the URI named stays the one that knows the user. */
export function withDatabase(uri: string, name: string): string {
  const [, server = uri, named = '', query = ''] = /^([^/]+\/\/[^/?]+)\/?([^?]*)\??(.*)$/.exec(uri) ?? [];
  const needsSource = named !== '' && server.includes('@') && !/(^|&)authSource=/i.test(query);
  const parameters = [query, needsSource ? `authSource=${named}` : ''].filter((part) => part !== '').join('&');
  return `${server}/${name}${parameters === '' ? '' : `?${parameters}`}`;
}
