// What the stages of a pipeline are made of.
import { ServerError } from '../../errors.ts';
import type { Collation } from '../../values/collation.ts';
import type { Variables } from '../expression/operator.ts';
import { type Document, isDocument, type Value } from '../../values/value.ts';

/** Documents in, documents out. It reads as it is asked, unless it must see them all first. */
export type Stage = (documents: Iterable<Document>) => Iterable<Document>;

/** Another collection of the same database. */
export interface OtherCollection {
  /** The documents that a filter selects. */
  find(filter: Document, variables: Variables): Iterable<Document>;
  /** True where an index finds the documents with some value in a field. */
  hasIndexOn(field: string): boolean;
}

/** What the stages of one pipeline share. */
export interface StageContext {
  readonly variables: Variables;
  /** How texts are compared; by their bytes when undefined. */
  readonly collation: Collation | undefined;
  /** Called now and then by what takes long, to end it: by throwing. */
  readonly check: (() => void) | undefined;
  readonly open: (name: string) => OtherCollection;
  /** The stage that this pipeline is the argument of, such as `$facet`. */
  readonly within: string | undefined;
  /** Compiles the stages of an inner pipeline. */
  readonly compile: (stages: readonly Document[], context: StageContext) => Stage;
}

/** Compiles the argument of one stage. */
export type StageCompiler = (argument: Value, context: StageContext, name: string) => Stage;
export type StageTable = Readonly<Record<string, StageCompiler>>;

/** A stage that makes one document of each. */
export function each(change: (document: Document) => Document): Stage {
  return function* (documents) {
    for (const document of documents) yield change(document);
  };
}

/** The argument, which must be a document. */
export function documentArgument(argument: Value, code: number, message: string): Document {
  if (isDocument(argument)) return argument;
  throw new ServerError(code, message);
}
