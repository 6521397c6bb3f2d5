import { calculateObjectSize, serialize } from 'bson';
import { type Conflict, ConflictError, type Connection } from 'data-bridge';
import { compareWithCopying, type Effort } from './comparison.ts';
import type { Database } from './database.ts';
import { figure, percent, sum, times } from './figures.ts';
import { lookBack } from './history.ts';
import { Country, worldCountries } from './model.ts';
import { commandsSentBy, type Saving, savingOf, updateIn } from './sent-commands.ts';
import type { Terminal } from './terminal.ts';

/** The whole demo, chapter by chapter. */
export async function tour({ connection, place }: Database, terminal: Terminal, effort: Effort): Promise<void> {
  terminal.title('data-bridge: MongoDB documents that know what changed');
  terminal.prose(
    'A loaded document is the bytes that the server sent, and the few values that the program touched. save() compares ' +
      'the two and sends the smallest update that says what changed.',
  );
  terminal.prose(`Server: ${place}`);

  if ((await Country.count()) === worldCountries().length) await takeBack(connection, terminal);
  else await importCountries(terminal);
  const countries = await readSomeFields(terminal);
  const savings = await changeInPlace(connection, terminal);
  await saveUnchanged(countries, connection, terminal);
  await rollBack(connection, terminal);
  savings.push(...(await writeTogether(connection, terminal)));
  await settleConflict(connection, terminal);
  await lookBack(terminal);
  summarise(savings, countries, terminal, effort);
}

async function importCountries(terminal: Terminal): Promise<void> {
  terminal.heading('1  Import the countries of the world, validated by Zod schemas');
  // case: an earlier run was stopped in the middle of this.
  await Country.deleteMany({});
  const inputs = worldCountries();
  const batch = 10;
  for (let start = 0; start < inputs.length; start += batch) {
    await Country.insertMany(inputs.slice(start, start + batch));
    terminal.progress(Math.min(start + batch, inputs.length), inputs.length, 'countries stored');
  }
}

/** Shows what an earlier run changed in the folder, and undoes it, so that the story can be told again. */
async function takeBack(connection: Connection, terminal: Terminal): Promise<void> {
  terminal.heading('1  The countries are here: an earlier run left them in the folder');
  const imported = new Map(worldCountries().map(({ _id, ...fields }) => [_id, fields]));
  const countries = await Country.find();
  for (const country of countries) {
    country.cioc = undefined;
    country.treaty = undefined;
    Object.assign(country, imported.get(country._id));
  }
  const changed = countries.filter((country) => country.isModified());
  terminal.prose(`${countries.length} countries were loaded, and none imported. What the earlier run changed:`);
  terminal.changes(
    changed.flatMap((country) =>
      // Backwards: the document goes from what is stored to what was imported.
      country.changes().map(({ path, from, to }) => ({ path: `${country._id} ${path}`, from: to, to: from })),
    ),
  );
  const commands = await commandsSentBy(connection.client, async () => {
    for (const country of countries) await country.save();
  });
  terminal.prose('Each was given all fields as they were imported, to tell the story again, and saved:');
  terminal.result(
    `${countries.length} saves, ${commands.length} commands: ${changed.length} countries are as they were`,
  );
}

async function readSomeFields(terminal: Terminal): Promise<Country[]> {
  terminal.heading('2  Load them all, read a few fields');
  const countries = await Country.find().sort({ area: -1 });
  const regions = [...new Set(countries.map((country) => country.region))].sort();
  terminal.table(
    ['region', 'countries', 'landlocked', 'area in km²', 'the largest'],
    regions.map((region) => regionRow(countries.filter((country) => country.region === region))),
  );
  const read = countries.map(({ region, landlocked, area }) => calculateObjectSize({ region, landlocked, area }));
  const whole = countries.map((country) => calculateObjectSize(country.toObject()));
  terminal.prose(
    `Of every country three fields were decoded, of the largest the name too: ${percent(sum(read), sum(whole))} of ` +
      `${figure(sum(whole))} bytes. The rest stays as it came, as BSON bytes. They are the original that changes are ` +
      `told from: there is no second copy.`,
  );
  return countries;
}

/** @param countries of one region, the largest first. */
function regionRow(countries: readonly Country[]): string[] {
  const landlocked = countries.filter((country) => country.landlocked);
  const area = sum(countries.map((country) => country.area));
  return [
    countries[0]?.region ?? '',
    figure(countries.length),
    figure(landlocked.length),
    figure(area),
    countries[0]?.label ?? '',
  ];
}

async function changeInPlace(connection: Connection, terminal: Terminal): Promise<Saving[]> {
  terminal.heading('3  Change them in place, and save');
  terminal.prose('Below each change stands what the driver was seen to send: q finds the document, u updates it.');
  const save = (country: Country): Promise<Saving> => saveAndShow(country, connection, terminal);
  const savings: Saving[] = [];

  terminal.step('A name inside a name: Cape Verde asked to be called Cabo Verde');
  const caboVerde = await load('CPV');
  caboVerde.name.common = 'Cabo Verde';
  savings.push(await save(caboVerde));

  terminal.step('A longer array: since 2022 Canada and Denmark share a border, on Hans Island');
  const [canada, denmark] = [await load('CAN'), await load('DNK')];
  canada.borders.push(denmark._id);
  denmark.borders.push(canada._id);
  savings.push(await save(canada), await save(denmark));

  terminal.step('A new field and one that goes: Antarctica has a treaty and no Olympic committee');
  const antarctica = await load('ATA');
  antarctica.treaty = { signed: new Date('1959-12-01'), inForce: new Date('1961-06-23') };
  antarctica.cioc = undefined;
  savings.push(await save(antarctica));

  terminal.step('A coordinate: the middle of Switzerland lies further south');
  terminal.prose('An element is set by its place, so the filter makes sure that the place holds what was read.');
  const switzerland = await load('CHE');
  switzerland.latlng[0] = 46.8;
  savings.push(await save(switzerland));

  return savings;
}

