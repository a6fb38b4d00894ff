import { resolve } from 'node:path'
import { ConfigurationError, messageOf } from '../../common/errors.ts'
import { readRegularFile, UnreadableFile } from '../../common/read-file.ts'
import { loggablePath } from '../loggable-path.ts'

/** A context, a cluster or a user of a kubeconfig, unchecked. */
export interface Entry extends EntryFields {
  readonly name: string
}

/** The user of a context: an empty one without a name where the context names none. */
export interface UserEntry extends EntryFields {
  readonly name: string | undefined
}

interface EntryFields {
  readonly fields: Readonly<Record<string, unknown>>
  /** the folder of its file, where its relative paths begin; undefined for a kubeconfig given as content */
  readonly folder: string | undefined
}

/** The path in a field, resolved against the folder of the kubeconfig. */
export function pathIn({ fields, folder }: EntryFields, field: string): string | undefined {
  const path = textOf(fields[field])
  return path !== undefined && folder !== undefined ? resolve(folder, path) : path
}

/** For the end of a fix: a shell would have replaced a part of the path; empty where none is there. */
export function unexpandedHint(path: string): string {
  return /(^|[/,:])~\/|\$\{?HOME\b/.test(path)
    ? ' Write the whole path: `~/` and `$HOME` are replaced by shells alone, not by kubectl and not by this action.'
    : ''
}

/** `cluster "eu"`, for messages. */
export function entryName({ name }: UserEntry, kind: 'cluster' | 'user'): string {
  return name === undefined ? `${kind} (none)` : `${kind} ${JSON.stringify(name)}`
}

/** A string that is not empty, else undefined. */
export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

/**
 * Reads a file that a kubeconfig names. `field`: which one, as the subject of a sentence. `given`: the text of the field, where the path was made from
 * it: in a folder, a token that stands in the wrong field looks like a path.
 * @throws ConfigurationError
 */
export function readNamedFile(path: string, field: string, given: unknown = path): string {
  try {
    return readRegularFile(path).toString('utf8')
  } catch (error) {
    const isMissing = error instanceof UnreadableFile && error.code === 'ENOENT'
    const cause = isMissing ? 'which does not exist' : `which cannot be read (${messageOf(error)})`
    const isShown = loggablePath(String(given)) !== undefined
    throw new ConfigurationError({
      code: 'E_KUBECONFIG_FILE_UNREADABLE',
      input: 'kubeconfig',
      problem: `${field} is the file ${(isShown ? loggablePath(path) : undefined) ?? '(not shown)'}, ${cause}`,
      fix: `Create it in an earlier step, or put its content into the kubeconfig (\`kubectl config view --flatten\`).${unexpandedHint(path)}`,
    })
  }
}
