import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'

/** The files for the commands of a step to the runner, new for every step. */
export interface FileCommands {
  env: Record<string, string>
  /** What the step wrote. Problems are the runner's messages for a file that it cannot read. */
  read(): FileCommandResult
}

export interface FileCommandResult {
  outputs: Record<string, string>
  state: Record<string, string>
  env: Record<string, string>
  path: string[]
  summary: string
  problems: string[]
}

/** The runner drops a larger summary and reports that. */
const SUMMARY_LIMIT = 1024 * 1024

export function createFileCommands(temp: string): FileCommands {
  const folder = join(temp, '_runner_file_commands')
  mkdirSync(folder, { recursive: true })
  const id = randomUUID()
  const make = (name: string): string => {
    const path = join(folder, `${name}_${id}`)
    writeFileSync(path, '')
    return path
  }
  const files = {
    GITHUB_OUTPUT: make('set_output'),
    GITHUB_STATE: make('save_state'),
    GITHUB_ENV: make('set_env'),
    GITHUB_PATH: make('add_path'),
    GITHUB_STEP_SUMMARY: make('step_summary'),
  }
  return {
    env: files,
    read() {
      const problems: string[] = []
      const pairs = (path: string, what: string): Record<string, string> => {
        try {
          return parseAssignments(readFileSync(path, 'utf8'))
        } catch (error) {
          problems.push(`Unable to process file command '${what}' successfully. ${(error as Error).message}`)
          return {}
        }
      }
      const env = pairs(files.GITHUB_ENV, 'env')
      if ('NODE_OPTIONS' in env) {
        problems.push(`Can't store NODE_OPTIONS output parameter using '$GITHUB_ENV' command.`)
        delete env.NODE_OPTIONS
      }
      let summary = readFileSync(files.GITHUB_STEP_SUMMARY, 'utf8')
      const size = Buffer.byteLength(summary)
      if (size > SUMMARY_LIMIT) {
        problems.push(
          `$GITHUB_STEP_SUMMARY upload aborted, supports content up to a size of 1024k, got ${String(Math.floor(size / 1024))}k.`,
        )
        summary = ''
      }
      return {
        outputs: pairs(files.GITHUB_OUTPUT, 'output'),
        state: pairs(files.GITHUB_STATE, 'state'),
        env,
        path: readFileSync(files.GITHUB_PATH, 'utf8').split(/\r?\n/).filter(Boolean),
        summary,
        problems,
      }
    },
  }
}

/** `name=value` lines and `name<<delimiter` blocks; the mark that comes first in the line decides. */
export function parseAssignments(text: string): Record<string, string> {
  const found: Record<string, string> = {}
  const lines = text.split(/\r?\n/)
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at] ?? ''
    if (line === '') continue
    const equals = line.indexOf('=')
    const block = line.indexOf('<<')
    if (block !== -1 && (equals === -1 || block < equals)) {
      const name = line.slice(0, block)
      const delimiter = line.slice(block + 2)
      if (name === '' || delimiter === '')
        throw new Error(`Invalid format '${line}'. Name and delimiter must not be empty`)
      const end = lines.indexOf(delimiter, at + 1)
      if (end === -1) throw new Error(`Invalid value. Matching delimiter not found '${delimiter}'`)
      found[name] = lines.slice(at + 1, end).join('\n')
      at = end
    } else if (equals > 0) {
      found[line.slice(0, equals)] = line.slice(equals + 1)
    } else {
      throw new Error(`Invalid format '${line}'`)
    }
  }
  return found
}
