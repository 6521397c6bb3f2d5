import { AsyncLocalStorage } from 'node:async_hooks';

/** One operation on a stored document, or on several. */
interface Operation {
  isOver: boolean;
  /** Those before it on the same documents, which it waits for. */
  after: Operation[] | null;
  /** Those that the program's own code started in the midst of it, and may wait for. */
  started: Operation[] | null;
}

/** The operations that the current chain of calls is in, or was started from. On Node 20 its first use slows every promise of the process. */
const busy = new AsyncLocalStorage<ReadonlySet<Operation>>();

const OVER: Operation = { isOver: true, after: null, started: null };

/** The operations on one document: each runs after those that were started before it. */
export class OperationQueue {
  /** The end of the operations that were started; null when none is under way. */
  #tail: Promise<void> | null = null;
  #isCalling = false;
  /** What runs now, or ran last. */
  #operation = OVER;
  /** What was started last: it may still wait for what runs now. */
  #last = OVER;

  /** True while an operation that was started is not over. */
  get isBusy(): boolean {
    return !this.#last.isOver;
  }

  /** True while the program's own code runs in the midst of an operation. */
  get isCalling(): boolean {
    return this.#isCalling;
  }

  /** True where the current chain of calls is part of the operation that runs now: one that it starts would wait for itself. */
  get isInside(): boolean {
    return this.#isCalling || (!this.#operation.isOver && busy.getStore()?.has(this.#operation) === true);
  }

  /**
   * True where what was started here waits, over one or several documents, for an operation that the current chain of calls is
   * part of: one that it starts would wait for that, and neither could go on.
   */
  get waitsForCaller(): boolean {
    if (this.#last.isOver) return false;
    const inside = busy.getStore();
    return inside !== undefined && waitsForAny(this.#last, inside);
  }

  /** Waits for the operations that were started. */
  async idle(): Promise<void> {
    await this.#tail;
  }

  /** Runs the program's own code in the midst of an operation, so that `isInside` is known when it calls back. */
  call<R>(code: () => R): R {
    this.#isCalling = true;
    try {
      return code();
    } finally {
      this.#isCalling = false;
    }
  }

  /** The same for code that waits: what it does later is inside, too. */
  inside<R>(code: () => R): R {
    return busy.run(new Set(busy.getStore()).add(this.#operation), code);
  }

  /**
   * Runs one operation on the documents of several queues. It takes its place in all of them at once, so that two
   * operations with documents in common never wait for each other.
   *
   * @param operation must not throw but reject.
   */
  static run<R>(queues: readonly OperationQueue[], operation: () => Promise<R>): Promise<R> {
    let tails: Set<Promise<void>> | null = null;
    const current: Operation = { isOver: false, after: null, started: null };
    for (const each of busy.getStore() ?? NONE) if (!each.isOver) (each.started ??= []).push(current);
    for (const queue of queues) {
      if (queue.#tail !== null) {
        (tails ??= new Set()).add(queue.#tail);
        (current.after ??= []).push(queue.#last);
      }
      // Before anything runs: the program's own code may look at once.
      queue.#last = current;
    }
    const perform = (): Promise<R> => {
      for (const queue of queues) queue.#operation = current;
      return operation();
    };
    const run = tails === null ? perform() : Promise.all(tails).then(perform);
    // This runs before whoever called is told: each promise costs, so it is the only one here.
    const finish = (): void => {
      current.isOver = true;
      current.after = current.started = null;
      for (const queue of queues) if (queue.#tail === tail) queue.#tail = null;
    };
    const tail: Promise<void> = run.then(finish, finish);
    for (const queue of queues) queue.#tail = tail;
    return run;
  }
}

const NONE: ReadonlySet<Operation> = new Set();

/** True where it cannot end before one of these has. */
function waitsForAny(operation: Operation, meant: ReadonlySet<Operation>): boolean {
  const seen = new Set([operation]);
  // What is added meanwhile is visited, too.
  for (const each of seen) {
    if (each.isOver) continue;
    if (meant.has(each)) return true;
    for (const next of [...(each.after ?? []), ...(each.started ?? [])]) seen.add(next);
  }
  return false;
}
