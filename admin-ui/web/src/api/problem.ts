/** What the server says when something did not work (RFC 9457). */
export class Problem extends Error {
  constructor(
    /** The HTTP status, or 0 if the server could not be reached. */
    readonly status: number,
    /** A stable word for the kind of problem: the last part of `type`. */
    readonly slug: string,
    readonly title: string,
    readonly detail: string,
    /** Seconds after which to try again, if the server says so. */
    readonly retryAfter: number | null = null,
    /** The rest of the document. */
    readonly more: Record<string, unknown> = {},
  ) {
    super(detail || title);
  }
}

/** The problem in an answer that is not 2xx. */
export async function problemOf(response: Response): Promise<Problem> {
  const wait = Number(response.headers.get('retry-after'));
  const retry = Number.isFinite(wait) && wait > 0 ? wait : null;
  try {
    const body = (await response.json()) as Record<string, unknown>;
    const type = String(body.type ?? '');
    const slug = type.split(/[/#:]/).pop() || `http-${response.status}`;
    return new Problem(
      response.status,
      slug,
      String(body.title ?? ''),
      String(body.detail ?? ''),
      retry,
      body,
    );
  } catch {
    return new Problem(response.status, `http-${response.status}`, response.statusText, '', retry);
  }
}
