import { readFileSync } from 'node:fs'

/** The text of a script without whole-line comments, indentation and blank lines: a pod's object keeps its recorder for the pod's life. `file`: ncc makes a path of the URL. */
export function scriptText(file: URL | string): string {
  return readFileSync(file, 'utf8')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .join('\n')
}
