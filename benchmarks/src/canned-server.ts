/**
 * A process that speaks just enough of MongoDB's protocol to send finished replies: what is timed against it is the
 * client. Started by `startCannedServer()` in processes.ts; tells its port, and how many commands it got when asked.
 */
import { createServer, type Socket } from 'node:net';
import { answer } from './canned-replies.ts';

let commands = 0;
let replyId = 0;

function respond(socket: Socket, message: Buffer): void {
  const { kind, body, counts } = answer(message);
  if (counts) commands++;
  const header = Buffer.allocUnsafe(16);
  header.writeInt32LE(16 + body.length, 0);
  header.writeInt32LE(++replyId | 0, 4);
  header.writeInt32LE(message.readInt32LE(4), 8);
  header.writeInt32LE(kind, 12);
  socket.cork();
  socket.write(header);
  socket.write(body);
  socket.uncork();
}

function serve(socket: Socket): void {
  socket.setNoDelay(true);
  let pending: Buffer = Buffer.alloc(0);
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk) => {
    pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
    while (pending.length >= 16 && pending.length >= pending.readInt32LE(0)) {
      const size = pending.readInt32LE(0);
      respond(socket, pending.subarray(0, size));
      pending = pending.subarray(size);
    }
  });
}

const server = createServer(serve);
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  process.send?.({ port: typeof address === 'object' ? address?.port : undefined });
});
process.on('message', () => process.send?.({ commands }));
process.on('disconnect', () => process.exit());
