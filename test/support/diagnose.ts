import { CaptureDiagnosis } from '../../src/analysis/capture-diagnosis.ts'
import type { Diagnosis, DiagnosisOptions } from '../../src/analysis/diagnosis.ts'
import { readCaptureChunks, readCaptureFile } from '../../src/pcap/capture-file.ts'

const maxConnectionsCount = 20_000

/** `capture`: the path of a file, or its bytes. */
export async function diagnosisOf(capture: string | Buffer, options: DiagnosisOptions = {}): Promise<Diagnosis> {
  const analysis = new CaptureDiagnosis({ maxConnectionsCount })
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
