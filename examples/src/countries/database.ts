import { randomBytes } from 'node:crypto';
import { connect, type Connection } from 'data-bridge';

/** The demo prints the commands that the driver sends, so the driver has to tell; and nobody waits 30 s for a demo. */
const options = { monitorCommands: true, serverSelectionTimeoutMS: 5000 };

/** A database that exists for one run of the demo. */
export interface Database {
  readonly connection: Connection;
  /** Where it is, for people. */
  readonly place: string;
  /** Drops the database and closes the connection. */
  close(): Promise<void>;
}

/** @param uri of a MongoDB server; without one, a server starts in the memory of this process. */
export async function openDatabase(uri: string | undefined): Promise<Database> {
  if (uri === undefined) {
    const connection = await connect('embedded:memory', options);
    return {
      connection,
      place: 'an embedded server in the memory of this process',
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
