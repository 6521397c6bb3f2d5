import { connect, model, StateTracker } from 'data-bridge';
import { assertDocument } from 'data-bridge/testing';
import { decimal } from 'data-bridge/zod';
import { z } from 'zod';

// What a user's own program looks like. It is compiled and run in a project that has nothing but the packed packages.
class User extends model(
  'users',
  {
    name: z.string().min(1),
    age: z.int().optional(),
    tags: z.array(z.string()).default([]),
    address: z.object({ city: z.string(), rent: decimal() }).optional(),
  },
  { timestamps: true },
) {
  get label(): string {
    return `${this.name}: ${this.tags.join(', ')}`;
  }
}

const connection = await connect('embedded:memory');
const user = await User.create({ name: 'Ann', address: { city: 'Paris', rent: '950.50' } });
user.tags.push('admin');
user.$inc('age', 41);
const paths: string[] = user.changes().map(({ path }) => path);
await user.save();

const stored: User | null = await User.findOne({ tags: 'admin', 'address.city': { $ne: 'Rome' } });
assertDocument(stored, user);
const rent: string | undefined = stored?.address?.rent.toString();
await connection.close();

const tracker = new StateTracker({ name: 'Ann', tags: ['a'] });
tracker.get('tags').push('b');
const changes: Partial<{ name: string; tags: string[] }> = tracker.getChanges();

console.log(JSON.stringify({ paths, label: stored?.label, age: stored?.age, rent, changes }));
