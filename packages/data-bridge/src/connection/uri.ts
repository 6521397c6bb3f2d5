/**
 * Options of a URI whose values may be seen, in small letters. Nobody should see those of others: `proxyPassword`,
 * `authMechanismProperties` with a session token, or a name that nobody knows and that was meant for one of them.
 */
const SHOWN_OPTIONS: ReadonlySet<string> = new Set(
  (
    'appname authmechanism authsource compressors connecttimeoutms directconnection heartbeatfrequencyms journal ' +
    'loadbalanced localthresholdms maxconnecting maxidletimems maxpoolsize maxstalenessseconds minheartbeatfrequencyms ' +
    'minpoolsize proxyhost proxyport readconcernlevel readpreference readpreferencetags replicaset retryreads ' +
    'retrywrites servermonitoringmode serverselectiontimeoutms sockettimeoutms srvmaxhosts srvservicename ssl ' +
    'timeoutms tls tlsallowinvalidcertificates tlsallowinvalidhostnames tlscafile tlscertificatekeyfile tlscrlfile ' +
    'tlsinsecure w waitqueuetimeoutms wtimeout wtimeoutms zlibcompressionlevel'
  ).split(' '),
);

/** Names whose values are secrets, however short. */
const SECRET_OPTION = /pass|pwd|secret|token|properties/i;
/** The values of other unknown options are looked for in messages only where they are no everyday words. */
const LONG = 6;

/** One `name=value` of a query, or a `name` alone. */
const OPTIONS = /([?&])([^=&#]+)(?:=([^&#]*))?/g;

/** `mongodb://user:secret@host/db?proxyPassword=secret` → `mongodb://host/db?proxyPassword=***`. */
export function withoutSecrets(uri: string): string {
  const credentials = credentialsOf(uri) ?? '';
  const open = uri.replace(uri.includes(`${credentials}@`) ? `${credentials}@` : credentials, () => '');
  return open.replaceAll(OPTIONS, (option, before: string, name: string, value: string | undefined) => {
    if (isShown(name)) return option;
    return value === undefined ? `${before}***` : `${before}${name}=***`;
  });
}

function isShown(name: string): boolean {
  return SHOWN_OPTIONS.has(name.toLowerCase());
}

/** The names of the options in a URI, as they are written there. */
export function optionsIn(uri: string): string[] {
  return Array.from(uri.matchAll(OPTIONS), ([, , name = '']) => name);
}

/** A text with `***` for what is secret in the URI. */
export function hideSecrets(uri: string, text: string): string {
  return secretsOf(uri).reduce((shown, secret) => shown.replaceAll(secret, '***'), text);
}

/**
 * What stands before the last `@` ahead of the path. A password with a `/`, `?` or `#` that was not encoded reaches
 * further than that: where a URI has only a later `@`, all before it is taken for secret. So is what stands in the place
 * of the hosts and cannot be some: the host may have been forgotten.
 */
function credentialsOf(uri: string): string | undefined {
  const [, proper, rest = ''] = /^(?:[^:/?#]+:\/\/)?(?:([^/?#]*)@)?(.*)$/s.exec(uri) ?? [];
  if (proper !== undefined) return proper;
  const [, improper] = /^(.*:.*)@/s.exec(rest) ?? [];
  if (improper !== undefined) return improper;
  const [hosts = ''] = /^[^/?#]*/.exec(rest) ?? [];
  return hosts.split(',').every((host) => HOST.test(host)) ? undefined : hosts;
}

/** A name, an address, or the path of a socket, and the port. */
const HOST = /^(?:\[[^\]]*\]|[^:]*)(?::\d*)?$/;

/** The secrets of a URI, as written there and decoded: user and password together, the password, the values of options. */
function secretsOf(uri: string): string[] {
  const credentials = credentialsOf(uri) ?? '';
  const options = [...uri.matchAll(OPTIONS)].filter(([, , name = '']) => !isShown(name));
  // Those of `authMechanismProperties` are lists: `AWS_SESSION_TOKEN:secret,…` What has no value may be one.
  const values = options.flatMap(([, , name = '', value = name]) =>
    [value, ...decode(value).split(',').map(afterColon)].filter(
      (secret) => SECRET_OPTION.test(name) || secret.length >= LONG,
    ),
  );
  const written = [credentials, afterColon(credentials), ...values];
  return [...written, ...written.map(decode)].filter((secret) => secret !== '');
}

function afterColon(text: string): string {
  return text.slice(text.indexOf(':') + 1);
}

/** The text itself where it is not encoded well. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
