/**
 * Words of a node or a pod, cut to `most` UTF-16 units, for the state of the run: that travels to the post step in one environment variable,
 * for which Linux has 128 KiB (MAX_ARG_STRLEN). Control characters, of which JSON makes six each, become blanks.
 */
export function foreignWords(text: string, most: number): string {
  return text
    .slice(0, most)
    .replace(/[\u0000-\u001f\u007f]/g, ' ')
    .toWellFormed()
}
