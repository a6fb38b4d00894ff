import { ConfigurationError } from '../errors.ts'

/**
 * The headers of `as`, `as-uid`, `as-groups` and `as-user-extra` of a kubeconfig's user, as client-go sends them (transport/round_trippers.go).
 * @throws ConfigurationError where kubectl refuses them, too
 */
export function impersonationHeaders(user: Readonly<Record<string, unknown>>): Record<string, string | string[]> {
  const as = user['as']
  const uid = user['as-uid']
  const groups = wordsOf(user['as-groups'], 'as-groups')
  const extra = Object.entries((user['as-user-extra'] ?? {}) as Record<string, unknown>).map(
    ([key, values]) => [key, wordsOf(values, 'as-user-extra')] as const,
  )
  if (as == null || as === '') {
    if ((uid ?? '') === '' && groups.length === 0 && extra.length === 0) return {}
    throw new ConfigurationError(
      'kubeconfig: its user has as-uid, as-groups or as-user-extra, but no `as`. Name the user to impersonate, or remove them.',
    )
  }
  const headers: Record<string, string | string[]> = { 'Impersonate-User': wordOf(as, 'as') }
  if (uid != null && uid !== '') headers['Impersonate-Uid'] = wordOf(uid, 'as-uid')
  if (groups.length > 0) headers['Impersonate-Group'] = groups
  for (const [key, values] of extra) headers[`Impersonate-Extra-${escapeKey(key)}`] = values
  return headers
}

function wordOf(value: unknown, field: string): string {
  const [word = ''] = wordsOf([value], field)
  return word
}

function wordsOf(value: unknown, field: string): string[] {
  const list: readonly unknown[] = value == null ? [] : Array.isArray(value) ? value : [undefined]
  if (list.every((one) => typeof one === 'string' && /^[\x20-\x7e]*$/.test(one))) return list as string[]
  throw new ConfigurationError(
    `kubeconfig: ${field} of its user must be made of words without line breaks. Correct it there.`,
  )
}

/** What no name of a header may have is sent as %XX of its bytes. */
function escapeKey(key: string): string {
  return [...Buffer.from(key)]
    .map((byte) => {
      const letter = String.fromCharCode(byte)
      return /[\w!#$&'*+.^`|~-]/.test(letter) ? letter : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
    })
    .join('')
}
