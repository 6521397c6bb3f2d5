import { connect } from 'data-bridge';
import { BridgeUser, RecordedUser } from './bridge-user.ts';
import { startEmbedded } from './embedded.ts';
import { fixtures } from './fixtures.ts';
import { alternate, type Contender, type Effort } from './measure.ts';
import { compare, type Row, timesOf } from './report.ts';

const DOCUMENTS = 100;

type Users = typeof BridgeUser | typeof RecordedUser;

/** Loads documents untimed; a pass saves each of them. */
function saving(name: string, users: Users): Contender {
  let loaded: InstanceType<Users>[] = [];
  let count = 0;
  return {
    name,
    prepare: async () => {
      loaded = await users.find();
    },
    pass: async () => {
      for (const user of loaded) {
        user.name = `name ${(count += 1)}`;
        await user.save();
      }
    },
  };
}

/** What a history costs: three commands for a save instead of one, the embedded server in another process. */
export async function saveRecorded(effort: Effort): Promise<Row[]> {
  const server = await startEmbedded();
  const bridge = await connect(server.uri);
  try {
    const inputs = fixtures
      .users()
      .docs.slice(0, DOCUMENTS)
      .map(({ _id: _, ...input }) => input);
    await BridgeUser.insertMany(inputs, { return: 'ids' });
    await RecordedUser.insertMany(inputs, { return: 'ids' });
    const [without, recorded] = ['saves without a history', 'saves with a history'] as const;
    const timings = await alternate([saving(without, BridgeUser), saving(recorded, RecordedUser)], effort);
    return [
      { what: 'client CPU of a save with a history, against one without', ...compare(timings, recorded, without) },
      ...timesOf(timings, `, per ${DOCUMENTS}`),
    ];
  } finally {
    await bridge.close();
    await server.stop();
  }
}
