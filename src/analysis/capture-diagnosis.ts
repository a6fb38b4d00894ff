import type { CaptureConsumer, CaptureEnd, CapturedPacket } from '../pcap/capture-format.ts'
import { Analysis } from './analysis.ts'
import { type ApplicationCounters, ApplicationTracker } from './application/application-tracker.ts'
import { counters } from './counters.ts'
import { DetailsTracker } from './details/details-tracker.ts'
import type { Trackers } from './diagnosis/capture-facts.ts'
import { diagnose, type Diagnosis, type DiagnosisOptions } from './diagnosis.ts'
import { ServerTimesTracker } from './diagnosis/server-times.ts'
import { ConnectionFindings } from './findings/connection-findings.ts'
import type { ConnectionTrackerOptions } from './flows/connection-tracker.ts'
import { LocalSideTracker } from './sides/local-side-tracker.ts'

/** Analyses one capture with all trackers: a consumer of `CaptureReader`. Memory is bounded, nothing throws. */
export class CaptureDiagnosis implements CaptureConsumer {
  readonly #trackers: Trackers
  #isEnded = false

  constructor(options: ConnectionTrackerOptions = {}) {
    const trackers: { [Name in keyof Trackers]?: Trackers[Name] } = {}
    const baseMs = (): number => analysis.decoder.baseSeconds * 1_000
    const analysis: Analysis = new Analysis(options, (connections) => {
      const findings = new ConnectionFindings(connections, baseMs)
      const application = new ApplicationTracker(connections)
      const times = new ServerTimesTracker(connections)
      const details = new DetailsTracker(connections)
      const sides = new LocalSideTracker(connections.table.maxFlowsCount)
      Object.assign(trackers, { findings, application, times, details, sides })
      return [findings, application, times, details, sides]
    })
    this.#trackers = { ...trackers, analysis } as Trackers
  }

  onPacket(packet: CapturedPacket): void {
    this.#trackers.analysis.onPacket(packet)
  }

  /** `end`: how the reading of the capture ended. No packet may follow. */
  diagnose(end: CaptureEnd, options: DiagnosisOptions = {}): Diagnosis {
    this.#end()
    return diagnose(this.#trackers, end, options)
  }

  /** The counters that equal those of tshark. */
  counters(end: CaptureEnd): Record<string, unknown> & ApplicationCounters {
    this.#end()
    const { analysis, application } = this.#trackers
    return { ...counters(analysis, end), ...application.counters() }
  }

  #end(): void {
    if (this.#isEnded) return
    this.#isEnded = true
    this.#trackers.analysis.end()
    this.#trackers.application.finish()
  }
}
