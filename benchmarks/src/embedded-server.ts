/**
 * A process that runs the embedded server and sends its address, with the ms that loading and starting it took. Argument:
 * the folder of the data; in memory without one.
 */
const start = performance.now();
const { startServer } = await import('@data-bridge/embedded');
const [path] = process.argv.slice(2);
const { uri, close } = await startServer(path === undefined ? {} : { path });
process.send?.({ uri, ms: performance.now() - start });
process.once('disconnect', () => void close());
