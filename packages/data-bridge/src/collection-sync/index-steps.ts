import { UsageError } from '../errors.ts';
import { hasSameSettings, identityOf, type IndexSettings, type IndexSpec } from './index-spec.ts';
import type { PlanNote, PlanOptions, StepAction, StepClass } from './plan-types.ts';

/** What is added to the name of an index for one that stands in for it. */
const BRIDGE = '__bridge';

/** A step for an index, before it is told of. */
export type IndexStep = StepAction & { readonly class: StepClass; readonly why: string };

/** What is known beside the indexes themselves. */
export interface IndexPlanOptions extends Pick<PlanOptions, 'dropForeign' | 'hideFirst' | 'rename'> {
  /** The names that earlier plans made. */
  readonly managed?: ReadonlySet<string>;
  readonly allow?: ReadonlySet<StepClass>;
  /** True where the server makes an index unique in place: MongoDB 6.0 and newer. */
  readonly inPlace?: boolean;
}

/** The steps of one collection, what is left as it is, and the names that are the models' own afterwards. */
export interface IndexPlan {
  readonly steps: readonly IndexStep[];
  readonly notes: readonly Omit<PlanNote, 'collection'>[];
  readonly names: readonly string[];
}

/**
 * Steps from the indexes that are there to those that are declared. They are found by doing them on a copy of what is there: of
 * what a server has, names are unique and so are identities, so what is to come may be blocked by what has its name, and by
 * what is the same index under another one.
 *
 * @throws UsageError where two declared indexes have one name, or are the same.
 */
export function planIndexes(
  declared: readonly IndexSpec[],
  there: readonly IndexSpec[],
  options: IndexPlanOptions = {},
): IndexPlan {
  return new Simulation(declared, there, options).run();
}

class Simulation {
  readonly #declared: readonly IndexSpec[];
  readonly #options: IndexPlanOptions;
  #present: IndexSpec[];
  readonly #steps: IndexStep[] = [];
  readonly #notes: Omit<PlanNote, 'collection'>[] = [];
  /** Declared indexes that need nothing more → the names that they have. */
  readonly #done = new Map<IndexSpec, string>();
  readonly #left = new Set<IndexSpec>();
  /** Names of what is not declared any more, and not dropped yet. */
  readonly #undropped: string[] = [];

  constructor(declared: readonly IndexSpec[], there: readonly IndexSpec[], options: IndexPlanOptions) {
    this.#declared = declared;
    this.#present = [...there];
    this.#options = options;
    checkDeclared(declared);
  }

