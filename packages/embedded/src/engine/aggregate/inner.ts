// Pipelines inside stages.
import { ServerError } from '../../errors.ts';
import { type Document, documentOf, isArray, isDocument, type Value } from '../../values/value.ts';
import { JoinTable } from './join-table.ts';
import { documentArgument, type OtherCollection, type Stage, type StageContext } from './stage.ts';

const EVERYTHING: Document = new Map();

/** A pipeline over the documents of another collection. One that starts with `$match` leaves that to the collection. */
export class InnerPipeline {
  readonly #context: StageContext;
  readonly #collection: OtherCollection;
  readonly #filter: Document;
  /** All stages, and those after the `$match` that comes first. */
  readonly #whole: Stage;
  readonly #rest: Stage;

  /** @throws ServerError 9 where no collection is named and none can be missing: before `$documents` */
  constructor(collection: string | undefined, stages: readonly Document[], context: StageContext) {
    this.#context = context;
    this.#collection = collection === undefined ? nothing(stages, context) : context.open(collection);
    const { filter, rest } = splitLeadingMatch(stages);
    this.#filter = filter;
    this.#whole = context.compile(stages, context);
    this.#rest = rest === stages ? this.#whole : context.compile(rest, context);
  }

  /** Runs it over the documents that `filter` selects. */
  run(filter: Document): Iterable<Document> {
    return this.#rest(this.#collection.find(both(filter, this.#filter), this.#context.variables));
  }

  /** Runs it over documents of the collection that are at hand. */
  runOver(documents: Iterable<Document>): Iterable<Document> {
    return this.#whole(documents);
  }

  /** A table of the documents by a field, `undefined` where the collection has an index for that. */
  tableBy(field: string): JoinTable | undefined {
    const { variables, collation } = this.#context;
    if (this.#collection.hasIndexOn(field)) return undefined;
    return new JoinTable(this.#collection.find(EVERYTHING, variables), field, collation);
  }
}

function nothing([first]: readonly Document[], { within = '' }: StageContext): OtherCollection {
  if (first?.has('$documents') === true) return { find: () => [], hasIndexOn: () => true };
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
