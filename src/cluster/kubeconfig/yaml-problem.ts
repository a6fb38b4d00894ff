/** The fields of a kubeconfig, for messages: what else stands before a colon may be a part of a value. */
const fields: ReadonlySet<string> = new Set([
  ...['apiVersion', 'kind', 'preferences', 'current-context', 'clusters', 'contexts', 'users', 'extensions', 'name'],
  ...['cluster', 'server', 'certificate-authority', 'certificate-authority-data', 'insecure-skip-tls-verify'],
  ...['tls-server-name', 'proxy-url', 'disable-compression', 'context', 'namespace', 'user'],
  ...['client-certificate', 'client-certificate-data', 'client-key', 'client-key-data', 'token', 'tokenFile'],
  ...['token-file', 'username', 'password', 'as', 'as-uid', 'as-groups', 'as-user-extra', 'auth-provider', 'config'],
  ...['exec', 'command', 'args', 'env', 'value', 'installHint', 'interactiveMode', 'provideClusterInfo'],
])

/** The messages of js-yaml that are passed on: they have nothing of the text in them. */
const knownReasons: ReadonlySet<string> = new Set([
  ...['duplicated mapping key', 'bad indentation of a mapping entry', 'bad indentation of a sequence entry'],
  ...['deficient indentation', 'tab characters must not be used in indentation', 'unknown escape sequence'],
  ...['missed comma between flow collection entries', 'unexpected end of the stream within a flow collection'],
  ...['unexpected end of the stream within a single quoted scalar', 'a line break is expected'],
  ...['unexpected end of the stream within a double quoted scalar', 'expected hexadecimal character'],
  ...['unexpected end of the document within a single quoted scalar', "expected ':' after a mapping key"],
  ...['unexpected end of the document within a double quoted scalar', 'expected valid JSON character'],
  ...['can not read a block mapping entry; a multiline key may not be an implicit key', 'can not read a document'],
  ...['end of the stream or a document separator is expected', "expected the node content, but found ','"],
  ...['expected a single document in the stream, but found more', 'the stream contains non-printable characters'],
])

/** What a message quotes a part of the text for. */
const quotingReasons: readonly (readonly [RegExp, string])[] = [
  [/^(unknown \w+ tag|cannot resolve a node|tag |undeclared tag)/, 'a value begins with an exclamation mark'],
  [/alias/, 'a value begins with an asterisk'],
]

/**
 * What is wrong with a YAML text, with its position and the field that it is in. The parser quotes the text in its messages (`token: !S3cret`), so only
 * those without a quotation are passed on.
 */
export function yamlProblem(text: string, error: unknown): string {
  const { reason, mark } = error as {
    reason?: unknown
    mark?: { line?: unknown; column?: unknown; position?: unknown }
  }
  const cause = reasonText(typeof reason === 'string' ? reason : '')
  const { line, column, position } = mark ?? {}
  if (typeof line !== 'number' || typeof column !== 'number') return cause
  const field = typeof position === 'number' ? fieldBefore(text.slice(0, position)) : undefined
  const key = field === undefined ? '' : `, after the key ${JSON.stringify(field)}`
  return `${cause} (line ${line + 1}, column ${column + 1}${key})`
}

function reasonText(reason: string): string {
  if (knownReasons.has(reason)) return reason
  const quoting = quotingReasons.find(([pattern]) => pattern.test(reason))
  return quoting === undefined ? 'it is not valid YAML' : `it is not valid YAML: ${quoting[1]}, which must be in quotes`
}

/** The last field in the text; it may be up to a few lines before the position that the parser reports. */
function fieldBefore(text: string): string | undefined {
  const found = [...text.slice(-4096).matchAll(/([A-Za-z][\w-]*)["']?\s*:(?=\s|$|["'{[])/g)].map(([, key]) => key)
  const last = found.at(-1)
  return last !== undefined && fields.has(last) ? last : undefined
}
