// Pipelines inside stages.
import { ServerError } from '../../errors.ts';
import type { Variables } from '../expression.ts';
import { type Document, documentOf, isArray, isDocument, type Value } from '../value.ts';
import { documentArgument, type Stage, type StageContext } from './stage.ts';

const EVERYTHING: Document = new Map();

/** Finds the documents that an inner pipeline starts from. */
type Source = (filter: Document, variables: Variables) => Iterable<Document>;

/** A pipeline over the documents of another collection. One that starts with `$match` leaves that to the collection. */
export class InnerPipeline {
  readonly #source: Source;
  readonly #filter: Document;
  readonly #stage: Stage;

  /** @throws ServerError 9 where no collection is named and none can be missing: before `$documents` */
  constructor(collection: string | undefined, stages: readonly Document[], context: StageContext) {
    this.#source = collection === undefined ? nothing(stages, context) : readerOf(collection, context);
    const { filter, rest } = splitLeadingMatch(stages);
    const whole = context.compile(stages, context);
    this.#filter = filter;
    this.#stage = rest === stages ? whole : context.compile(rest, context);
  }

  /** Runs it over the documents that `filter` selects. */
  run(filter: Document, variables: Variables): Iterable<Document> {
    return this.#stage(this.#source(both(filter, this.#filter), variables));
  }
}

function readerOf(collection: string, { read }: StageContext): Source {
  return (filter, variables) => read(collection, filter, variables);
}

function nothing([first]: readonly Document[], { within = '' }: StageContext): Source {
  if (first?.has('$documents') === true) return () => [];
  throw new ServerError(9, `${within} without a collection must have a pipeline with $documents as first stage`);
}

function both(a: Document, b: Document): Document {
  if (a.size === 0) return b;
  return b.size === 0 ? a : documentOf(['$and', [a, b]]);
}

/** A `$match` that comes first can use `_id` and the indexes: its filter, and the stages after it. */
export function splitLeadingMatch(stages: readonly Document[]): { filter: Document; rest: readonly Document[] } {
  const [first, ...rest] = stages;
  const filter = first?.size === 1 ? first.get('$match') : undefined;
  return isDocument(filter) ? { filter, rest } : { filter: EVERYTHING, rest: stages };
}

/** The stages of an inner pipeline; `owner` is the stage in whose argument they are. */
export function stageList(stages: Value, owner: string): Document[] {
  if (!isArray(stages)) throw new ServerError(14, `'pipeline' option must be specified as an array in ${owner}`);
  return stages.map((stage) => documentArgument(stage, 14, "Each element of the 'pipeline' array must be an object"));
}
