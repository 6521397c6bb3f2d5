// The stages that put the documents of several pipelines together.
import { ServerError } from '../../errors.ts';
import { compileExpression, fieldPath } from '../expression/compile.ts';
import { type Document, documentOf, isArray, isDocument, typeOrMissing, type Value } from '../../values/value.ts';
import { InnerPipeline, stageList } from './inner.ts';
import { documentArgument, type StageCompiler, type StageTable } from './stage.ts';

const EVERYTHING: Document = new Map();

/** https://www.mongodb.com/docs/manual/reference/operator/aggregation/facet/ */
const facet: StageCompiler = (argument, context, name) => {
  const spec = documentArgument(argument, 40169, `the ${name} specification must be a non-empty object`);
  if (spec.size === 0) throw new ServerError(40169, `the ${name} specification must be a non-empty object`);
  const facets = Array.from(spec, ([field, stages]) => {
    if (fieldPath(field).length > 1) throw new ServerError(16412, "FieldPath field names may not contain '.'.");
    return [field, context.compile(facetStages(field, stages), { ...context, within: name })] as const;
  });
  return function* (documents) {
    const all = Array.from(documents);
    yield documentOf(...facets.map(([field, stage]) => [field, Array.from(stage(all))] as const));
  };
};

function facetStages(field: string, stages: Value): Document[] {
  const message = (what: string): string => `arguments to $facet must be arrays of objects, ${field} is ${what}`;
  if (!isArray(stages)) throw new ServerError(40170, message(`type ${typeOrMissing(stages)}`));
  return stages.map((stage) => documentArgument(stage, 40171, message(`an array with a ${typeOrMissing(stage)}`)));
}

/** https://www.mongodb.com/docs/manual/reference/operator/aggregation/unionWith/ */
const unionWith: StageCompiler = (argument, context, name) => {
  const message = `the ${name} stage specification must be an object or string, but found ${typeOrMissing(argument)}`;
  const spec = typeof argument === 'string' ? documentOf(['coll', argument]) : documentArgument(argument, 9, message);
  for (const key of spec.keys()) {
    if (key !== 'coll' && key !== 'pipeline') {
      throw new ServerError(40415, `BSON field '${name}.${key}' is an unknown field.`);
    }
  }
  const collection = spec.get('coll');
  if (collection !== undefined && typeof collection !== 'string') {
    throw new ServerError(
      14,
      `BSON field '${name}.coll' is the wrong type '${typeOrMissing(collection)}', expected type 'string'`,
    );
  }
  const stages = stageList(spec.get('pipeline') ?? [], name);
  const inner = new InnerPipeline(collection, stages, { ...context, within: name });
  return function* (documents) {
    yield* documents;
    yield* inner.run(EVERYTHING);
  };
};

/** https://www.mongodb.com/docs/manual/reference/operator/aggregation/documents/ */
const documentsStage: StageCompiler = (argument, context, name) => {
  const expression = compileExpression(argument, context);
  return () => {
    const documents = expression(new Map());
    if (isArray(documents) && documents.every(isDocument)) return documents;
    throw new ServerError(5858203, `an array is expected, each element of which must be an object, for '${name}'`);
  };
};

export const COMBINE: StageTable = { $facet: facet, $unionWith: unionWith, $documents: documentsStage };
