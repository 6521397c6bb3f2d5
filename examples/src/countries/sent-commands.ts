import { calculateObjectSize, type Document } from 'bson';
import type { CommandStartedEvent, MongoClient } from 'mongodb';

/** The commands that the driver sends while something runs, as the driver itself reports them. */
export async function commandsSentBy(client: MongoClient, action: () => Promise<unknown>): Promise<Document[]> {
  const commands: Document[] = [];
  const note = ({ command }: CommandStartedEvent): void => {
    commands.push(command);
  };
  client.on('commandStarted', note);
  try {
    await action();
  } finally {
    client.off('commandStarted', note);
  }
  return commands;
}

/** The one statement of an update command; around it stand the names of collection and database, and the session. */
export function updateIn(command: Document): Document {
  const [statement, ...others] = command['updates'] as Document[];
  if (statement === undefined || others.length > 0) throw new Error('Expected a command with one update.');
  return statement;
}

/** What a save sent, and what replacing the document would have sent, in bytes of BSON. */
export interface Saving {
  readonly sent: number;
  readonly whole: number;
}

/** @param document as it is stored after the update. */
export function savingOf(statement: Document, document: { readonly _id: unknown }): Saving {
  return {
    sent: calculateObjectSize(statement),
    whole: calculateObjectSize({ q: { _id: document._id }, u: document }),
  };
}
