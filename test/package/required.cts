// CommonJS: Node.js 20.19 and newer load ES modules by `require`, and TypeScript knows.
// oxlint-disable-next-line typescript/no-require-imports -- what this file is about
import bridge = require('data-bridge');
// oxlint-disable-next-line typescript/no-require-imports -- what this file is about
import zod = require('zod');

class Note extends bridge.model('notes', { text: zod.z.string() }) {}

async function main(): Promise<void> {
  const connection = await bridge.connect('embedded:memory');
  const note = await Note.create({ text: 'one' });
  note.text = 'two';
  await note.save();
  const stored: Note | null = await Note.findById(note._id);
  await connection.close();
  console.log(JSON.stringify(stored?.text));
}

void main();
