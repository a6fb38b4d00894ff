/** A path as it may stand in a log; undefined where the text may be a secret that was put into the wrong input. */
export function shownPath(text: string): string | undefined {
  if (text.length > 200 || /^eyJ/.test(text) || !/^[\w.~@ /\\:-]+$/.test(text)) return undefined
  const parts = text.split(/[/\\]/)
  // A token without dots and slashes looks like a name; of names only those that files of this kind have are shown.
  const named = parts.length > 1 || /config|kube|\.(ya?ml|json|conf|pem|crt|cer|txt)$/i.test(text)
  return named && parts.every((part) => part.length <= 100 && !/^eyJ/.test(part)) ? JSON.stringify(text) : undefined
}
