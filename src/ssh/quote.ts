import { SshError } from './errors.ts'

/** The words as one command line that a POSIX shell splits into the same words again. @throws SshError for a word with a NUL byte */
export function quoteForShell(argv: readonly string[]): string {
  return argv
    .map((word) => {
      if (word.includes('\0')) throw new SshError('a word of a command has a NUL byte')
      return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
    })
    .join(' ')
}
