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
  /** How long one contender runs in one round, in ms of CPU time. */
  readonly sliceMs: number;
}

/** Enough for figures to print. */
export const thorough: Effort = { rounds: 15, sliceMs: 60 };
/** Enough to see that everything runs. */
export const quick: Effort = { rounds: 3, sliceMs: 10 };

/**
 * What a pass took, in ms: by the clock on the wall, and of the processors. The latter is this process's alone, in all of its
 * threads (its collector's and compiler's, too), so what a server did meanwhile is not in it.
 */
export interface Time {
  readonly wall: number;
  readonly cpu: number;
}

export type Clock = keyof Time;

/** Per contender, what a pass took in each round. */
export type Timings = ReadonlyMap<string, readonly Time[]>;

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
  const entries: { contender: Contender; passes: number; times: Time[] }[] = [];
  for (const contender of contenders) {
    const cost = effortOf(await warmUp(contender, effort.sliceMs * 6));
    entries.push({ contender, passes: Math.max(1, Math.round(effort.sliceMs / cost)), times: [] });
  }
  for (let round = 0; round < effort.rounds; round++) {
    for (const entry of round % 2 === 0 ? entries : entries.toReversed()) {
      entry.times.push(await timePasses(entry.contender, entry.passes));
    }
  }
  return new Map(entries.map((entry) => [entry.contender.name, entry.times]));
}

/**
 * How much of a slice a time is: its CPU time, so that a busy machine makes slices longer and not emptier, within four times
 * the slice by the clock.
 */
function effortOf({ wall, cpu }: Time): number {
  return Math.max(cpu, wall / 4);
}

/** What a pass takes once the code is warm. */
async function warmUp(contender: Contender, forMs: number): Promise<Time> {
  const [used, start] = [process.cpuUsage(), performance.now()];
  for (;;) {
    const time = await timePasses(contender, 1);
    const { user, system } = process.cpuUsage(used);
    if (effortOf({ wall: performance.now() - start, cpu: (user + system) / 1000 }) >= forMs) return time;
  }
}

async function timePasses({ prepare, pass }: Contender, passes: number): Promise<Time> {
  let wall = 0;
  let cpu = 0;
  for (let i = 0; i < passes; i++) {
    await prepare?.();
    const [used, start] = [process.cpuUsage(), performance.now()];
    const result = pass();
    keep(result instanceof Promise ? await result : result);
    wall += performance.now() - start;
    const { user, system } = process.cpuUsage(used);
    cpu += (user + system) / 1000;
  }
  return { wall: wall / passes, cpu: cpu / passes };
}

function timesOf(timings: Timings, name: string): readonly Time[] {
  const times = timings.get(name);
  if (times === undefined) throw new Error(`No contender is named "${name}".`);
  return times;
}

/** How many times as long `slow` takes as `fast`, round by round. */
export function ratio(timings: Timings, slow: string, fast: string, clock: Clock = 'cpu'): Spread {
  const fastTimes = timesOf(timings, fast);
  return spread(timesOf(timings, slow).map((time, round) => time[clock] / (fastTimes[round]?.[clock] ?? Number.NaN)));
}

/** Ms per pass of one contender. */
export function timeOf(timings: Timings, name: string, clock: Clock = 'cpu'): Spread {
  return spread(timesOf(timings, name).map((time) => time[clock]));
}
