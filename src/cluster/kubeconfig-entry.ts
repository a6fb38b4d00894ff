import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { ConfigurationError, messageOf } from '../errors.ts'
import type { Entry } from './kubeconfig-files.ts'
import { shownPath } from './shown-path.ts'

/** A field with a path, from the folder of its kubeconfig on. */
export function pathIn({ fields, folder }: Entry, field: string): string | undefined {
  const path = text(fields[field])
  return path !== undefined && folder !== undefined ? resolve(folder, path) : path
}

/** `cluster "eu"`, for messages. */
export function nameOf(entry: Entry, what: 'cluster' | 'user'): string {
  return `${what} ${JSON.stringify(entry.name)}`
}

export function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

/** @throws ConfigurationError; `what` says whose file it is */
export function readNamedFile(path: string, what: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    const { code = messageOf(error) } = error as NodeJS.ErrnoException
    const cause = code === 'ENOENT' ? 'which is not there' : `which cannot be read (${code})`
    throw new ConfigurationError(
      `kubeconfig: ${what} is the file ${shownPath(path) ?? '(not shown)'}, ${cause}. ` +
        'Write it in a step before, or put its content into the kubeconfig (`kubectl config view --flatten`).',
    )
  }
}
