import { startServer } from '@data-bridge/embedded';
import { connect, model, StateTracker } from 'data-bridge';
import { z } from 'zod';

// What a user's own program looks like. It is compiled and run in a project that has nothing but the packed packages.
const tracker = new StateTracker({ name: 'Ann', tags: ['a'] });
tracker.get('tags').push('b');
const changes: Partial<{ name: string; tags: string[] }> = tracker.getChanges();

class User extends model('users', { name: z.string(), tags: z.array(z.string()) }) {
  get label(): string {
    return `${this.name}: ${this.tags.join(', ')}`;
  }
}

const server = await startServer();
const connection = await connect(`${server.uri}shop`);
const user = await User.create({ name: 'Ann', tags: ['a'] });
user.tags.push('b');
await user.save();
const stored: User | null = await User.findById(user._id);
await connection.close();
await server.close();

console.log(JSON.stringify({ changes, stored: stored?.label }));
