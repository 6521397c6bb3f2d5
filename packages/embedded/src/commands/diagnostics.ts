import { arch, cpus, endianness, hostname, platform, release, totalmem } from 'node:os';
import { Double, Int32, Long } from 'bson';
import { integer } from '../values/number.ts';
import { DateTime, type Document, isDocument } from '../values/value.ts';
import { ServerError } from '../errors.ts';
import { type Command, command, type Context, type Request } from '../dispatch/command.ts';
import { MAX_DOCUMENT_SIZE, MONGODB_VERSION, PRODUCT } from '../messages/limits.ts';
import { documentOf } from '../messages/reply.ts';

function buildInfo(context: Context): Document {
  return documentOf({
    version: MONGODB_VERSION,
    versionArray: [...MONGODB_VERSION.split('.').map((part) => new Int32(Number(part))), new Int32(0)],
    product: PRODUCT,
    gitVersion: 'none',
    modules: [],
    storageEngines: [context.catalog.storage.name],
    javascriptEngine: 'none',
    bits: new Int32(64),
    debug: false,
    maxBsonObjectSize: new Int32(MAX_DOCUMENT_SIZE),
  });
}

function hostInfo(): Document {
  return documentOf({
    system: documentOf({
      currentTime: DateTime.now(),
      hostname: hostname(),
      cpuAddrSize: new Int32(64),
      memSizeMB: integer(Math.floor(totalmem() / 2 ** 20)),
      numCores: new Int32(cpus().length),
      cpuArch: arch(),
    }),
    os: documentOf({ type: platform(), name: platform(), version: release() }),
    extra: documentOf({ endianness: endianness() }),
  });
}

function serverStatus(context: Context): Document {
  const { current, total } = context.connections();
  const { storage } = context.catalog;
  const uptime = Date.now() - context.startedAt.getTime();
  return documentOf({
    host: hostname(),
    version: MONGODB_VERSION,
    product: PRODUCT,
    process: 'data-bridge-embedded',
    pid: integer(process.pid),
    uptime: new Double(Math.floor(uptime / 1000)),
    uptimeMillis: integer(uptime),
    localTime: DateTime.now(),
    connections: documentOf({ current: integer(current), totalCreated: integer(total) }),
    metrics: documentOf({ cursor: documentOf({ open: documentOf({ total: integer(context.cursors.count) }) }) }),
    storageEngine: documentOf({ name: storage.name, persistent: storage.persistent }),
  });
}

/** What clients ask for before they start: which features data may use. It stays what it is. */
const FEATURE_VERSION: Document = documentOf({ version: MONGODB_VERSION.replace(/\.\d+$/, '') });

/** The names of the parameters that there are. */
const PARAMETERS = ['featureCompatibilityVersion', 'cursorTimeoutMillis'];

function parametersOf({ cursors }: Context): Document {
  return documentOf({
    featureCompatibilityVersion: FEATURE_VERSION,
    cursorTimeoutMillis: Long.fromNumber(cursors.idleTimeout),
  });
}

function getParameter(context: Context, { name, fields }: Request): Document {
  const parameters = parametersOf(context);
  const wanted = fields.value(name);
  if (wanted === '*' || (isDocument(wanted) && wanted.get('allParameters') === true)) return parameters;
  const found = new Map([...parameters].filter(([parameter]) => fields.value(parameter) !== undefined));
  if (found.size === 0) throw new ServerError(72, 'no option found to get');
  return found;
}

function setParameter({ cursors }: Context, { fields }: Request): Document {
  const timeout = fields.count('cursorTimeoutMillis');
  if (timeout === undefined) throw new ServerError(72, 'no option found to set');
  const was = Long.fromNumber(cursors.idleTimeout);
  cursors.idleTimeout = timeout;
  return documentOf({ was });
}

function connectionStatus(): Document {
  return documentOf({
    authInfo: documentOf({ authenticatedUsers: [], authenticatedUserRoles: [] }),
  });
}

const build = command(buildInfo);

export const diagnosticCommands: Readonly<Record<string, Command>> = {
  buildInfo: build,
  buildinfo: build,
  hostInfo: command(hostInfo),
  getParameter: command(getParameter, PARAMETERS, { adminOnly: true }),
  setParameter: command(setParameter, ['cursorTimeoutMillis'], { adminOnly: true }),
  serverStatus: command(serverStatus),
  connectionStatus: command(connectionStatus, ['showPrivileges']),
  whatsmyuri: command((_context, { client }) => documentOf({ you: client.address })),
};
