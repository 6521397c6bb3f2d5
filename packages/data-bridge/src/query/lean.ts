import type { Batch } from '../bson/batch.ts';
import { decodeStored } from '../bson/decode.ts';
import { toJsonValue } from '../bson/json.ts';
import type { Selection } from '../tracking/selection.ts';
import { definitionOfType, storedType } from '../definition/stored-class.ts';
import type { ModelDefinition } from '../definition/model-definition.ts';
import { UsageError } from '../errors.ts';
import type { QuerySpec } from './query-spec.ts';

/** The same query of plain objects. @throws UsageError where it gives something else by now. */
export function leanSpec<L>({ isMapped, isLinked, ...spec }: QuerySpec<unknown>): QuerySpec<L> {
  if (isMapped) throw new UsageError('lean() comes before map(), whose function gets what is read.');
  if (isLinked) throw new UsageError('lean() comes before with(), which then loads plain objects, too.');
  return { ...spec, isMapped, isLinked, read: leanReader<L>(spec.definition), finish: null, isLean: true };
}

/** Reads stored documents as plain objects under the program's names. */
function leanReader<L>(definition: ModelDefinition): (batch: Batch, selection?: Selection | null) => L[] {
  return (batch, selection = null) =>
    (definition.kin.isAlone ? readLean(definition, batch, selection) : readKin(definition, batch, selection)) as L[];
}

/** What is stored of each class of a hierarchy is told by the definition of that class. */
function readKin(definition: ModelDefinition, { bytes, starts }: Batch, selection: Selection | null): object[] {
  const { key } = definition.kin;
  const layout = definition.layout();
  const isLoaded = (selection?.at([key]) ?? 'whole') === 'whole';
  return starts.flatMap((start) => {
    const own = isLoaded ? definitionOfType(definition, storedType(layout, key, bytes, start)) : definition;
    return readLean(own, { bytes, starts: [start] }, selection);
  });
}

function readLean(definition: ModelDefinition, { bytes, starts }: Batch, selection: Selection | null): object[] {
  const layout = definition.layout();
  const read = starts.map((start) => definition.programFields(decodeStored<object>(layout, bytes, start)));
  const isNamed = (name: string): boolean => selection?.isOnly === true && selection.at([name]) !== 'nothing';
  for (const { name, programName } of definition.hiddenFields)
    if (!isNamed(name)) for (const each of read) delete (each as Record<string, unknown>)[programName];
  // Elsewhere there is nothing that JSON does not have.
  const mayHoldBigints = layout.options.useBigInt64 || layout.fixed.length > 0;
  if (mayHoldBigints)
    for (const each of read) if (!Object.hasOwn(each, 'toJSON')) Object.defineProperty(each, 'toJSON', shown);
  return read;
}

/** `JSON.stringify` shows them as it shows documents, and does not throw at a bigint. It is no member that anybody sees. */
const shown = {
  value(this: object): unknown {
    return toJsonValue({ ...this });
  },
  enumerable: false,
  configurable: true,
  writable: true,
};
