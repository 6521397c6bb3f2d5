import { AsyncLocalStorage } from 'node:async_hooks';

/** One operation on a stored document, or on several. */
interface Operation {
  isOver: boolean;
}

/** The operations that the current chain of calls is in, or was started from. On Node 20 its first use slows every promise of the process. */
const busy = new AsyncLocalStorage<ReadonlySet<Operation>>();

const OVER: Operation = { isOver: true };

/** The operations on one document: each runs after those that were started before it. */
export class OperationQueue {
  /** The end of the operations that were started; null when none is under way. */
  #tail: Promise<void> | null = null;
  #isCalling = false;
  /** What runs now, or ran last. */
  #operation = OVER;

  /** True while an operation that was started is not over. */
  get isBusy(): boolean {
    return this.#tail !== null;
  }

  /** True while the program's own code runs in the midst of an operation. */
  get isCalling(): boolean {
    return this.#isCalling;
  }

  /** True where the current chain of calls is part of the operation that runs now: one that it starts would wait for itself. */
  get isInside(): boolean {
    return this.#isCalling || (!this.#operation.isOver && busy.getStore()?.has(this.#operation) === true);
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
    for (const queue of queues) if (queue.#tail !== null) (tails ??= new Set()).add(queue.#tail);
    const current: Operation = { isOver: false };
    const perform = (): Promise<R> => {
      for (const queue of queues) queue.#operation = current;
      return operation();
    };
    const run = tails === null ? perform() : Promise.all(tails).then(perform);
    // This runs before whoever called is told: each promise costs, so it is the only one here.
    const finish = (): void => {
      current.isOver = true;
      for (const queue of queues) if (queue.#tail === tail) queue.#tail = null;
    };
    const tail: Promise<void> = run.then(finish, finish);
    for (const queue of queues) queue.#tail = tail;
    return run;
  }
}
