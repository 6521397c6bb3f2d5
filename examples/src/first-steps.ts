import { connect, model } from 'data-bridge';
import { z } from 'zod';

class User extends model('users', {
  name: z.string().min(1),
  tags: z.array(z.string()).default([]),
  address: z.object({ city: z.string(), zip: z.string() }),
}) {}

const db = await connect('embedded:memory');
const user = await User.create({ name: 'Ann', address: { city: 'Oslo', zip: '0150' } });
user.tags.push('admin');
user.address.city = 'Bergen';
console.log(JSON.stringify(user.$state.toUpdate()?.update)); // what save() is going to send
await user.save();
await db.close();
