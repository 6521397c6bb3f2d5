/**
 * A process that runs the embedded server and sends its address, with the ms that loading its code and starting it took.
 * Argument: the folder of the data; in memory without one.
 */
const begin = performance.now();
const { startServer } = await import('@data-bridge/embedded');
const loaded = performance.now();
const [path] = process.argv.slice(2);
const { uri, close } = await startServer(path === undefined ? {} : { path });
process.send?.({ uri, loading: loaded - begin, starting: performance.now() - loaded });
process.once('disconnect', () => void close());
