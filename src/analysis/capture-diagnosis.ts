import type { CaptureConsumer, CaptureEnd, CapturedPacket } from '../pcap/capture-format.ts'
import { Analysis } from './analysis.ts'
import { type ApplicationCounters, ApplicationTracker } from './application/application-tracker.ts'
import { counters } from './counters.ts'
import { diagnose, type Diagnosis, type DiagnosisOptions } from './diagnosis.ts'
import { ServerTimesTracker } from './diagnosis/server-times.ts'
import { ConnectionFindings } from './findings/connection-findings.ts'
import type { ConnectionTrackerOptions } from './flows/connection-tracker.ts'

/** Analyses one capture with all trackers: a consumer of `CaptureReader`. Memory is bounded, nothing throws. */
export class CaptureDiagnosis implements CaptureConsumer {
  readonly #analysis: Analysis
  readonly #findings: ConnectionFindings
  readonly #application: ApplicationTracker
  readonly #times: ServerTimesTracker
  #isEnded = false

  constructor(options: ConnectionTrackerOptions = {}) {
    const trackers: { findings?: ConnectionFindings; application?: ApplicationTracker; times?: ServerTimesTracker } = {}
    const baseMs = (): number => this.#analysis.decoder.baseSeconds * 1_000
    this.#analysis = new Analysis(options, (connections) => {
      trackers.findings = new ConnectionFindings(connections, baseMs)
      trackers.application = new ApplicationTracker(connections)
      trackers.times = new ServerTimesTracker(connections)
      return [trackers.findings, trackers.application, trackers.times]
    })
    this.#findings = trackers.findings!
    this.#application = trackers.application!
    this.#times = trackers.times!
  }

  onPacket(packet: CapturedPacket): void {
    this.#analysis.onPacket(packet)
  }

  /** `end`: how the reading of the capture ended. No packet may follow. */
  diagnose(end: CaptureEnd, options: DiagnosisOptions = {}): Diagnosis {
    this.#end()
    const [analysis, findings, application, times] = [this.#analysis, this.#findings, this.#application, this.#times]
    return diagnose({ analysis, findings, application, times }, end, options)
  }

  /** The counters that equal those of tshark. */
  counters(end: CaptureEnd): Record<string, unknown> & ApplicationCounters {
    this.#end()
    return { ...counters(this.#analysis, end), ...this.#application.counters() }
  }

  #end(): void {
    if (this.#isEnded) return
    this.#isEnded = true
    this.#analysis.end()
    this.#application.finish()
  }
}
