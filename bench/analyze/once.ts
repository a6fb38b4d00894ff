/** Analyses one capture with all findings, for analyze.ts: `once.ts FILE` prints what was counted, the time that it took and the memory. */
import { CaptureDiagnosis } from '../../src/analysis/capture-diagnosis.ts'
import { readCaptureFile } from '../../src/pcap/capture-file.ts'
import { diagnosisText } from '../../src/report/diagnosis-text.ts'
import type { Counts } from './conversations.ts'

export interface AnalysisSample extends Counts {
  readonly seconds: number
  /** of all threads */
  readonly cpuSeconds: number
  readonly peakRssMB: number
  readonly packets: number
  readonly culprit: string
  readonly severity: string
}

const [path = ''] = process.argv.slice(2)
const before = process.cpuUsage()
const beganMs = performance.now()
const analysis = new CaptureDiagnosis()
const end = await readCaptureFile(path, analysis)
const diagnosis = analysis.diagnose(end)
if (diagnosisText(diagnosis) === '') throw new Error('the diagnosis has no text')
const seconds = (performance.now() - beganMs) / 1e3
const { user, system } = process.cpuUsage(before)
const { tcp, dns, http, tls } = analysis.counters(end) as ReturnType<typeof analysis.counters> & {
  tcp: { connections: number }
}
const sample: AnalysisSample = {
  seconds,
  cpuSeconds: (user + system) / 1e6,
  peakRssMB: (process.resourceUsage().maxRSS * 1024) / 1e6,
  packets: end.packets,
  connections: tcp.connections,
  httpRequests: Object.values(http.methods).reduce((sum, count) => sum + count, 0),
  dnsQueries: dns.queries ?? 0,
  tlsHandshakes: tls.client_hello ?? 0,
  culprit: diagnosis.culprit,
  severity: diagnosis.severity,
}
console.log(JSON.stringify(sample))
