import { isPlainObject } from '../bson/plain-object.ts';
import { typeName } from '../schema/bson-types.ts';
import type { ValidationIssue } from '../errors.ts';

type Keys = readonly (string | number)[];
type Details = Readonly<Record<string, unknown>>;

/** Rules whose limit says what to do, and which holds no value of a document. */
const SHOWN_RULES: ReadonlySet<string> = new Set([
  'minimum',
  'maximum',
  'multipleOf',
  'minLength',
  'maxLength',
  'minItems',
  'maxItems',
  'minProperties',
  'maxProperties',
]);

/**
 * What a collection's validator refused, path by path, out of the `errInfo` of error 121. A server that gives no
 * details leads to one issue for the document as a whole.
 *
 * https://www.mongodb.com/docs/manual/core/schema-validation/handle-invalid-documents/
 */
export function validatorIssues(errInfo: unknown): ValidationIssue[] {
  const details = isPlainObject(errInfo) && isPlainObject(errInfo['details']) ? errInfo['details'] : {};
  const issues = ruleIssues(details, []);
  return issues.length > 0 ? issues : [issueAt([], "breaks a rule of the collection's validator")];
}

/** One broken rule of a schema, or one clause of a filter, and those below it. */
function ruleIssues(rule: Details, keys: Keys): ValidationIssue[] {
  const below = (list: unknown, at: Keys = keys): ValidationIssue[] =>
    listOf(list).flatMap((each) => ruleIssues(each, at));
  switch (rule['operatorName']) {
    case '$jsonSchema':
      return below(rule['schemaRulesNotSatisfied']);
    case 'properties':
      return listOf(rule['propertiesNotSatisfied']).flatMap((each) => below(each['details'], within(keys, each)));
    case 'patternProperties':
      return listOf(rule['details']).flatMap((each) => below(each['details'], within(keys, each)));
    case 'additionalProperties':
      if (typeof rule['failingProperty'] === 'string')
        return below(rule['details'], [...keys, rule['failingProperty']]);
      return namesIn(rule['additionalProperties']).map((name) =>
        issueAt([...keys, name], "is no field of the collection's validator"),
      );
    case 'required':
      return namesIn(rule['missingProperties']).map((name) =>
        issueAt([...keys, name], "is required by the collection's validator"),
      );
    case 'items':
    case 'additionalItems':
      return itemIssues(rule, keys);
    case 'allOf':
      return listOf(rule['schemasNotSatisfied']).flatMap((each) => below(each['details']));
    case '$and':
      return listOf(rule['clausesNotSatisfied']).flatMap(({ details }) =>
        isPlainObject(details) ? ruleIssues(details, keys) : [],
      );
    case undefined:
      return [];
    default:
      return [brokenRule(rule, pathOf(rule) ?? keys)];
  }
}

/** One element, each with its place, or elements that are too many. */
function itemIssues(rule: Details, keys: Keys): ValidationIssue[] {
  const failed = rule['itemIndex'] === undefined ? listOf(rule['details']) : [rule];
  const issues = failed.flatMap(({ itemIndex, details }) =>
    listOf(details).flatMap((each) => ruleIssues(each, [...keys, Number(itemIndex)])),
  );
  return issues.length > 0 ? issues : [brokenRule(rule, keys)];
}

function brokenRule(rule: Details, keys: Keys): ValidationIssue {
  const name = String(rule['operatorName']);
  const asked = isPlainObject(rule['specifiedAs']) ? rule['specifiedAs'][name] : undefined;
  const value = rule['consideredValue'];
  if (name === 'bsonType' || name === 'type') {
    const type = typeof rule['consideredType'] === 'string' ? rule['consideredType'] : typeName(value);
    const types = [asked].flat().join(' or ');
    return issueAt(keys, `must be of the type ${types} by the collection's validator, got ${type}`, value);
  }
  const limit = SHOWN_RULES.has(name) ? ` ${String(asked)}` : '';
  return issueAt(keys, `breaks the rule ${name}${limit} of the collection's validator`, value);
}

/** The path that a clause of a filter is about: `{ age: { $gte: 5 } }`. Rules of a schema stand at their paths. */
function pathOf({ operatorName, specifiedAs }: Details): Keys | undefined {
  const [first] = isPlainObject(specifiedAs) ? Object.keys(specifiedAs) : [];
  const isClause = String(operatorName).startsWith('$') && first !== undefined && !first.startsWith('$');
  return isClause ? first.split('.') : undefined;
}

function within(keys: Keys, { propertyName }: Details): Keys {
  return [...keys, String(propertyName)];
}

function issueAt(keys: Keys, message: string, value?: unknown): ValidationIssue {
  const issue = { keys, path: keys.join('.'), message };
  return Object.defineProperty(issue, 'value', { value, enumerable: false });
}

function listOf(list: unknown): Details[] {
  return Array.isArray(list) ? list.filter(isPlainObject) : [];
}

function namesIn(list: unknown): string[] {
  return Array.isArray(list) ? list.map(String) : [];
}
