/** Something to time: one pass of the same work that its rivals do. */
export interface Contender {
  readonly name: string;
  /** What each pass uses up: made before it, and not timed. */
  readonly prepare?: () => Promise<void>;
  readonly pass: () => unknown;
}

/** The middle of a series and where its middle half lies. */
export interface Spread {
  readonly median: number;
  readonly low: number;
  readonly high: number;
}

export interface Effort {
  readonly rounds: number;
  /** How long one contender runs in one round, in ms. */
  readonly sliceMs: number;
}

/** Enough for figures to print. */
export const thorough: Effort = { rounds: 25, sliceMs: 60 };
/** Enough to see that everything runs. */
export const quick: Effort = { rounds: 3, sliceMs: 10 };

/** Per contender, ms per pass in each round. */
export type Timings = ReadonlyMap<string, readonly number[]>;

const sink: { last: unknown } = { last: undefined };

/** Takes a result, so that no compiler may leave its making away. */
export function keep(value: unknown): void {
  sink.last = value;
}

export function spread(series: readonly number[]): Spread {
  const sorted = series.toSorted((a, b) => a - b);
  const quantile = (q: number): number => {
    const place = (sorted.length - 1) * q;
    const below = sorted[Math.floor(place)] ?? Number.NaN;
    const above = sorted[Math.ceil(place)] ?? Number.NaN;
    return below + (above - below) * (place - Math.floor(place));
  };
  return { median: quantile(0.5), low: quantile(0.25), high: quantile(0.75) };
}

/**
 * Runs the contenders in turn, round after round, in one process, so that what slows the machine down slows all of them.
 * Every other round goes backwards: nobody always runs on what the same rival left behind.
 *
 * The heap is not collected between slices. That looks unfair and is not: a slice is long against the time between two
 * scavenges, and a forced full collection would throw hidden classes away that no live object has just then, and with
 * them the optimised code, which no program does to itself a hundred times a second.
 */
export async function alternate(contenders: readonly Contender[], effort: Effort): Promise<Timings> {
  const entries: { contender: Contender; passes: number; times: number[] }[] = [];
  for (const contender of contenders) {
    const ms = await warmUp(contender, effort.sliceMs * 6);
    entries.push({ contender, passes: Math.max(1, Math.round(effort.sliceMs / ms)), times: [] });
  }
  for (let round = 0; round < effort.rounds; round++) {
    for (const entry of round % 2 === 0 ? entries : entries.toReversed()) {
      entry.times.push(await timePasses(entry.contender, entry.passes));
    }
  }
  return new Map(entries.map((entry) => [entry.contender.name, entry.times]));
}

/** Ms per pass, once the code is warm. */
async function warmUp(contender: Contender, forMs: number): Promise<number> {
  const end = performance.now() + forMs;
  let ms = await timePasses(contender, 1);
  while (performance.now() < end) ms = await timePasses(contender, 1);
  return ms;
}

async function timePasses({ prepare, pass }: Contender, passes: number): Promise<number> {
  let ms = 0;
  for (let i = 0; i < passes; i++) {
    await prepare?.();
    const start = performance.now();
    const result = pass();
    keep(result instanceof Promise ? await result : result);
    ms += performance.now() - start;
  }
  return ms / passes;
}

function timesOf(timings: Timings, name: string): readonly number[] {
  const times = timings.get(name);
  if (times === undefined) throw new Error(`No contender is named "${name}".`);
  return times;
}

/** How many times as long `slow` takes as `fast`, round by round. */
export function ratio(timings: Timings, slow: string, fast: string): Spread {
  const fastTimes = timesOf(timings, fast);
  return spread(timesOf(timings, slow).map((ms, round) => ms / (fastTimes[round] ?? Number.NaN)));
}

/** Ms per pass of one contender. */
export function timeOf(timings: Timings, name: string): Spread {
  return spread(timesOf(timings, name));
}
