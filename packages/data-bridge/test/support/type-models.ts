/** One field, as this package and Zod write it and as Mongoose does. */
interface Field {
  readonly name: string;
  readonly ours: string;
  readonly theirs: string;
}

const many = (count: number, name: string, ours: string, theirs: string): Field[] =>
  Array.from({ length: count }, (_, i) => ({ name: `${name}${i}`, ours, theirs }));

/** Thirty fields, of which two refer to the model `target`. */
const fields = (target: string): Field[] => [
  ...many(9, 'text', 'z.string()', '{ type: String, required: true }'),
  ...many(6, 'number', 'z.number().optional()', 'Number'),
  ...many(4, 'date', 'z.date()', '{ type: Date, required: true }'),
  ...many(4, 'flag', 'z.boolean().default(false)', '{ type: Boolean, default: false }'),
  {
    name: 'role',
    ours: "z.enum(['admin', 'user', 'guest'])",
    theirs: "{ type: String, enum: ['admin', 'user', 'guest'], required: true }",
  },
  { name: 'tags', ours: 'z.array(z.string()).default([])', theirs: '{ type: [String], default: [] }' },
  {
    name: 'address',
    ours: 'z.object({ city: z.string(), zip: z.string(), geo: z.object({ lat: z.number(), lon: z.number() }) })',
    theirs:
      '{ city: { type: String, required: true }, zip: { type: String, required: true }, geo: { lat: { type: Number, required: true }, lon: { type: Number, required: true } } }',
  },
  {
    name: 'items',
    ours: 'z.array(z.object({ sku: z.string(), quantity: z.number() }))',
    theirs: '[{ sku: { type: String, required: true }, quantity: { type: Number, required: true } }]',
  },
  {
    name: 'owner',
    ours: `ref<${target}>(() => ${target}).optional()`,
    theirs: `{ type: Schema.Types.ObjectId, ref: '${target}' }`,
  },
  {
    name: 'friends',
    ours: `ref<${target}>(() => ${target}).array()`,
    theirs: `[{ type: Schema.Types.ObjectId, ref: '${target}' }]`,
  },
  { name: 'score', ours: 'z.number()', theirs: '{ type: Number, required: true }' },
];

const sequence = (count: number, name: string, value: string): string =>
  Array.from({ length: count }, (_, i) => `${name}${i}: ${value}`).join(', ');

/** Values of every field that a new document must have. */
const REQUIRED = [
  sequence(9, 'text', "'x'"),
  sequence(4, 'date', 'new Date()'),
  "role: 'admin', address: { city: 'x', zip: 'y', geo: { lat: 1, lon: 2 } }, items: [], friends: [], score: 1",
].join(', ');

/** The same five calls of both. */
const queries = (model: string, more = ''): string => `
export const found = await ${model}.find({ text0: 'x', number1: { $gt: 3 }, 'address.city': /r/ }).sort({ number1: -1 }).limit(10);
export const one = await ${model}.findOne({ tags: 'x', items: { $elemMatch: { sku: 'a', quantity: { $gt: 1 } } }, role: { $in: ['admin'] } });
export const lean = await ${model}.find({ $or: [{ text1: 'x' }, { 'address.geo.lat': { $lt: 3 } }], 'items.quantity': { $gte: 2 } }).lean();
await ${model}.updateMany({ text2: 'x' }, { $set: { text3: 'y', 'address.city': 'z' }, $inc: { score: 1 }, $push: { tags: 'x' } });
export const made = await ${model}.create({ ${REQUIRED}, owner: found[0]!._id${more} });
export const read = [found[0]?.text0, one?.address?.city, lean[0]?.items[0]?.quantity];
`;

/** Wrong lines, each with a wrong field, value or operator. */
export const mistakes = (model: string): string[] => [
  `await ${model}.find({ txet0: 'x' });`,
  `await ${model}.find({ text0: 5 });`,
  `await ${model}.find({ text0: { $gt: 5 } });`,
  `await ${model}.find({ number0: { $regex: 'x' } });`,
  `await ${model}.find({ text0: { $size: 5 } });`,
  `await ${model}.find({ 'address.cty': 'x' });`,
  `await ${model}.find({ 'address.city': 5 });`,
  `await ${model}.find({ 'items.quantity': 'x' });`,
  `await ${model}.find({ items: { $elemMatch: { quantity: 'x' } } });`,
  `await ${model}.find({ role: 'boss' });`,
  `await ${model}.find({ $or: [{ txet0: 'x' }] });`,
  `await ${model}.updateMany({}, { $inc: { text0: 1 } });`,
  `await ${model}.updateMany({}, { $set: { 'address.city': 5 } });`,
];

/**
 * A program of a model and of classes with its fields and two more, which extend it or are models of their own, all with the
 * five calls.
 */
export function family(form: 'extending' | 'alone', classes: number): Record<string, string> {
  const own = (name: string): string => `own${name}: z.number(), note: z.string().optional()`;
  const texts = Array.from({ length: classes }, (_, i) => {
    const name = `Class${i}`;
    const base =
      form === 'extending'
        ? `Model0.extend({ ${own(name)} }, { type: '${name}', class: () => ${name} })`
        : `model('${name}', { ${schemas('Model0')}, ${own(name)} }, { timestamps: true })`;
    const text = `${IMPORTS}import { Model0 } from './model-0.ts';
export class ${name} extends ${base} {
  told(): string { return this.text0; }
}
${queries(name, `, own${name}: 1`)}`;
    return [`class-${i}.ts`, text];
  });
  return { ...program('data-bridge', 1), ...Object.fromEntries(texts) };
}

/** A program of models that refer to each other in a ring, a file for each, and `more` at the end of the first. */
export function program(library: 'data-bridge' | 'mongoose', models: number, more = ''): Record<string, string> {
  const texts = Array.from({ length: models }, (_, i) => {
    const [name, next] = [`Model${i}`, `Model${(i + 1) % models}`];
    const text = library === 'mongoose' ? mongoose(name, next) : ours(name, next, `./model-${(i + 1) % models}.ts`);
    return [`model-${i}.ts`, `${text}${queries(name)}${i === 0 ? more : ''}`];
  });
  return Object.fromEntries(texts);
}

const IMPORTS = `import { model, ref } from 'data-bridge';
import { z } from 'zod';
`;

/** The thirty fields as this package writes them. */
const schemas = (target: string): string =>
  fields(target)
    .map((field) => `\n  ${field.name}: ${field.ours}`)
    .join(',');

const ours = (name: string, next: string, file: string): string => `${IMPORTS}${
  next === name
    ? ''
    : `import { ${next} } from '${file}';
`
}export class ${name} extends model('${name}', {${schemas(next)}
}, { timestamps: true }) {}
`;

const mongoose = (name: string, next: string): string => `import { model, Schema } from 'mongoose';
const schema = new Schema({
${fields(next)
  .map((field) => `  ${field.name}: ${field.theirs},`)
  .join('\n')}
}, { timestamps: true });
export const ${name} = model('${name}', schema);
`;
