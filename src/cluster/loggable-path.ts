/** A path for a message, in quotes; undefined where the text may be a secret that was put into the wrong input. */
export function loggablePath(text: string): string | undefined {
  if (text.length > 200 || /^eyJ/.test(text) || !/^(\$HOME|\$\{HOME\})?[\w.~@ /\\:-]+$/.test(text)) return undefined
  // A URL in the place of a path may have a password.
  if (/[a-z][a-z0-9+.-]+:\/|:[^/\\]*@/i.test(text)) return undefined
  const parts = text.split(/[/\\]/)
  // A token without dots and slashes looks like a file name, so a name alone is shown only if it is a usual one of such a file.
  const isPath = parts.length > 1 || /config|kube|\.(ya?ml|json|conf|pem|crt|cer|txt)$/i.test(text)
  return isPath && parts.every((part) => part.length <= 100 && !/^eyJ/.test(part)) ? JSON.stringify(text) : undefined
}
