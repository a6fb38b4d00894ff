import { readFileSync } from 'node:fs'

/** The programs that run beside the target; real files, so that shellcheck and a terminal can read them. */
export const recorderScript = withoutComments(readFileSync(new URL('./recorder.sh', import.meta.url), 'utf8'))
export const followerScript = withoutComments(readFileSync(new URL('./follower.sh', import.meta.url), 'utf8'))
/** On a node: what runs the recorder there, and what runs that. */
export const insideScript = withoutComments(readFileSync(new URL('./node-inside.sh', import.meta.url), 'utf8'))
export const outsideScript = withoutComments(readFileSync(new URL('./node-outside.sh', import.meta.url), 'utf8'))

/** Whole-line comments, indentation and blank lines: every entry of a capture stays in the pod's object for the pod's life. */
function withoutComments(script: string): string {
  return script
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .join('\n')
}
