import { readdir, readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { messageOf, type Problem } from '../common/errors.ts'
import { statePath, type CaptureState, type StatePointer } from './state.ts'

/** What main left for post. */
export interface SavedRun {
  readonly phase: StatePointer['phase']
  readonly captures: readonly CaptureState[]
  /** captures whose state cannot be read */
  readonly problems: readonly Problem[]
}

/** The state in GITHUB_STATE; undefined where main saved none. @throws Error where it is damaged */
export function parsePointer(text: string): StatePointer | undefined {
  if (text === '') return undefined
  const value = parseObject(text)
  const { phase, folder, captureIds, captureCount } = value
  const hasIds = Array.isArray(captureIds) && captureIds.every((id) => typeof id === 'string' && /^[\w-]+$/.test(id))
  const isWhole = typeof phase === 'string' && typeof folder === 'string' && Number.isSafeInteger(captureCount)
  if (!hasIds || !isWhole) {
    throw new Error('the saved state of the step is damaged')
  }
  return value as unknown as StatePointer
}

/** Reads the files that the pointer names. Never rejects: a file that is missing or damaged is a problem beside the others. */
export async function loadRun({ phase, folder, captureIds, captureCount }: StatePointer): Promise<SavedRun> {
  const ids = captureCount > captureIds.length ? await idsIn(folder, captureIds) : captureIds
  const captures: CaptureState[] = []
  const problems: Problem[] = []
  for (const captureId of ids) {
    try {
      captures.push(parseCapture(await readFile(statePath(folder, captureId), 'utf8'), captureId))
    } catch (error) {
      problems.push(unreadable(folder, captureId, error))
    }
  }
  const missingCount = captureCount - captures.length - problems.length
  if (missingCount > 0) problems.push(unreadable(folder, `(${missingCount} more)`, new Error('there is no such file')))
  return { phase, captures, problems }
}

async function idsIn(folder: string, known: readonly string[]): Promise<readonly string[]> {
  const names = await readdir(folder).catch(() => [])
  const found = names.filter((name) => name.endsWith('.json')).map((name) => basename(name, '.json'))
  return [...new Set([...known, ...found])]
}

function parseCapture(text: string, captureId: string): CaptureState {
  const value = parseObject(text)
  const record = (value['record'] ?? {}) as Record<string, unknown>
  const isWhole =
    record['captureId'] === captureId &&
    ['path', 'partPath'].every((name) => typeof record[name] === 'string') &&
    ['target', 'method', 'plan'].every((name) => isObject(record[name])) &&
    Array.isArray(value['hints'])
  if (!isWhole) throw new Error('it is damaged')
  return value as unknown as CaptureState
}

function parseObject(text: string): Record<string, unknown> {
  const value: unknown = JSON.parse(text)
  if (!isObject(value)) throw new Error('it is damaged')
  return value
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function unreadable(folder: string, captureId: string, error: unknown): Problem {
  return {
    code: 'E_STATE_UNREADABLE',
    input: 'RUNNER_TEMP',
    problem: `the saved state of the capture ${captureId} in ${folder} cannot be read (${messageOf(error)}), so it cannot be finished`,
    fix: 'Its recorder ends by itself. Keep the files in RUNNER_TEMP until the job has ended.',
  }
}
