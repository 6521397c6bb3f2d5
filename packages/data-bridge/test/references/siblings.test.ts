import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { softDelete } from '../../src/extensions.ts';
import { backRef, model, ref, UsageError } from '../../src/index.ts';
import { useDatabase } from '../support/database.ts';

class City extends model(
  'sib-cities',
  { name: z.string() },
  { backRefs: { hosts: backRef<Host>(() => Host, 'city') } },
) {}
class Host extends model(
  'sib-hosts',
  { name: z.string(), city: ref<City>(() => City), ...softDelete.fields },
  { extensions: [softDelete] },
) {}
class Event extends model('sib-events', {
  name: z.string(),
  host: ref<Host>(() => Host),
  guests: ref<Host>(() => Host).array(),
}) {}

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** What nobody holds is gone after this. */
async function forget(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 5));
  collect();
}

describe('documents that were loaded together', () => {
  const database = useDatabase();

  beforeAll(async () => {
    const cities = await City.insertMany(['Rome', 'Oslo', 'Lima'].map((name) => ({ name })));
    const hosts = await Host.insertMany(cities.map((city) => ({ name: `of ${city.name}`, city })));
    await Event.insertMany(
      [0, 1, 2, 0, 1, 2].map((i) => ({ name: `e${i}`, host: hosts[i] as Host, guests: [...hosts] })),
    );
  });

  beforeEach(() => {
    database.sent();
  });

  const asked = (): number => database.sent().length;

  it('ask once for what they refer to, as targets of with(), too', async () => {
    const events = await Event.find().with('host');
    expect(asked()).toBe(2);
    const names = new Set<string | undefined>();
    for (const { host } of events) {
      await forget();
      names.add((await host.$doc?.city.$load())?.name);
    }
    expect([names.size, asked()]).toEqual([3, 1]);
  });

  it('as targets of $load(), of a document that came alone, and of back references', async () => {
    for (const event of await Event.find()) {
      const host = await event.host.$load();
      await forget();
      await host?.city.$load();
    }
    expect(asked()).toBe(3);
    const event = await Event.findOne().with('guests');
    for (const { $doc } of event?.guests ?? []) {
      await forget();
      await $doc?.city.$load();
    }
    expect(asked()).toBe(3);
    for (const city of await City.find()) {
      for (const host of await city.hosts.$load()) {
        await forget();
        expect(await host.city.$load()).toBe(city);
      }
    }
    expect(asked()).toBe(2);
  });

  it('are on their own once the program dropped what held them', async () => {
    const kept = await (async () => (await Event.find().with('host'))[0]?.host.$doc)();
    await forget();
    await forget();
    await kept?.city.$load();
    expect(database.sent().at(-1)?.['filter']).toEqual({ _id: { $in: [kept?.city.$id] } });
  });

  it('a model without references has nothing to load (REL-12)', async () => {
    class Plain extends model('sib-plain', { name: z.string() }) {}
    const plain = await Plain.create({ name: 'p' });
    asked();
    const found = await Plain.findById(plain._id);
    expect(await found?.$load()).toBe(found);
    expect([found?.name, asked()]).toEqual(['p', 1]);
    // @ts-expect-error there is no such path
    expect(() => Plain.find().with('name')).toThrow(UsageError);
  });

  it('the function of with() may leave out scopes of what is referred to', async () => {
    const host = await Host.findOne({ name: 'of Lima' });
    await host?.delete();
    const of = Event.find({ host: host as Host });
    expect((await of.with('host'))[0]?.host).toMatchObject({ $doc: null, $isLoaded: true });
    for (const hosts of [
      await of.with('host', (q) => q.unscoped('softDelete')),
      await of.with('host', (q) => q.unscoped()),
      await of.with('host', (q) => q.select('name').unscoped('softDelete')),
    ])
      expect(hosts[0]?.host.$doc?.name).toBe('of Lima');
    expect((await of.lean().with('host', (q) => q.unscoped('softDelete')))[0]?.host?.name).toBe('of Lima');
    expect(() => of.with('host', (q) => q.unscoped('tenant'))).toThrow(/knows no scope/);
    const city = await City.findOne({ name: 'Lima' }).with('hosts', (q) => q.unscoped('softDelete'));
    expect(city?.hosts).toHaveLength(1);
    const newest = await City.findOne({ name: 'Lima' }).with('hosts', (q) => q.unscoped('softDelete').limit(1));
    expect(newest?.hosts).toHaveLength(1);
    expect((await City.findOne({ name: 'Lima' }).with('hosts'))?.hosts).toHaveLength(0);
  });
});
