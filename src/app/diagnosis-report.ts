import { writeFile } from 'node:fs/promises'
import { basename } from 'node:path'
import type { CaptureResult } from '../capture/capture-result.ts'
import { addressNames } from '../cluster/address-names.ts'
import type { Connection } from '../cluster/connection.ts'
import type { RecordedTarget } from '../capture/record.ts'
import { messageOf } from '../common/errors.ts'
import { orTimeout, timedOut } from '../common/timeouts.ts'
import { addressesIn, withNames, type AddressNames } from '../report/address-names.ts'
import { findingsJson } from '../report/findings-json.ts'
import type { DiagnosisReport } from '../report/report.ts'
import type { Log } from '../runner/log.ts'
import type { DiagnosisOutcome } from './live-diagnosis.ts'

/** Names are a help for the reader: the result does not wait longer for them. */
const namesTimeoutMs = 3_000

/**
 * What is reported of a diagnosis: with names in place of addresses, as far as the user's rights go. `connection`: undefined where the
 * cluster is not asked
 */
export async function nameDiagnosis(
  outcome: DiagnosisOutcome,
  { record, path }: Pick<CaptureResult, 'record' | 'path'>,
  connection: Connection | undefined,
): Promise<DiagnosisReport> {
  if (outcome.kind === 'failed') return outcome
  const { diagnosis } = outcome
  const own = ownNames(record.target)
  const others = [...addressesIn(diagnosis)].filter((address) => !own.has(address))
  const found = others.length > 0 && connection ? await namesIn(record.target, connection) : new Map<string, string>()
  const names = new Map([...found, ...own])
  return {
    kind: 'diagnosed',
    diagnosis: withNames(diagnosis, names),
    names,
    fileName: basename(path ?? record.path),
    findingsPath: undefined,
    findingsArtifact: undefined,
  }
}

function ownNames(target: RecordedTarget): AddressNames {
  return new Map(target.kind === 'pod' ? target.addresses.map((address) => [address, target.pod]) : [])
}

async function namesIn(target: RecordedTarget, connection: Connection): Promise<AddressNames> {
  if (target.kind === 'node') return new Map()
  const names = addressNames(connection, target.namespace).catch(() => new Map<string, string>())
  const found = await orTimeout(names, namesTimeoutMs)
  return found === timedOut ? new Map() : found
}

/** Writes findings.json beside the capture. A failure is a warning: the diagnosis is in the log and in the summary, too. */
export async function writeFindings(
  report: DiagnosisReport,
  { path }: Pick<CaptureResult, 'path'>,
  log: Log,
): Promise<DiagnosisReport> {
  if (report.kind === 'failed' || path === undefined) return report
  const findingsPath = path.replace(/\.pcap$/, '-findings.json')
  try {
    await writeFile(findingsPath, `${findingsJson(report.diagnosis, report.fileName)}\n`, { mode: 0o600 })
    return { ...report, findingsPath }
  } catch (error) {
    log.warning(`The findings cannot be written to ${findingsPath}: ${messageOf(error)}`)
    return report
  }
}
