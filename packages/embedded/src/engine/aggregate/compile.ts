// Aggregation pipelines.
// https://www.mongodb.com/docs/manual/reference/operator/aggregation-pipeline/
import { ServerError } from '../../errors.ts';
import { COMBINE } from './combine.ts';
import { COUNT_STAGES } from './count.ts';
import { GROUP } from './group.ts';
import { LOOKUP } from './lookup.ts';
import { RESHAPE } from './reshape.ts';
import { SELECT } from './select.ts';
import type { OtherCollection, Stage, StageCompiler, StageContext } from './stage.ts';
import { UNWIND } from './unwind.ts';
import type { Collation } from '../../values/collation.ts';
import type { Variables } from '../expression/operator.ts';
import type { Document } from '../../values/value.ts';

export interface PipelineOptions {
  /** The variables of the command. */
  readonly variables?: Variables | undefined;
  /** How `$match`, `$sort` and `$group` compare texts; by their bytes when undefined. */
  readonly collation?: Collation | undefined;
  /** Opens other collections, for `$lookup` and `$unionWith`. Without it they are all empty. */
  readonly open?: (name: string) => OtherCollection;
  /** Called now and then while a stage works, to end what takes too long: by throwing. */
  readonly check?: (() => void) | undefined;
}

/** The supported stages, by name. */
export const STAGES: ReadonlyMap<string, StageCompiler> = new Map(
  Object.entries({ ...SELECT, ...RESHAPE, ...GROUP, ...COUNT_STAGES, ...UNWIND, ...LOOKUP, ...COMBINE }),
);

/** What MongoDB has and this server lacks; whoever runs a pipeline has to take `$changeStream` off its start. */
export const UNSUPPORTED_STAGES: ReadonlySet<string> = new Set(
  (
    '$bucketAuto $changeStream $changeStreamSplitLargeEvent $collStats $currentOp $densify $fill $geoNear ' +
    '$graphLookup $indexStats $listLocalSessions $listSampledQueries $listSearchIndexes $listSessions ' +
    '$planCacheStats $search $searchMeta $setWindowFields $shardedDataDistribution $vectorSearch'
  ).split(' '),
);

const EMPTY: OtherCollection = { find: () => [], hasIndexOn: () => true };

/** Stages that bring their own documents. */
const FIRST: ReadonlySet<string> = new Set(['$documents', '$changeStream']);

/** Stages that write: whoever runs a pipeline takes them off its end. */
export const OUTPUT_STAGES: ReadonlySet<string> = new Set(['$out', '$merge']);

/** True where MongoDB has a stage of that name. */
export function isStageName(name: string): boolean {
  return STAGES.has(name) || UNSUPPORTED_STAGES.has(name) || OUTPUT_STAGES.has(name);
}

/**
 * Compiles a pipeline. What it makes of documents comes as it is asked for.
 * @throws ServerError 40324 for a stage that MongoDB does not have, 115 for one that only this server lacks, and the codes of
 * each stage for wrong arguments; what comes of the documents may throw too
 */
export function pipeline(stages: readonly Document[], options: PipelineOptions = {}): Stage {
  const context = {
    variables: options.variables ?? new Map(),
    collation: options.collation,
    check: options.check,
    open: options.open ?? (() => EMPTY),
    within: undefined,
    compile: compileStages,
  };
  return context.compile(stages, context);
}

/** Throws 40602 where a stage that brings its own documents is not the first. */
export function checkFirstStages(stages: readonly Document[]): void {
  for (const stage of stages.slice(1)) {
    const [name = ''] = stage.keys();
    if (FIRST.has(name)) throw new ServerError(40602, `${name} is only valid as the first stage in a pipeline.`);
  }
}

function compileStages(stages: readonly Document[], context: StageContext): Stage {
  const { check } = context;
  checkFirstStages(stages);
  const compiled = stages.map((stage) => compileStage(stage, context));
  const run =
    check === undefined
      ? compiled
      : compiled.map(
          (stage): Stage =>
            (input) =>
              checked(stage(input), check),
        );
  return (documents) => run.reduce((input, stage) => stage(input), documents);
}

/** Documents of a stage between two calls of `check`. */
const CHECK_INTERVAL = 128;

function* checked(documents: Iterable<Document>, check: () => void): Generator<Document> {
  let seen = 0;
  for (const document of documents) {
    if (++seen % CHECK_INTERVAL === 0) check();
    yield document;
  }
}

function compileStage(stage: Document, context: StageContext): Stage {
  const [[name = '', argument = null] = []] = stage;
  if (stage.size !== 1)
    throw new ServerError(40323, 'A pipeline stage specification object must contain exactly one field.');
  const compile = STAGES.get(name);
  if (OUTPUT_STAGES.has(name)) throw misplacedOutput(name, context.within);
  if (name === '$facet' && context.within === name) throw notWithin(name, name, 40600);
  if (UNSUPPORTED_STAGES.has(name))
    throw new ServerError(115, `The embedded server does not support the stage ${name}.`);
  if (compile === undefined) throw new ServerError(40324, `Unrecognized pipeline stage name: '${name}'`);
  return compile(argument, context, name);
}

/** The codes of the errors for a stage that writes inside another one. */
const NESTED_OUTPUT: Readonly<Record<string, number>> = { $facet: 40600, $lookup: 51047, $unionWith: 31441 };

function misplacedOutput(name: string, within: string | undefined): ServerError {
  if (within === undefined) return new ServerError(40601, `${name} can only be the final stage in the pipeline`);
  return notWithin(name, within, NESTED_OUTPUT[within] ?? 40600);
}

function notWithin(name: string, outer: string, code: number): ServerError {
  return new ServerError(code, `${name} is not allowed to be used within a ${outer} stage`);
}
