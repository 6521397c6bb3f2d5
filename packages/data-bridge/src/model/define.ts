import { definitionKey, type ModelDefinition } from '../definition/model-definition.ts';
import { rememberModel } from '../definition/known-models.ts';
import { HISTORY } from '../history/recorder.ts';
import { declareRules } from '../references/delete-rules.ts';
import { chooseRecorder } from '../save/recorder.ts';

/** Gives a class its definition, and chooses how its documents' writes are recorded. */
export function define(model: { readonly prototype: object }, definition: ModelDefinition): void {
  if (definition.redaction !== undefined) chooseRecorder(definition, HISTORY);
  Object.defineProperty(model.prototype, definitionKey, { value: definition });
  rememberModel(definition);
  declareRules(model, definition);
}
