/** Options of a URI whose values nobody should see: `proxyPassword`, `authMechanismProperties` with a session token, or what was meant for one. */
const SECRET_OPTION = /pass|pwd|secret|token|properties/i;

/** One `name=value` of a query. */
const OPTIONS = /([?&])([^=&#]*)=([^&#]*)/g;

/** `mongodb://user:secret@host/db?proxyPassword=secret` → `mongodb://host/db?proxyPassword=***`. */
export function withoutSecrets(uri: string): string {
  const credentials = credentialsOf(uri) ?? '';
  const open = uri.replace(uri.includes(`${credentials}@`) ? `${credentials}@` : credentials, () => '');
  return open.replaceAll(OPTIONS, (option, before: string, name: string) =>
    SECRET_OPTION.test(name) ? `${before}${name}=***` : option,
  );
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
  const options = [...uri.matchAll(OPTIONS)].filter(([, , name = '']) => SECRET_OPTION.test(name));
  // Those of `authMechanismProperties` are lists: `AWS_SESSION_TOKEN:secret,…`
  const values = options.flatMap(([, , , value = '']) => [value, ...decode(value).split(',').map(afterColon)]);
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
