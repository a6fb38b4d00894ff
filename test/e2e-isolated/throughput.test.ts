import { openThroughputRig, type ThroughputRig } from '../e2e/throughput.ts'

let rig: ThroughputRig

beforeAll(async () => {
  rig = await openThroughputRig()
}, 120_000)

afterAll(() => rig?.close(), 30_000)

describe('1 GB at 400 Mbit/s', () => {
  it('is captured completely with the default inputs, unless a plain capture loses packets on this machine, too', async () => {
    const { run, bytes, dropped, pausedSeconds } = await rig.byAction()
    const figures = `${(bytes / 1e6).toFixed(0)} MB, ${String(dropped)} dropped, paused ${pausedSeconds.toFixed(1)} s`
    if (run.capture?.verdict.verdict === 'complete') {
      expect({ dropped, pausedSeconds }).toEqual({ dropped: 0, pausedSeconds: 0 })
      expect(bytes).toBeGreaterThan(1e9)
      console.info(`throughput: complete, ${figures}`)
      return
    }
    // Sender, receiver, cluster and runner share the processors of one machine, which may be too few for all of them.
    const plain = await rig.byKubectl()
    console.info(
      `throughput: partial, ${figures}; kubectl exec tcpdump: ${(plain.bytes / 1e6).toFixed(0)} MB, ${String(plain.dropped)} dropped`,
    )
    expect(plain.dropped).toBeGreaterThan(0)
    expect(bytes).toBeGreaterThan(plain.bytes * 0.8)
  }, 300_000)
})
