import { ConfigurationError } from '../../common/errors.ts'

/**
 * The headers of `as`, `as-uid`, `as-groups` and `as-user-extra` of a kubeconfig's user, as client-go sends them (transport/round_trippers.go).
 * @throws ConfigurationError where kubectl rejects them, too
 */
export function impersonationHeaders(user: Readonly<Record<string, unknown>>): Record<string, string | string[]> {
  const as = user['as']
  const uid = user['as-uid']
  const groups = headerValues(user['as-groups'], 'as-groups')
  const extra = Object.entries((user['as-user-extra'] ?? {}) as Record<string, unknown>).map(
    ([key, values]) => [key, headerValues(values, 'as-user-extra')] as const,
  )
  if (as == null || as === '') {
    if ((uid ?? '') === '' && groups.length === 0 && extra.length === 0) return {}
    throw invalid(
      'its user has as-uid, as-groups or as-user-extra, but no `as`',
      'Set `as` to the user to impersonate, or remove them.',
    )
  }
  const headers: Record<string, string | string[]> = { 'Impersonate-User': headerValue(as, 'as') }
  if (uid != null && uid !== '') headers['Impersonate-Uid'] = headerValue(uid, 'as-uid')
  if (groups.length > 0) headers['Impersonate-Group'] = groups
  for (const [key, values] of extra) headers[`Impersonate-Extra-${escapeKey(key)}`] = values
  return headers
}

function headerValue(value: unknown, field: string): string {
  const [text = ''] = headerValues([value], field)
  return text
}

function headerValues(value: unknown, field: string): string[] {
  const list: readonly unknown[] = value == null ? [] : Array.isArray(value) ? value : [undefined]
  if (list.every((item) => typeof item === 'string' && /^[\x20-\x7e]*$/.test(item))) return list as string[]
  throw invalid(
    `${field} of its user contains something else than ASCII text in one line`,
    'Correct it in the kubeconfig.',
  )
}

function invalid(problem: string, fix: string): ConfigurationError {
  return new ConfigurationError({ code: 'E_KUBECONFIG_USER_INVALID', input: 'kubeconfig', problem, fix })
}

/** Bytes that the name of a header cannot contain are sent as %XX. */
function escapeKey(key: string): string {
  return [...Buffer.from(key)]
    .map((byte) => {
      const letter = String.fromCharCode(byte)
      return /[\w!#$&'*+.^`|~-]/.test(letter) ? letter : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
    })
    .join('')
}
