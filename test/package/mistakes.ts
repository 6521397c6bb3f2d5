/** A statement of a user that must not compile, and what the compiler must say of it. */
export interface Mistake {
  readonly code: string;
  readonly says: string;
}

/** What the mistakes are made with. */
export const prelude = `import { model } from 'data-bridge';
import { z } from 'zod';
class User extends model('users', {
  name: z.string(),
  age: z.int().optional(),
  tags: z.array(z.string()).default([]),
  address: z.object({ city: z.string() }).optional(),
}) {}
const user = new User({ name: 'Ann' });
`;

export const mistakes: readonly Mistake[] = [
  { code: "void User.create({ nmae: 'Ann' });", says: "'nmae' does not exist in type '{ name: string; }" },
  { code: 'void User.create({});', says: "Property 'name' is missing" },
  { code: "user.age = 'x';", says: "Type 'string' is not assignable to type 'number'" },
  { code: 'user.nmae;', says: "Property 'nmae' does not exist on type 'User'" },
  { code: "void User.find({ nmae: 'Ann' });", says: "'nmae' does not exist in type 'Filter<User>'" },
  {
    code: "void User.find({ 'address.town': 'Rome' });",
    says: "''address.town'' does not exist in type 'Filter<User>'",
  },
  { code: "void User.find({ age: { $gt: 'x' } });", says: "Type 'string' is not assignable to type" },
  { code: 'void User.updateMany({}, { $inc: { name: 1 } });', says: 'this operator needs a field of numbers' },
  { code: 'void User.deleteMany();', says: 'Expected 1-2 arguments, but got 0' },
  { code: "user.$inc('name', 1);", says: 'Argument of type \'"name"\' is not assignable' },
  {
    code: "class Bad extends model('bad', { save: z.string() }) {}",
    says: 'is a member of every document: name the field otherwise and store it so: stored(',
  },
  {
    code: "class Worse extends model('worse', { name: 'text' }) {}",
    says: "Type 'string' is not assignable to type 'FieldSchema'",
  },
];
