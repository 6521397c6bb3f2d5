// Where a change stream may go on.
// https://www.mongodb.com/docs/manual/changeStreams/#resume-tokens
import { type Document, documentOf, typeOrMissing, type Value } from '../values/value.ts';
import { ServerError } from '../errors.ts';
import { hexOf, positionOf } from '../storage/log-position.ts';
import type { LogPosition } from '../storage/storage.ts';

/** What a token is of: an event, the event that ended its stream, or a place in the log behind all that was looked at. */
export type TokenKind = 'event' | 'invalidate' | 'mark';

export interface ResumeToken {
  readonly position: LogPosition;
  readonly kind: TokenKind;
}

/** The digits that follow those of the position. The order of two tokens' texts is that of what they stand for. */
const SUFFIXES: Readonly<Record<TokenKind, string>> = { event: '04', invalidate: '08', mark: 'ff' };

/** What every token begins with. */
const PREFIX = '82';

export function writeToken({ position, kind }: ResumeToken): Document {
  return documentOf(['_data', PREFIX + hexOf(position) + SUFFIXES[kind]]);
}

/** Throws 40647 for what is no token, 9 or 260 for one that is not of this server. */
export function readToken(token: Document): ResumeToken {
  const data: Value | undefined = token.get('_data');
  if (typeof data !== 'string') {
    throw new ServerError(
      40647,
      `Bad resume token: _data of missing or of wrong type, expected string, got ${typeOrMissing(data)}`,
    );
  }
  if (!/^(?:[\da-f]{2})+$/i.test(data)) throw new ServerError(9, 'resume token string was not a valid hex string');
  const [, position, suffix] = /^82([\da-f]{24})(04|08|ff)$/i.exec(data) ?? [];
  const kind = (Object.keys(SUFFIXES) as TokenKind[]).find((name) => SUFFIXES[name] === suffix?.toLowerCase());
  if (position === undefined || kind === undefined) {
    throw new ServerError(260, 'The resume token is not one of this server.');
  }
  return { position: positionOf(position), kind };
}
