/**
 * A text that should be a URL, for a message: in place of user, password, query and fragment, which may be secret, it has an ellipsis. A text without
 * these parts is shown as it is, also where it is not a URL.
 */
export function urlForMessage(text: string): string {
  return /:\/\//.test(text) && /[@?#]/.test(text) ? (originAndPath(text) ?? notShown) : text
}

/** The same for a value that may be a secret as a whole, such as one of a kubeconfig: only the scheme and the host of a URL are shown. */
export function hostForMessage(text: string): string {
  const url = parse(text)
  return url ? `${url.protocol}//${url.host}` : notShown
}

const notShown = '(not shown)'

function originAndPath(text: string): string | undefined {
  const url = parse(text)
  if (!url) return undefined
  const user = url.username === '' && url.password === '' ? '' : '…@'
  const rest = url.search === '' && url.hash === '' ? '' : '?…'
  return `${url.protocol}//${user}${url.host}${url.pathname === '/' ? '' : url.pathname}${rest}`
}

/** Only where the parser finds a host: in `user:password@host` it finds a scheme and a path. */
function parse(text: string): URL | undefined {
  const url = URL.parse(text)
  return url && url.host !== '' ? url : undefined
}
