import { CaptureDiagnosis } from '../../src/analysis/capture-diagnosis.ts'
import type { Diagnosis, DiagnosisOptions } from '../../src/analysis/diagnosis.ts'
import type { ConnectionTrackerOptions } from '../../src/analysis/flows/connection-tracker.ts'
import { readCaptureChunks, readCaptureFile } from '../../src/pcap/capture-file.ts'

const maxConnectionsCount = 20_000

/** `capture`: the path of a file, or its bytes. */
export async function diagnosisOf(
  capture: string | Buffer,
  options: DiagnosisOptions & Pick<ConnectionTrackerOptions, 'isSingleHost'> = {},
): Promise<Diagnosis> {
  const { isSingleHost = false } = options
  const analysis = new CaptureDiagnosis({ maxConnectionsCount, isSingleHost })
  const end =
    typeof capture === 'string'
      ? await readCaptureFile(capture, analysis)
      : await readCaptureChunks(once(capture), analysis)
  return analysis.diagnose(end, options)
}

async function* once(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes
  await Promise.resolve()
}
