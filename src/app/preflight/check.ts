import type { Problem } from '../../common/errors.ts'
import { problemsOf } from '../../cluster/answer.ts'
import type { Connection } from '../../cluster/connection.ts'

/** What one check of preflight came to. */
export interface CheckResult<T = void> {
  /** what was checked and found, one line each */
  readonly findings: readonly string[]
  readonly problems: readonly Problem[]
  /** what else the user should know, one sentence or more each */
  readonly hints?: readonly string[]
  /** why the capture may not be what the user expects, one sentence or more each: a warning, also in the summary */
  readonly cautions?: readonly string[]
  /** what later checks or the capture need; undefined where a problem prevents it */
  readonly value?: T | undefined
}

/** Collects what a check comes to, also where it fails half way. */
export interface CheckNotes {
  readonly findings: string[]
  readonly problems: Problem[]
  readonly hints: string[]
  readonly cautions: string[]
}

/** Turns what a check throws into problems. */
export type Explain = (error: unknown) => readonly Problem[]

/** Runs a check. It never rejects: an error becomes problems beside those of the other checks. */
export async function runCheck<T>(
  explain: Explain,
  body: (notes: CheckNotes) => Promise<T | undefined>,
): Promise<CheckResult<T>> {
  const notes: CheckNotes = { findings: [], problems: [], hints: [], cautions: [] }
  try {
    return { ...notes, value: await body(notes) }
  } catch (error) {
    notes.problems.push(...explain(error))
    return notes
  }
}

/** For a check that asks the API server. `what`: what it requests, a noun phrase (`the pod "web-1"`). */
export function requesting(connection: Connection, what: string): Explain {
  return (error) => problemsOf(connection, error, what)
}