async function saveUnchanged(countries: readonly Country[], connection: Connection, terminal: Terminal): Promise<void> {
  terminal.heading('4  Save what did not change');
  const commands = await commandsSentBy(connection.client, async () => {
    for (const country of countries) {
      JSON.stringify(country);
      country.capital = [...country.capital];
      await country.save();
    }
  });
  terminal.prose(
    'Every country was printed as JSON, its capital set to an equal value, and saved. Commands that reached the server:',
  );
  terminal.result(`${countries.length} saves, ${commands.length} commands`);
}

async function rollBack(connection: Connection, terminal: Terminal): Promise<void> {
  terminal.heading('5  Change your mind');
  const monaco = await load('MCO');
  monaco.name.common = 'Atlantis';
  monaco.languages['grc'] = 'Ancient Greek';
  monaco.borders.length = 0;
  terminal.changes(monaco.changes());
  monaco.rollback();
  const commands = await commandsSentBy(connection.client, () => monaco.save());
  terminal.result(
    `After rollback() it is ${monaco.label}, modified: ${monaco.isModified()}; save() sent ${commands.length} commands`,
  );
}

async function writeTogether(connection: Connection, terminal: Terminal): Promise<Saving[]> {
  terminal.heading('6  Two writers, one document');
  terminal.prose('Both loaded Ivory Coast before either saved. Each adds a translation to the same object.');
  const [first, second] = [await load('CIV'), await load('CIV')];
  first.translations['cat'] = { official: "República de Costa d'Ivori", common: "Costa d'Ivori" };
  second.translations['dan'] = { official: 'Republikken Elfenbenskysten', common: 'Elfenbenskysten' };

  terminal.step('The first writer');
  const savings = [await saveAndShow(first, connection, terminal)];
  terminal.step('The second writer, who knows nothing of the first');
  savings.push(await saveAndShow(second, connection, terminal));

  const { translations } = await load('CIV');
  terminal.prose('Stored now:');
  terminal.result(`Catalan ${translations['cat']?.common}, Danish ${translations['dan']?.common}: both are there`);
  return savings;
}

async function settleConflict(connection: Connection, terminal: Terminal): Promise<void> {
  terminal.heading('7  A conflict, resolved');
  terminal.prose(
    'Both gain land from the sea for the Netherlands, and both loaded it before. With concurrency: "fields" a save ' +
      'asks that what it changes is as it was read.',
  );
  const [first, second] = [await load('NLD'), await load('NLD')];
  first.area += 10;
  second.area += 5;
  await first.save({ concurrency: 'fields' });
  try {
    await second.save({ concurrency: 'fields' });
  } catch (error) {
    if (!(error instanceof ConflictError)) throw error;
    for (const { path, original, mine, theirs } of error.conflicts)
      terminal.result(
        `ConflictError: ${path} was ${String(original)}; mine is ${String(mine)}, theirs ${String(theirs)}; nothing was written`,
      );
  }

  terminal.step('A function says what becomes of both, and the save does it');
  const commands = await commandsSentBy(connection.client, () =>
    second.save({ concurrency: 'fields', onConflict: addUp }),
  );
  const { area } = await load('NLD');
  terminal.result(`${commands.length} commands; stored now: ${figure(area)} km², both gains are there`);
}

/** What both added to a number. */
function addUp({ original, mine, theirs }: Conflict): unknown {
  return Number(theirs) + (Number(mine) - Number(original));
}

function summarise(
  savings: readonly Saving[],
  countries: readonly Country[],
  terminal: Terminal,
  effort: Effort,
): void {
  terminal.heading('Summary');
  const sent = sum(savings.map((saving) => saving.sent));
  const whole = sum(savings.map((saving) => saving.whole));
  terminal.result(
    `${savings.length} saves sent ${figure(sent)} bytes; replacing the documents takes ${figure(whole)}: ${times(whole / sent)} as many`,
  );

  const { bridge, copying } = compareWithCopying(
    countries.map((country) => serialize(country.toObject())),
    effort,
  );
  terminal.prose(
    `To read three fields of a country, change one and know of it, measured now on these ${countries.length} documents:`,
  );
  terminal.table(
    ['', 'µs per document'],
    [
      ['data-bridge', bridge.toFixed(1)],
      ['bson.deserialize, structuredClone, isDeepStrictEqual', copying.toFixed(1)],
    ],
  );
  terminal.result(`Copying and comparing takes ${times(copying / bridge)} as long`);
}

/** Saves a document; prints what changed, the command that was sent, and what that spared. */
async function saveAndShow(country: Country, connection: Connection, terminal: Terminal): Promise<Saving> {
  terminal.changes(country.changes());
  const [command, ...others] = await commandsSentBy(connection.client, () => country.save());
  if (command === undefined || others.length > 0)
    throw new Error(`Saving ${country.label} took more than one command.`);
  const statement = updateIn(command);
  terminal.value(statement);
  const saving = savingOf(statement, country.toObject());
  terminal.result(compare(saving));
  return saving;
}

async function load(code: string): Promise<Country> {
  const country = await Country.findById(code);
  if (country === null) throw new Error(`The country ${code} is not stored.`);
  return country;
}

function compare({ sent, whole }: Saving): string {
  return `${figure(sent)} bytes instead of ${figure(whole)} for the whole document: ${times(whole / sent)} less`;
}
