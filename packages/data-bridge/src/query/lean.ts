import type { Batch } from '../bson/batch.ts';
import { decodeStored } from '../bson/decode.ts';
import { toJsonValue } from '../bson/json.ts';
import type { Selection } from '../tracking/selection.ts';
import type { ModelDefinition } from '../definition/model-definition.ts';

/** Reads stored documents as plain objects under the program's names. */
export function leanReader<L>(definition: ModelDefinition): (batch: Batch, selection?: Selection | null) => L[] {
  return ({ bytes, starts }, selection = null) => {
    const layout = definition.layout();
    const read = starts.map((start) => definition.programFields(decodeStored<object>(layout, bytes, start)));
    const isNamed = (name: string): boolean => selection?.isOnly === true && selection.at([name]) !== 'nothing';
    for (const { name, programName } of definition.hiddenFields)
      if (!isNamed(name)) for (const each of read) delete (each as Record<string, unknown>)[programName];
    // Elsewhere there is nothing that JSON does not have.
    const mayHoldBigints = layout.options.useBigInt64 || layout.fixed.length > 0;
    if (mayHoldBigints)
      for (const each of read) if (!Object.hasOwn(each, 'toJSON')) Object.defineProperty(each, 'toJSON', shown);
    return read as L[];
  };
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
