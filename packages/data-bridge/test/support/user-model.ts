import { z } from 'zod';
import { model, objectId } from '../../src/index.ts';

/** A model with each kind of member: optional ones, a list, an object in an object, and what a class adds. */
export class User extends model('users', {
  name: z.string(),
  age: z.int().optional(),
  tags: z.array(z.string()).default([]),
  address: z.object({ city: z.string(), geo: z.object({ lat: z.number() }).optional() }).optional(),
  friend: objectId().optional(),
}) {
  get label() {
    return `${this.name} (${this.age ?? '?'})`;
  }

  set initial(initial: string) {
    this.name = initial + this.name.slice(1);
  }

  birthday(): this {
    this.age = (this.age ?? 0) + 1;
    return this;
  }
}