  run(): IndexPlan {
    for (const want of this.#declared) this.#keep(want);
    for (;;) {
      const missing = this.#declared.filter((want) => !this.#done.has(want) && !this.#left.has(want));
      // What nothing blocks comes first: it may stand for what is dropped after it.
      const want = missing.find((each) => this.#blockersOf(each).length === 0) ?? missing[0];
      if (want === undefined) break;
      this.#bring(want);
    }
    for (const has of this.#present.filter((each) => !this.#isSettled(each))) this.#dismiss(has);
    return { steps: this.#steps, notes: this.#notes, names: [...this.#done.values(), ...this.#undropped] };
  }

  /** What is there already, under its name or, unless names are to be followed, under another. */
  #keep(want: IndexSpec): void {
    const has = this.#present.find((each) => identityOf(each) === identityOf(want));
    if (has === undefined) return;
    if (has.name !== want.name && (this.#options.rename === true || isBridge(has) || this.#needsName(has.name))) return;
    const set = changedSettings(has, want);
    if (set === undefined) return;
    this.#done.set(want, has.name);
    const why = has.name === want.name ? 'as declared' : `declared as "${want.name}"`;
    if (Object.keys(set).length === 0) {
      this.#notes.push({ name: has.name, kind: 'kept', why });
      return;
    }
    const step = { do: 'changeIndex', name: has.name, set, class: classOf(has, set), why: reasonOf(set) } as const;
    if (!this.#isAllowed([step])) this.#leave(want, has.name, step.why);
    else this.#do(step, () => this.#replace(has, { ...want, name: has.name }));
  }

  /** True for a name that another declared index has to have. */
  #needsName(name: string): boolean {
    return this.#declared.some((each) => each.name === name);
  }

  #bring(want: IndexSpec): void {
    const before = { present: this.#present, steps: this.#steps.length };
    this.#present = [...this.#present];
    const blockers = this.#blockersOf(want);
    if (blockers.length === 0) this.#create(want, 'is not there');
    else if (!this.#makeUnique(want, blockers)) this.#exchange(want, blockers);
    for (const stand of this.#present.filter((each) => standsFor(each, want)))
      if (!this.#isSettled(stand) && !this.#needsName(stand.name)) this.#drop(stand, 'stood in', 'widening');
    const steps = this.#steps.slice(before.steps);
    if (this.#isAllowed(steps)) {
      this.#done.set(want, want.name);
      return;
    }
    this.#present = before.present;
    this.#steps.length = before.steps;
    const why = steps.find((step) => this.#options.allow?.has(step.class) === false)?.why ?? '';
    this.#leave(want, want.name, `${why}: that step is not allowed`);
  }

  #leave(want: IndexSpec, name: string, why: string): void {
    this.#left.add(want);
    this.#notes.push({ name, kind: 'left', why });
  }

  /** Not unique and to be unique, and nothing else: done in place. */
  #makeUnique(want: IndexSpec, [has, other]: readonly IndexSpec[]): boolean {
    if (this.#options.inPlace !== true || has === undefined || other !== undefined || has.name !== want.name)
      return false;
    const { unique, ...options } = want.options;
    const isAsked = unique === true && identityOf({ ...want, options }) === identityOf(has);
    const { prepareUnique, ...settings } = has.settings;
    if (!isAsked || !hasSameSettings({ ...has, settings }, want)) return false;
    const why = prepareUnique === true ? 'was prepared, and is not unique yet' : 'is not unique yet';
    this.#do({ do: 'makeUnique', index: want, class: 'additive', why }, () => this.#replace(has, want));
    return true;
  }

  /** Drops what is in the way. Stand-ins keep what was enforced, or served, until that is there again. */
  #exchange(want: IndexSpec, blockers: readonly IndexSpec[]): void {
    const missing = this.#declared.filter((each) => !this.#done.has(each) && !this.#left.has(each));
    const protectedOnes = [want, ...missing.filter((each) => each !== want)].filter((each) =>
      blockers.some((has) => hasSameFields(has, each) && (each === want || enforces(has, each))),
    );
    for (const each of protectedOnes) this.#standFor(each, blockers);
    for (const has of blockers)
      this.#drop(has, has.name === want.name ? 'gives its name to another' : `is called "${want.name}" now`);
    this.#create(want, 'takes its place');
  }

  /** Creates an index with the same rule: turned round, or with a condition that always holds. */
  #standFor(want: IndexSpec, blockers: readonly IndexSpec[]): void {
    const key = want.key.map(([path, kind]) => [path, typeof kind === 'number' ? -kind : kind] as const);
    const rules = [{ ...want, key }, ...alwaysOf(want).map((options) => ({ ...want, options }))];
    const isThere = (rule: IndexSpec, indexes: readonly IndexSpec[]): boolean =>
      indexes.some((each) => identityOf(each) === identityOf(rule));
    const stays = this.#present.filter((has) => !blockers.includes(has));
    if (rules.some((rule) => isThere(rule, stays))) return;
    const rule = rules.find((each) => !isThere(each, [...this.#present, ...this.#declared]));
    if (rule === undefined) return;
    const taken = new Set([...this.#present, ...this.#declared].map((each) => each.name));
    let name = `${want.name}${BRIDGE}`;
    for (let number = 2; taken.has(name); number++) name = `${want.name}${BRIDGE}${number}`;
    this.#create({ ...rule, name }, `stands in for "${want.name}"`);
  }

  /** What nobody declares any more. */
  #dismiss(has: IndexSpec): void {
    const { managed, dropForeign, hideFirst, rename } = this.#options;
    const isOurs =
      managed?.has(has.name) === true ||
      isBridge(has) ||
      this.#declared.some(
        (each) => each.name === has.name || (rename === true && identityOf(each) === identityOf(has)),
      );
    const isLeft = [...this.#left].some(
      (want) => want.name === has.name || standsFor(has, want) || identityOf(want) === identityOf(has),
    );
    if (isLeft) return;
    if (!isOurs && dropForeign !== true) {
      this.#notes.push({ name: has.name, kind: 'foreign', why: 'nobody here declared it' });
      return;
    }
    const hides = hideFirst === true && has.settings.hidden !== true && !isBridge(has);
    const why = isBridge(has) ? 'was left by an apply that was interrupted' : 'is no longer declared';
    const group: IndexStep = hides
      ? { do: 'hideIndex', name: has.name, class: 'widening', why }
      : { do: 'dropIndex', name: has.name, class: isBridge(has) ? 'widening' : 'destructive', why };
    if (!this.#isAllowed([group])) this.#notes.push({ name: has.name, kind: 'left', why });
    else this.#do(group, () => {});
    if (hides || !this.#isAllowed([group])) this.#undropped.push(has.name);
  }

  #create(index: IndexSpec, why: string): void {
    const class_ = index.settings.expireAfterSeconds === undefined || isBridge(index) ? 'additive' : 'destructive';
    this.#do({ do: 'createIndex', index, class: class_, why }, () => this.#present.push(index));
  }

  #drop(index: IndexSpec, why: string, class_: StepClass = 'destructive'): void {
    this.#do({ do: 'dropIndex', name: index.name, class: class_, why }, () => {
      this.#present = this.#present.filter((each) => each !== index);
    });
  }

  #do(step: IndexStep, change: () => void): void {
    this.#steps.push(step);
    change();
  }

  #replace(has: IndexSpec, by: IndexSpec): void {
    this.#present = this.#present.map((each) => (each === has ? by : each));
  }

  #blockersOf(want: IndexSpec): IndexSpec[] {
    return this.#present.filter(
      (has) => !this.#isSettled(has) && (has.name === want.name || identityOf(has) === identityOf(want)),
    );
  }

  #isSettled({ name }: IndexSpec): boolean {
    return [...this.#done.values()].includes(name);
  }

  #isAllowed(steps: readonly IndexStep[]): boolean {
    const { allow } = this.#options;
    return allow === undefined || steps.every((step) => allow.has(step.class));
  }
}

function checkDeclared(declared: readonly IndexSpec[]): void {
  for (const [position, index] of declared.entries()) {
    const other = declared
      .slice(0, position)
      .find((each) => each.name === index.name || identityOf(each) === identityOf(index));
    if (other === undefined) continue;
    const text =
      other.name === index.name
        ? `Two indexes "${index.name}" are declared, with different keys or options: give one of them another name.`
        : `The index "${other.name}" is declared once more as "${index.name}": leave one of them out.`;
    throw new UsageError(text);
  }
}

/** What the name of a stand-in ends with. */
const BRIDGE_END = new RegExp(`${BRIDGE}\\d*$`);

function isBridge({ name }: IndexSpec): boolean {
  return BRIDGE_END.test(name);
}

function standsFor(stand: IndexSpec, { name }: IndexSpec): boolean {
  return isBridge(stand) && stand.name.replace(BRIDGE_END, '') === name;
}

/** What `collMod` has to set; undefined where no server does it in place. */
function changedSettings(has: IndexSpec, want: IndexSpec): IndexSettings | undefined {
  const { expireAfterSeconds: before, hidden = false, prepareUnique = false } = has.settings;
  const { expireAfterSeconds: after } = want.settings;
  if ((before === undefined) !== (after === undefined)) return undefined;
  return {
    ...(after !== undefined && after !== before && { expireAfterSeconds: after }),
    ...(hidden !== (want.settings.hidden ?? false) && { hidden: !hidden }),
    ...(prepareUnique && { prepareUnique: false }),
  };
}

/** Documents that expire sooner are gone. */
function classOf(has: IndexSpec, { expireAfterSeconds }: IndexSettings): StepClass {
  const isSooner = expireAfterSeconds !== undefined && expireAfterSeconds < (has.settings.expireAfterSeconds ?? 0);
  return isSooner ? 'destructive' : 'widening';
}

function reasonOf(set: IndexSettings): string {
  const reasons = [
    ...(set.expireAfterSeconds === undefined ? [] : ['documents expire after another time']),
    ...(set.hidden === undefined ? [] : [set.hidden ? 'is declared as hidden' : 'is hidden']),
    ...(set.prepareUnique === undefined ? [] : ['was to be unique, and is not any more']),
  ];
  return reasons.join(', ');
}

function fieldsOf({ key }: IndexSpec): string {
  return JSON.stringify(key.map(([path]) => path));
}

function hasSameFields(a: IndexSpec, b: IndexSpec): boolean {
  return fieldsOf(a) === fieldsOf(b);
}

/** True where an index forbids the duplicates, or some, that another one is to forbid. */
function enforces(has: IndexSpec, want: IndexSpec): boolean {
  return has.options['unique'] === true && want.options['unique'] === true;
}

/** The options of an index with a condition that always holds besides: none where a server has no such condition. */
function alwaysOf({ key, options: { sparse, ...options } }: IndexSpec): Record<string, unknown>[] {
  const { partialFilterExpression: partial = {} } = options;
  const [first, ...others] = key;
  if (sparse === true && others.length > 0) return [];
  const exists = { $exists: true };
  const condition = { ...(partial as object), ...(sparse === true && first && { [first[0]]: exists }), _id: exists };
  const all = { ...options, partialFilterExpression: condition };
  return [Object.fromEntries(Object.entries(all).toSorted(([a], [b]) => (a < b ? -1 : 1)))];
}
