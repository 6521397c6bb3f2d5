/** What is wrong at one place of a request, or of what it would store. */
export interface Issue {
  /** Dotted; empty where it is about the whole. */
  readonly path: string;
  readonly message: string;
}

/** An answer that is no success. */
export class HttpError extends Error {
  readonly statusCode: number;
  readonly code: string;
  readonly issues: readonly Issue[];

  constructor(
    statusCode: number,
    code: string,
    { issues = [], cause }: { readonly issues?: readonly Issue[]; readonly cause?: unknown } = {},
  ) {
    super(code, { cause });
    this.name = 'HttpError';
    this.statusCode = statusCode;
    this.code = code;
    this.issues = issues;
  }
}
