/**
 * The path of a request: each value is one segment, or a part of the query, percent-encoded. Names in it are checked where they are read; this holds
 * also for one that was forgotten.
 * @throws TypeError for a segment that a URL parser removes or merges: empty, `.` or `..`
 */
export function urlPath(strings: TemplateStringsArray, ...values: readonly string[]): string {
  return strings.reduce((path, text, i) => path + segment(values[i - 1] ?? '') + text)
}

/** `@` needs no encoding (RFC 3986, pchar), and some servers compare addresses of accounts as they are written. */
function segment(value: string): string {
  if (value === '' || value === '.' || value === '..') {
    throw new TypeError(`${JSON.stringify(value)} cannot be a part of the path of a request`)
  }
  return encodeURIComponent(value.toWellFormed()).replaceAll('%40', '@')
}
