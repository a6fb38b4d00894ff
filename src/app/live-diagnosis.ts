import type { CaptureDiagnosis } from '../analysis/capture-diagnosis.ts'
import type { Diagnosis } from '../analysis/diagnosis.ts'
import type { CaptureRecord } from '../capture/record.ts'
import type { CaptureResult } from '../capture/capture-result.ts'
import { messageOf } from '../common/errors.ts'
import { readCaptureFile } from '../pcap/capture-file.ts'
import type { CaptureEnd, MutablePacket } from '../pcap/capture-format.ts'
import type { PacketConsumer, PacketView, PcapHeader } from '../pcap/reader.ts'

/** The analysis engine. It is loaded while the API server answers: a capture needs it only with its first packet. */
export interface AnalysisEngine {
  readonly CaptureDiagnosis: typeof CaptureDiagnosis
}

export async function loadAnalysis(): Promise<AnalysisEngine> {
  return import('../analysis/capture-diagnosis.ts')
}

/** What the analysis says of a capture; `failed`: why it says nothing. */
export type DiagnosisOutcome =
  { readonly kind: 'diagnosed'; readonly diagnosis: Diagnosis } | { readonly kind: 'failed'; readonly reason: string }

/** Analyses a capture while its packets arrive. A failure of the analysis never ends the capture. */
export class LiveDiagnosis implements PacketConsumer {
  #analysis: CaptureDiagnosis | undefined
  readonly #packet: MutablePacket = {
    buffer: noBytes,
    offset: 0,
    capturedLength: 0,
    originalLength: 0,
    seconds: 0,
    nanoseconds: 0,
    linkType: 0,
    interfaceId: 0,
    frameNumber: 0,
  }
  #failure: string | undefined

  /** To be called before the first packet. */
  begin({ CaptureDiagnosis: Analysis }: AnalysisEngine, record: CaptureRecord): void {
    this.#analysis = new Analysis({ isSingleHost: isSingleHost(record) })
  }

  onHeader({ linkType }: PcapHeader): void {
    this.#packet.linkType = linkType
  }

  onPacket(view: PacketView): void {
    const analysis = this.#analysis
    if (analysis === undefined || this.#failure !== undefined) return
    const packet = this.#packet
    packet.buffer = view.buffer
    packet.offset = view.offset
    packet.capturedLength = view.capturedLength
    packet.originalLength = view.originalLength
    packet.seconds = view.seconds
    packet.nanoseconds = view.nanoseconds
    packet.frameNumber += 1
    try {
      analysis.onPacket(packet)
    } catch (error) {
      this.#failure = `packet ${packet.frameNumber}: ${messageOf(error)}`
    }
    packet.buffer = noBytes // keeps no chunk alive
  }

  /** After the last packet. A file that has other packets than those seen here, because the runner's disk failed, is read instead. */
  async diagnose(result: CaptureResult, engine: AnalysisEngine): Promise<DiagnosisOutcome> {
    if (this.#failure !== undefined) return { kind: 'failed', reason: this.#failure }
    const isSame = this.#packet.frameNumber === result.scan.packets
    return isSame && this.#analysis ? diagnosed(this.#analysis, endOf(result), result) : diagnoseFile(result, engine)
  }
}

/** Reads the file of a result, where the packets arrived in another process. */
export async function diagnoseFile(result: CaptureResult, engine: AnalysisEngine): Promise<DiagnosisOutcome> {
  const { path } = result
  const analysis = new engine.CaptureDiagnosis({ isSingleHost: isSingleHost(result.record) })
  try {
    return diagnosed(analysis, path === undefined ? endOf(result) : await readCaptureFile(path, analysis), result)
  } catch (error) {
    return { kind: 'failed', reason: messageOf(error) }
  }
}

function diagnosed(analysis: CaptureDiagnosis, end: CaptureEnd, { record, verdict }: CaptureResult): DiagnosisOutcome {
  try {
    const diagnosis = analysis.diagnose(end, {
      localAddresses: localAddresses(record),
      ...(verdict.dropped === undefined ? {} : { dropped: verdict.dropped }),
    })
    return { kind: 'diagnosed', diagnosis }
  } catch (error) {
    return { kind: 'failed', reason: messageOf(error) }
  }
}

/** The network of a pod, and not that of its node. */
function isSingleHost({ method, target }: CaptureRecord): boolean {
  return method.kind === 'container' && localAddresses({ target }).length > 0
}

function localAddresses({ target }: Pick<CaptureRecord, 'target'>): readonly string[] {
  return target.kind === 'pod' ? target.addresses : []
}

/** The end of a stream of which the file keeps the whole packets. */
function endOf({ scan }: CaptureResult): CaptureEnd {
  return {
    format: undefined,
    bytes: scan.bytes,
    wholeBytes: scan.wholeBytes,
    packets: scan.packets,
    customBlocks: 0,
    broken: scan.broken,
    isCutShort: false,
    sections: 1,
    reportedDrops: 0,
  }
}

// A Buffer as the chunks are: code that reads bytes stays monomorphic.
const noBytes: Uint8Array = Buffer.alloc(0)
